// A blob's file, changed in a few places or made up, before its reader.
#include "core/random.hpp"
#include "journal/blob_reader.hpp"
#include "journal/blob_store.hpp"
#include "tests/fuzz/property.hpp"

#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace perdure::fuzz {
namespace {

namespace fs = std::filesystem;
using journal::BlobId;
using journal::BlobReader;
using journal::BlobRef;
using journal::kBlobHeaderBytes;
using journal::kBlobRowBytes;

constexpr std::size_t kChunk = journal::kBlobChunkBytesMin;

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T number{};
  if (at <= bytes.size() && bytes.size() - at >= sizeof number)
    std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}
template <class T>
void set_number(std::string& bytes, std::size_t at, T number) {
  if (at <= bytes.size() && bytes.size() - at >= sizeof number)
    std::memcpy(bytes.data() + at, &number, sizeof number);
}

/// A file in memory that a path leads to, and good files to begin with.
class Place {
 public:
  Place() {
    std::string pattern = (fs::temp_directory_path() / "perdure-fuzz-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "there is room for a directory");
    directory_ = pattern;
    const auto store =
        journal::BlobStore::open(directory_, {.chunk_bytes = std::uint32_t{kChunk}}).value();
    core::SeededRandom random(1);
    // Three chunks, the middle one of which does not shrink; one that does; one byte; nothing.
    for (const std::size_t size :
         {2 * kChunk + 700, std::size_t{900}, std::size_t{1}, std::size_t{0}}) {
      core::Bytes content(size, std::byte{'w'});
      if (size > kChunk) random.fill(std::span(content).subspan(kChunk, kChunk));
      const BlobRef ref = store->put(content, journal::Durability::none).value();
      std::ifstream in(store->directory().place().file(ref.id), std::ios::binary);
      good_.push_back({ref, content, {std::istreambuf_iterator<char>(in), {}}});
    }
    file_ = ::memfd_create("blob", 0);
    fs::create_symlink("/proc/self/fd/" + std::to_string(file_), directory_ + "/blob");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
    ::close(file_);
  }
  struct Good {
    BlobRef ref;
    core::Bytes content;
    std::string bytes;
  };
  [[nodiscard]] const Good& good(std::size_t number) const { return good_[number % good_.size()]; }
  Result<std::unique_ptr<BlobReader>> open(const std::string& bytes, const BlobId& id) {
    require(::ftruncate(file_, 0) == 0 && ::pwrite(file_, bytes.data(), bytes.size(), 0) ==
                                              static_cast<ssize_t>(bytes.size()),
            "the file takes the bytes");
    return BlobReader::open(directory_ + "/blob", id);
  }

 private:
  std::string directory_;
  int file_ = -1;
  std::vector<Good> good_;
};

/// A row as the format says it, and its chunk where that lies in the file.
struct Row {
  std::uint64_t place = 0;
  std::uint32_t stored = 0;
  std::uint32_t form = 0;
  std::uint64_t checksum = 0;
};
Row row_at(const std::string& bytes, std::size_t at) {
  return {number_at<std::uint64_t>(bytes, at), number_at<std::uint32_t>(bytes, at + 8),
          number_at<std::uint32_t>(bytes, at + 12), number_at<std::uint64_t>(bytes, at + 16)};
}
std::optional<core::ByteView> chunk_of(const std::string& bytes, const Row& row) {
  if (row.place > bytes.size() || bytes.size() - row.place < row.stored) return std::nullopt;
  return core::as_bytes(bytes).subspan(static_cast<std::size_t>(row.place), row.stored);
}
std::size_t index_of(const std::string& bytes) {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(number_at<std::uint64_t>(bytes, 56), bytes.size()));
}

/// Eight bytes each: what to do, where, and a number.
void apply(std::string& file, const std::uint8_t* edits, std::size_t size) {
  for (; size >= 8; edits += 8, size -= 8) {
    if (file.empty()) return;
    std::uint16_t offset = 0;
    std::uint32_t number = 0;
    std::memcpy(&offset, edits + 2, sizeof offset);
    std::memcpy(&number, edits + 4, sizeof number);
    const std::size_t rows = index_of(file);
    switch (edits[0] % 8) {
      case 0: set_number(file, offset % file.size(), static_cast<std::uint8_t>(number)); break;
      case 1: set_number(file, 48 + std::size_t{edits[1]} % 5 * 8, std::uint64_t{number}); break;
      case 2: set_number(file, 8 + std::size_t{edits[1]} % 20 * 4, number); break;
      case 3: set_number(file, rows + offset % 128U / 4 * 4, number); break;
      case 4:
        set_number(file, rows + offset % 128U / 8 * 8, std::uint64_t{number} << offset % 33U);
        break;
      case 5: file.resize(file.size() - offset % file.size()); break;
      case 6: file.insert(offset % file.size(), number % 64, static_cast<char>(edits[1])); break;
      default: file.erase(offset % file.size(), number % 64);
    }
  }
}

