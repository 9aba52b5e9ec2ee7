// A journal's file, changed in a few places or made up, before the page checker.
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/change.hpp"
#include "journal/counted_store.hpp"
#include "journal/gate.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/page_checker.hpp"
#include "journal/reader.hpp"
#include "journal/writer.hpp"
#include "tests/fuzz/property.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace perdure::fuzz {
namespace {

namespace fs = std::filesystem;
using journal::Change;
using journal::Key;
using journal::Table;

/// Runs with values of all sizes, some erased again, so that every kind of page is there.
void fill(journal::Writer& writer) {
  core::SeededRandom random(1);
  const core::Bytes large(9000, std::byte{0});
  std::vector<RunId> runs(4);
  for (RunId& run : runs) {
    random.fill(run.bytes);
    const journal::SessionId session = journal::session_hash("agent", to_string(run));
    Change change;
    change.put(Table::sessions, Key{}.add(session),
               journal::SessionRow{"agent", "key of a session", 1});
    change.put(Table::runs, Key{}.add(run), journal::RunRow{session, "agent", 1, "run", "key", 1});
    change.put(Table::ready, Key{}.add(run), journal::ReadyRow{session});
    for (std::uint32_t i = 0; i < 6; ++i) {
      journal::StepResult result;
      result.path = {&i, 1};
      result.name = "a step";
      result.type = "bytes";
      result.payload = core::ByteView(large).first(i == 5 ? large.size() : i * 90);
      change.append(run, i, result);
    }
    (void)writer.submit(std::move(change), journal::Admission::under_way).value();
    writer.commit_here();
  }
  for (const RunId& run : runs) {
    Change change;
    change.erase(Table::ready, Key{}.add(run));
    (void)writer.submit(std::move(change), journal::Admission::under_way).value();
    writer.commit_here();
  }
}

/// Straight into the tables, one transaction a change: a log in front would bring them together.
std::string base_file() {
  std::string name = (fs::temp_directory_path() / "perdure-fuzz-XXXXXX").string();
  require(::mkdtemp(name.data()) != nullptr, "there is room for a temporary directory");
  {
    core::SystemClock clock;
    core::SeededRandom random(2);
    journal::LmdbStore::create(name).value();
    const auto tables = journal::LmdbStore::open(name, journal::LmdbAccess::write).value();
    journal::CountedStore::create(*tables, clock, random).value();
    const auto counted = journal::CountedStore::open(*tables, random).value();
    journal::Gate gate;
    journal::Writer writer(*counted, gate, {.last_number = counted->before().last_number});
    fill(writer);
    writer.stop().value();
  }
  std::ifstream file(fs::path(name) / "data.mdb", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  fs::remove_all(name);
  return bytes;
}

/// Six bytes each: a place, in units of two bytes, and the number that comes to stand there.
void apply(std::string& bytes, const std::uint8_t* edits, std::size_t size) {
  for (; size >= 6; edits += 6, size -= 6) {
    std::uint32_t place = 0;
    std::memcpy(&place, edits, sizeof place);
    const std::size_t at = std::size_t{place} * 2 % (bytes.size() - 2);
    std::memcpy(bytes.data() + at, edits + 4, 2);
  }
}

journal::PageReport check(const std::string& bytes) {
  static const int file = ::memfd_create("data.mdb", 0);
  require(file >= 0, "there is a file in memory");
  // What it has is written over, since to give memory back and take it again costs more than that.
  require(::pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()) &&
              ::ftruncate(file, static_cast<off_t>(bytes.size())) == 0,
          "the file takes the bytes");
  journal::PageCheckOptions options;
  options.values = journal::PageValues::check;
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const Result<journal::PageReport> report = journal::check_pages(path, options);
  if (report.has_value()) return report.value();
  require(report.error().code == Code::newer_format || report.error().code == Code::unsupported ||
              report.error().code == Code::corrupt,
          "what cannot be checked at all is said so", report.error().message);
  return {};
}

}  // namespace
}  // namespace perdure::fuzz

/// The first byte says whether the rest is a file, or edits of a good one; the second how much of
/// that is cut off.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  static const std::string base = fuzz::base_file();
  if (size < 2) return 0;
  if (data[0] % 4 == 0) {
    (void)fuzz::check(std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
    return 0;
  }
  std::string bytes = base;
  fuzz::apply(bytes, data + 2, size - 2);
  if (data[0] % 4 == 1) bytes.resize(bytes.size() - bytes.size() * data[1] / 256);
  const journal::PageReport report = fuzz::check(bytes);
  fuzz::require(bytes != base || report.sound(), "a good file is sound");
  return 0;
}
