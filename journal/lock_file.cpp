#include "journal/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <sstream>

#include "journal/file_system.hpp"

namespace perdure::journal {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::size_t kTextBytes = 8192;

std::filesystem::path file_in(const std::filesystem::path& directory) { return directory / "LOCK"; }

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::string program_name() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? "unknown" : path.string();
}

std::string utc(core::WallTime when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02ld:%02ld:%02ld UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
                static_cast<long>(time.minutes().count()),
                static_cast<long>(time.seconds().count()));
  return text.data();
}

/// What the file says of its last holder.
std::string words_of(const std::string& text) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (space != std::string::npos) fields[line.substr(0, space)] = line.substr(space + 1);
  }
  if (fields["pid"].empty()) return "another process";
  std::string words = "process " + fields["pid"];
  if (fields["pid"] == std::to_string(::getpid())) words += ", which is this one";
  if (!fields["host"].empty() && fields["host"] != host_name()) words += " on " + fields["host"];
  return words + " (" + fields["program"] + ", since " + fields["since"] + ")";
}

Result<void> write_holder(int file, const std::filesystem::path& path, core::Clock& clock) {
  const std::string text = "pid " + std::to_string(::getpid()) + "\nhost " + host_name() +
                           "\nprogram " + program_name() + "\nsince " + utc(clock.wall()) + "\n";
  if (::ftruncate(file, 0) != 0) return file_error(path, "written", errno);
  const ssize_t count = ::pwrite(file, text.data(), text.size(), 0);
  if (count < 0) return file_error(path, "written", errno);
  if (static_cast<std::size_t>(count) != text.size()) return file_error(path, "written", ENOSPC);
  return success();
}

}  // namespace

Result<std::unique_ptr<LockFile>> LockFile::acquire(const std::filesystem::path& directory,
                                                    core::Clock& clock) {
  const std::filesystem::path path = file_in(directory);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return file_error(path, "opened for writing", errno);
  auto held = std::make_unique<LockFile>(Private{}, file);
  struct flock lock = whole_file();
  if (::fcntl(file, F_OFD_SETLK, &lock) != 0) {
    const int why = errno;
    if (why != EAGAIN && why != EACCES)
      return Error{Code::unsupported,
                   file_error(path, "locked", why).message + " (open file description locks)"};
    std::string who = "another process";
    if (const Result<std::string> text = read_file(path, kTextBytes)) who = words_of(text.value());
    return Error{Code::held, "the journal '" + directory.string() + "' is held by " + who +
                                 ": stop it, or open the journal for reading"};
  }
  PERDURE_TRY(write_holder(file, path, clock));
  return held;
}

Result<std::optional<std::string>> LockFile::holder(const std::filesystem::path& directory) {
  const std::filesystem::path path = file_in(directory);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::nullopt;
  if (file < 0) return file_error(path, "read", errno);
  const LockFile opened(Private{}, file);  // Closes it; it locks nothing.
  struct flock lock = whole_file();
  if (::fcntl(file, F_OFD_GETLK, &lock) != 0)
    return Error{Code::unsupported,
                 file_error(path, "asked", errno).message + " (open file description locks)"};
  if (lock.l_type == F_UNLCK) return std::nullopt;
  PERDURE_TRY(const std::string text, read_file(path, kTextBytes));
  return words_of(text);
}

LockFile::~LockFile() { ::close(descriptor_); }

}  // namespace perdure::journal