/// Makes the checksums hold, those of chunks too where that is wanted.
void seal(std::string& file, bool with_chunks) {
  std::uint64_t checksum = 0;
  for (std::size_t at = index_of(file); at + kBlobRowBytes <= file.size(); at += kBlobRowBytes) {
    const auto chunk = chunk_of(file, row_at(file, at));
    if (with_chunks && chunk) set_number(file, at + 16, core::checksum(*chunk));
    checksum = core::checksum(core::as_bytes(file).subspan(at, kBlobRowBytes), checksum);
  }
  set_number(file, 72, checksum);
  if (file.size() >= kBlobHeaderBytes)
    set_number(file, 80, core::checksum(core::as_bytes(file).first(80)));
}

/// A chunk's content as the format says it; empty where it is damaged.
std::optional<core::Bytes> content_of(const std::string& bytes, const Row& row, std::size_t size) {
  const auto stored = chunk_of(bytes, row);
  if (!stored || core::checksum(*stored) != row.checksum) return std::nullopt;
  if (row.form == 0) {
    if (stored->size() != size) return std::nullopt;
    return core::Bytes(stored->begin(), stored->end());
  }
  core::Bytes content(size);
  if (row.form != 1 || row.stored == 0 || row.stored >= size ||
      ::ZSTD_findFrameCompressedSize(stored->data(), stored->size()) != stored->size() ||
      ::ZSTD_decompress(content.data(), size, stored->data(), stored->size()) != size)
    return std::nullopt;
  return content;
}

/// Each chunk is read, or refused, as the format says it, alone and in the stream; and no more than
/// that is given.
void check_reads(BlobReader& reader, const std::string& bytes) {
  const std::uint64_t chunk = number_at<std::uint32_t>(bytes, 64);
  bool all_right = true;
  core::Bytes whole;
  for (std::uint64_t offset = 0; offset < reader.bytes(); offset += chunk) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(chunk, reader.bytes() - offset));
    const std::size_t at =
        index_of(bytes) + static_cast<std::size_t>(offset / chunk) * kBlobRowBytes;
    const auto expected = content_of(bytes, row_at(bytes, at), size);
    core::Bytes part(size);
    const auto read = reader.read_at(offset, part);
    require(read.has_value() == expected.has_value(), "a chunk is read when it is right");
    require(!read || (read.value() == size && part == *expected), "as it is");
    // The last byte of it and the first of the next.
    core::Bytes edge(2);
    const auto two = reader.read_at(offset + size - 1, edge);
    require(!two || (expected && edge[0] == expected->back()), "also by its end");
    all_right = all_right && expected;
    if (all_right) whole.insert(whole.end(), expected->begin(), expected->end());
  }
  core::Bytes streamed;
  core::Bytes piece(1000);
  bool failed = false;
  for (;;) {
    const auto count = reader.read(piece);
    failed = !count;
    if (failed || count.value() == 0) break;
    streamed.insert(streamed.end(), piece.begin(),
                    piece.begin() + static_cast<std::ptrdiff_t>(count.value()));
  }
  require(failed != all_right, "the stream ends at the end or at what is wrong");
  require(failed ? std::ranges::equal(streamed, core::ByteView(whole).first(streamed.size()))
                 : streamed == whole,
          "and gives what is right");
  require(reader.read_at(reader.bytes(), piece).value() == 0, "behind the end is nothing");
  require(all_right || !reader.check(), "the check finds what is wrong");
}

}  // namespace
}  // namespace perdure::fuzz

/// The first byte says whether checksums are made to hold, the second which good file is edited by
/// the rest, or that the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  using namespace perdure::fuzz;
  static Place place;
  if (size < 2) return 0;
  const Place::Good& good = place.good(data[1]);
  std::string bytes = good.bytes;
  if (data[1] >= 240)
    bytes.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  else
    apply(bytes, data + 2, size - 2);
  const bool is_sealed = data[0] % 4 != 0;
  journal::BlobId id = good.ref.id;
  if (is_sealed) {
    seal(bytes, data[0] % 4 == 2);
    if (bytes.size() >= kBlobHeaderBytes) std::memcpy(id.bytes.data(), bytes.data() + 16, 32);
  }
  const auto opened = place.open(bytes, id);
  if (!opened) {
    require(bytes != good.bytes, "a good file is opened");
    require(opened.error().code == Code::corrupt || opened.error().code == Code::newer_format,
            "what is wrong is damage, or newer", opened.error().to_string());
    return 0;
  }
  // A claim of gigabytes may be right, and takes too long.
  if (opened.value()->bytes() > (std::uint64_t{64} << 20U)) return 0;
  check_reads(*opened.value(), bytes);
  if (opened.value()->check()) {
    core::Bytes whole(static_cast<std::size_t>(opened.value()->bytes()));
    require(opened.value()->read_at(0, whole).value() == whole.size(), "all of it is read");
    require(id != good.ref.id || whole == good.content, "what the check lets pass has the id");
  }
  return 0;
}
