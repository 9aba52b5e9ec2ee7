// A log's file, changed in a few places and sealed again or not, before all that reads it.
#include "core/random.hpp"
#include "journal/memtable.hpp"
#include "journal/wal_file.hpp"
#include "tests/fuzz/property.hpp"
#include "tests/fuzz/wal_grammar.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace perdure::fuzz {
namespace {

namespace fs = std::filesystem;
using journal::Key;
using journal::Mutation;
using journal::Table;
using journal::WalEntry;
using journal::WalFile;
using journal::WalPosition;

constexpr core::Hash128 kJournal{1, 2};
constexpr std::size_t kUnit = journal::kWalUnit;
const std::uint64_t kSeed = journal::wal_seed(kJournal);

/// A directory whose log is a file in memory.
class Place {
 public:
  Place() : directory_((fs::temp_directory_path() / "perdure-fuzz-XXXXXX").string()) {
    require(::mkdtemp(directory_.data()) != nullptr, "there is room for a temporary directory");
    require(WalFile::create(directory_, kJournal).has_value(), "a log can be made");
    std::ifstream in(fs::path(directory_) / "wal", std::ios::binary);
    header_.assign(std::istreambuf_iterator<char>(in), {});
    fs::remove(fs::path(directory_) / "wal");
    file_ = ::memfd_create("wal", 0);
    fs::create_symlink("/proc/self/fd/" + std::to_string(file_), fs::path(directory_) / "wal");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
    ::close(file_);
  }
  [[nodiscard]] const std::string& header() const { return header_; }
  Result<std::unique_ptr<WalFile>> open(const std::string& bytes) {
    require(::ftruncate(file_, 0) == 0 && ::pwrite(file_, bytes.data(), bytes.size(), 0) ==
                                              static_cast<ssize_t>(bytes.size()),
            "the file takes the bytes");
    return WalFile::open(directory_, kJournal, WalFile::Access::read);
  }

