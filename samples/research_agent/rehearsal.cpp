#include "rehearsal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace research {
namespace pd = perdure;
namespace {

struct Asked {
  int effects = -1;
  std::string effects_path;
  std::string crash_at;
  std::atomic<std::size_t> begun = 0;
};
Asked asked;

pd::Error effects_error(const std::string& path) {
  return {pd::Code::user, "The effects file " + path + " cannot be written (" +
                              std::strerror(errno) + "). Name one that this user may write."};
}

}  // namespace

pd::Result<void> rehearse(const Rehearsal& rehearsal) {
  asked.crash_at = rehearsal.crash_at;
  asked.effects_path = rehearsal.effects;
  if (rehearsal.effects.empty()) return pd::success();
  asked.effects =
      ::open(rehearsal.effects.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (asked.effects < 0) return effects_error(rehearsal.effects);
  return pd::success();
}

std::size_t bodies_begun() noexcept { return asked.begun.load(); }

pd::Result<void> note_body(const pd::Step& step) {
  asked.begun.fetch_add(1);
  if (asked.effects < 0) return pd::success();
  const std::string line = pd::to_string(step.run_id()) + "\t" + step.id() + "\t" +
                           std::to_string(step.attempt()) + "\t" + step.name() + "\n";
  if (::write(asked.effects, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return effects_error(asked.effects_path);
  }
  return pd::success();
}

void crash_if_asked(const pd::Step& step) {
  if (step.id() == asked.crash_at) ::kill(::getpid(), SIGKILL);
}

}  // namespace research
