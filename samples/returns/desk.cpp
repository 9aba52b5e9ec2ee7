#include "desk.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

namespace returns {
namespace {

/// A key has slashes, which a file's name can't have.
std::string file_of(std::string key) {
  std::ranges::replace(key, '/', '~');
  return key;
}

bool write(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path half = file.string() + ".half";
  std::ofstream out(half);
  out << text << '\n';
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(half, file, failed);
  return out && !failed;
}

pd::Error no_desk(const std::filesystem::path& file) {
  return {pd::Code::user, "could not write " + file.string() + ": is there room, and the folder?",
          true};
}

std::optional<Desk>& the_bank() {
  static std::optional<Desk> bank;
  return bank;
}

}  // namespace

Desk::Desk(const std::filesystem::path& folder, std::string name)
    : folder_(folder / name), name_(std::move(name)) {
  std::filesystem::create_directories(folder_);
}

std::optional<Slip> Desk::find(const std::string& key) const {
  std::ifstream in(folder_ / file_of(key));
  std::string number;
  if (!std::getline(in, number)) return std::nullopt;
  return Slip{number};
}

pd::Result<Slip> Desk::act(const std::string& key, const Return& what) const {
  if (std::filesystem::exists(folder_ / (file_of(key) + ".undone")))
    return pd::Error{pd::Code::refused, "it was undone under this key before it came"};
  if (std::optional<Slip> done = find(key)) return *std::move(done);
  Slip slip{name_ + "-" + what.order};
  const std::filesystem::path file = folder_ / file_of(key);
  if (!write(file, slip.number)) return no_desk(file);
  return slip;
}

pd::Result<void> Desk::undo(const std::string& key, const Return& what) const {
  const std::filesystem::path file = folder_ / (file_of(key) + ".undone");
  if (!write(file, what.order)) return no_desk(file);
  std::filesystem::remove(folder_ / file_of(key));
  return pd::success();
}

void use_bank(Desk bank) { the_bank().emplace(std::move(bank)); }

pd::Result<pd::Finding<Slip>> find_refund(pd::Step& step, const Return&) {
  if (std::optional<Slip> paid = the_bank()->find(step.key())) return *std::move(paid);
  // Its books are complete: what is not in them has not happened, and will not by itself.
  return pd::never_will_be;
}

}  // namespace returns