 private:
  std::string directory_;
  std::string header_;
  int file_ = -1;
};

/// An entry with a few rows; rows and sizes by its number.
std::string entry_of(std::uint64_t batch, std::uint64_t previous) {
  core::SeededRandom random(batch);
  const std::string value(4000, static_cast<char>('a' + batch % 26));
  std::vector<Mutation> rows;
  for (std::uint32_t i = 0; i < 1 + batch % 4; ++i) {
    const bool is_erased = random.next() % 4 == 0;
    rows.push_back({static_cast<Table>(2 + i),
                    is_erased ? Mutation::Kind::erase : Mutation::Kind::put,
                    Key{}.add(random.next() % 3).add(i),
                    core::as_bytes(value).first(is_erased ? 0 : random.next() % 1500)});
  }
  WalEntry entry = WalEntry::encode(rows, {batch, previous, batch % 3 != 0}, kSeed);
  const std::span<std::byte> all = entry.padded();
  return {reinterpret_cast<const char*>(all.data()), all.size()};
}

/// Entries 3 to 6 from the beginning on, then what a lap before left: 1 and 2, and room.
std::string base_file(const std::string& header) {
  std::array<std::string, 2> laps;
  std::uint64_t previous = 0;
  for (std::uint64_t batch = 1; batch <= 6; ++batch) {
    const std::string entry = entry_of(batch, previous);
    previous = number_at<std::uint64_t>(entry, 0);
    laps[batch < 3 ? 1 : 0] += entry;
  }
  return header + laps[0] + laps[1] + std::string(2 * kUnit, '\0');
}

void seal(std::string& file, std::size_t place) {
  const auto size = number_at<std::uint32_t>(file, place + 24);
  if (size < journal::kWalEntryHeader || place + size > file.size()) return;
  const core::ByteView behind = core::as_bytes(file).subspan(place + 8, size - 8);
  set_number(file, place, core::checksum(behind, kSeed));
}
/// Makes the entry at `place` the one behind `before`.
void link(std::string& file, std::size_t place, std::uint64_t batch, std::uint64_t before) {
  set_number(file, place + 8, batch + 1);
  set_number(file, place + 16, before);
  seal(file, place);
}

/// Eight bytes each: what to do, at which unit of the file, an offset and a number.
void apply(std::string& file, const std::uint8_t* edits, std::size_t size) {
  for (; size >= 8; edits += 8, size -= 8) {
    const std::size_t units = file.size() / kUnit;
    if (units < 2) return;
    const std::size_t place = (1 + edits[1] % (units - 1)) * kUnit;
    std::uint16_t offset = 0;
    std::uint32_t number = 0;
    std::memcpy(&offset, edits + 2, sizeof offset);
    std::memcpy(&number, edits + 4, sizeof number);
    const std::size_t other = (1 + number % (units - 1)) * kUnit;
    switch (edits[0] % 8) {
      case 0: set_number(file, place + offset % kUnit, static_cast<std::uint8_t>(number)); break;
      case 1: set_number(file, place + offset % 16 * 4, number); break;
      case 2: set_number(file, place + offset % kUnit, number); break;
      case 3: set_number(file, place + offset % kUnit / 8 * 8, number); break;
      case 4: file.replace(other, kUnit, file.substr(place, kUnit)); break;
      case 5: file.resize(file.size() - offset % file.size()); break;
      case 6: seal(file, place); break;
      default:
        link(file, place, number_at<std::uint64_t>(file, other + 8),
             number_at<std::uint64_t>(file, other));
    }
  }
}

/// The chain behind `from` as the format says it, in `entries`; where it ends.
WalPosition chain_of(const std::string& file, WalPosition from, std::vector<Sealed>& entries) {
  for (;;) {
    std::optional<Sealed> found;
    for (std::uint64_t place : {std::max(from.place, WalFile::kFirst), WalFile::kFirst}) {
      found = sealed_at(file, place, kSeed);
      if (found && found->batch == from.batch + 1 && found->previous == from.checksum) {
        from = {found->batch, found->checksum, place + journal::wal_padded(found->bytes.size())};
        break;
      }
      found.reset();
    }
    if (!found) return from;
    entries.push_back(*std::move(found));
  }
}

/// What a memtable with all of them shows at every batch is what they say, and no more.
void check_rows(const journal::Memtable& memtable, const std::vector<Sealed>& entries) {
  Versions model;
  bool sorted = true;
  std::map<RowKey, std::vector<std::optional<std::string>>> ever;
  for (const Sealed& entry : entries) {
    const Rows rows = rows_of(entry.bytes).value();
    sorted = sorted && is_sorted(rows);
    for (const auto& [key, value] : rows) {
      model[key] = value;
      ever[key].push_back(value);
    }
    Versions shown;
    std::size_t count = 0;
    journal::Memtable::Cursor cursor(memtable, entry.batch);
    for (cursor.seek(Table::meta, {}); cursor.valid(); cursor.next(), ++count) {
      const auto row = cursor.row();
      std::optional<std::string> value{core::as_text(row.value)};
      if (row.kind == Mutation::Kind::erase) value.reset();
      const RowKey key{row.table, std::string(core::as_text(row.key))};
      const auto known = ever.find(key);
      require(known != ever.end() && std::ranges::find(known->second, value) != known->second.end(),
              "every row was in an entry that holds");
      shown[key] = value;
    }
    // Rows out of order are sealed by no writer: what is found of them is not promised.
    require(!sorted || (shown == model && count == model.size()), "all rows are there, once");
  }
}

void check_file(WalFile& file, const std::string& bytes, const WalPosition& from) {
  std::vector<Sealed> expected;
  const WalPosition end = chain_of(bytes, from, expected);
  journal::Memtable memtable;
  std::vector<Sealed> added;
  std::size_t given = 0;
  bool is_newer = false;
  const Result<WalPosition> followed = file.follow(from, [&](WalEntry&& entry) -> Result<void> {
    require(given < expected.size() && core::as_text(entry.bytes()) == expected[given].bytes,
            "the chain is what the format says");
    const bool is_known = rows_of(expected[given].bytes).has_value();
    const Result<void> done = memtable.add(std::move(entry));
    require(done.has_value() == is_known, "what can't be read is said so, and nothing else");
    if (!done) {
      is_newer = done.error().code == Code::newer_format;
      return done.error();
    }
    added.push_back(expected[given++]);
    return success();
  });
  require(followed.has_value() ? given == expected.size() && followed.value() == end : is_newer,
          "it ends where the chain ends");
  check_rows(memtable, added);

  WalFile::Later wanted{.highest_batch = end.batch, .sure_at = std::nullopt};
  for (std::size_t place = kUnit; place < bytes.size(); place += kUnit)
    if (const auto found = sealed_at(bytes, place, kSeed); found && found->batch > end.batch) {
      wanted.highest_batch = std::max(wanted.highest_batch, found->batch);
      if (found->is_sure) wanted.sure_at = place;
    }
  const WalFile::Later later = file.find_later(end.batch).value();
  require(later.highest_batch == wanted.highest_batch && later.sure_at == wanted.sure_at,
          "what is behind the end of the chain is found");
  const auto damage = file.damage(end, later);
  require(damage.has_value() == wanted.sure_at.has_value(), "and is damage when it is sure");
}

}  // namespace
}  // namespace perdure::fuzz

/// The first byte says whether the rest is an entry, or edits of a good file, and whether what is
/// there then is sealed again; the second where the chain is followed from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  using namespace perdure::fuzz;
  static Place place;
  static const std::string base = base_file(place.header());
  if (size < 2) return 0;
  std::string bytes = base;
  if (data[0] % 4 == 0) {
    bytes = place.header() + std::string(reinterpret_cast<const char*>(data) + 2, size - 2);
    bytes.resize(std::max(bytes.size(), kUnit + journal::kWalEntryHeader), '\0');
    link(bytes, kUnit, 0, 0);
  } else {
    apply(bytes, data + 2, size - 2);
  }
  if (data[0] % 4 == 1)
    for (std::size_t at = kUnit; at < bytes.size(); at += kUnit) seal(bytes, at);
  if (data[0] >= 250) set_number(bytes, data[1] % 44U, std::uint32_t{data[0]});
  // Behind any unit of the base, or at the beginning.
  WalPosition from;
  if (const std::size_t at = data[1] % 16U * kUnit; at != 0 && data[0] % 4 != 0)
    from = {number_at<std::uint64_t>(bytes, at + 8), number_at<std::uint64_t>(bytes, at),
            at + journal::wal_padded(number_at<std::uint32_t>(bytes, at + 24) % bytes.size())};
  const auto opened = place.open(bytes);
  const bool is_ours = bytes.starts_with(place.header().substr(0, 40));
  require(opened.has_value() == is_ours, "a log is opened when its header is this journal's");
  if (is_ours) check_file(*opened.value(), bytes, from);
  return 0;
}
