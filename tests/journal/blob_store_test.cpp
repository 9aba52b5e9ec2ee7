// Blobs are put, written in pieces, read whole and in parts, and stored once.
#include "journal/blob_hash.hpp"
#include "tests/journal/blob_fixture.hpp"

#include <sys/stat.h>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

std::uint64_t inode(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_ino;
}

class BlobStoreTest : public BlobTest {};

TEST_F(BlobStoreTest, AnIdIsTheSha256OfTheContent) {
  const BlobRef ref = put(core::as_bytes("abc"));
  EXPECT_EQ(ref.bytes, 3U);
  EXPECT_EQ(to_string(ref.id), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(parse_blob_id(to_string(ref.id)), ref.id);
  EXPECT_EQ(file(ref), directory_.path() / "blobs" / "ba" /
                           "7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (const std::string& wrong : {std::string(), to_string(ref.id).substr(1),
                                   to_string(ref.id) + "0", "BA" + to_string(ref.id).substr(2)})
    EXPECT_FALSE(parse_blob_id(wrong)) << wrong;
}

TEST_F(BlobStoreTest, WhatIsPutIsThereWhateverItsSize) {
  for (const auto kind : {Content::noise, Content::words, Content::mixed})
    for (const std::size_t size : {0U, 1U, 7U, 8U, 88U, 4095U, 4096U, 4097U, 8192U, 70'000U}) {
      const core::Bytes content = content_of(kind, size, size);
      const BlobRef ref = put(content);
      ASSERT_EQ(ref.bytes, size);
      ASSERT_EQ(ref.id, ContentHash::of(content).value());
      ASSERT_EQ(get(ref).value(), content) << size;
      for (const std::size_t piece : {1000U, 4096U, 100'000U})
        ASSERT_EQ(streamed(*blobs().open(ref).value(), piece).value(), content) << size;
      ASSERT_TRUE(blobs().check(ref));
    }
  EXPECT_EQ(damages(), "");
  EXPECT_EQ(files_in(unfinished()), 0U);
}

TEST_F(BlobStoreTest, WhatShrinksTakesLessRoomAndWhatDoesNotNotMuchMore) {
  const BlobRef words = put(content_of(Content::words, 100'000, 1));
  const BlobRef noise = put(content_of(Content::noise, 100'000, 1));
  EXPECT_LT(fs::file_size(file(words)), 10'000U);
  EXPECT_EQ(fs::file_size(file(noise)), 100'000U + kBlobHeaderBytes + 25 * kBlobRowBytes);
}

TEST_F(BlobStoreTest, NothingIsMadeBeforeThereIsABlob) {
  EXPECT_EQ(files_in(directory_.path()), 0U);
  EXPECT_EQ(listed().size(), 0U);
  EXPECT_EQ(damages(), "");
  const BlobRef nowhere{ContentHash::of({}).value(), 0};
  expect_error(get(nowhere).error(), Code::not_found, "Restore it from a backup", nowhere);
  EXPECT_EQ(files_in(directory_.path()), 0U);
}

TEST_F(BlobStoreTest, OnlyTheOwnerMayReadWhatIsMade) {
  const BlobRef ref = put(core::as_bytes("secret"));
  for (const fs::path& directory : {blobs().place().root(), file(ref).parent_path()})
    EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all) << directory;
  EXPECT_EQ(fs::status(file(ref)).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(BlobStoreTest, EqualContentIsStoredOnceAndNotWrittenAgain) {
  const core::Bytes content = content_of(Content::mixed, 30'000, 3);
  const BlobRef ref = put(content);
  const std::uint64_t before = inode(file(ref));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(put(content), ref);
  EXPECT_EQ(inode(file(ref)), before);
  // Another process does not know it yet.
  open();
  EXPECT_EQ(put(content), ref);
  EXPECT_EQ(inode(file(ref)), before);
  const auto writer = store_->begin(Durability::full).value();
  ASSERT_TRUE(writer->append(content));
  EXPECT_EQ(files_in(unfinished()), 1U);
  EXPECT_EQ(writer->finish().value(), ref);
  EXPECT_EQ(inode(file(ref)), before);
  EXPECT_EQ(files_in(unfinished()), 0U) << "while the writer is still there";
  EXPECT_EQ(listed().size(), 1U);
}

TEST_F(BlobStoreTest, WhatThisProcessPutLatelyIsNotEvenWrittenToBeLetGo) {
  const core::Bytes content = content_of(Content::noise, 30'000, 3);
  put(content);
  // Nothing could be written there.
  fs::remove_all(unfinished());
  EXPECT_TRUE(store_->put(content, Durability::full));
  EXPECT_FALSE(store_->put(content_of(Content::noise, 30'000, 4), Durability::full));
}

TEST_F(BlobStoreTest, ADamagedFileIsReplacedWhenItsContentIsPutAgain) {
  const core::Bytes content = content_of(Content::mixed, 30'000, 3);
  const BlobRef ref = put(content);
  const std::string good = bytes_of(file(ref));
  const std::vector<std::string> wrong{std::string(), good.substr(0, 50), good.substr(0, 9000),
                                       std::string(good.size(), '\0'), "x" + good.substr(1)};
  std::string torn = good;
  torn.replace(5000, 1000, 1000, '\0');
  for (const bool is_streamed : {false, true})
    for (std::string bytes : {wrong[0], wrong[1], wrong[2], wrong[3], wrong[4], torn}) {
      set_bytes(file(ref), bytes);
      ASSERT_EQ(get(ref).error().code, Code::corrupt);
      open();
      if (is_streamed) {
        const auto writer = store_->begin(Durability::full).value();
        ASSERT_TRUE(writer->append(content));
        ASSERT_EQ(writer->finish().value(), ref);
      } else {
        ASSERT_EQ(put(content), ref);
      }
      ASSERT_EQ(get(ref).value(), content);
    }
}

TEST_F(BlobStoreTest, AFileThatWasTakenAwayIsWrittenAgain) {
  const core::Bytes content = content_of(Content::words, 30'000, 3);
  const BlobRef ref = put(content);
  fs::remove(file(ref));
  EXPECT_EQ(put(content), ref);
  EXPECT_EQ(get(ref).value(), content);
}

TEST_F(BlobStoreTest, ABlobOfANewerFormatIsNotReplaced) {
  const core::Bytes content = content_of(Content::words, 30'000, 3);
  const BlobRef ref = put(content);
  patch(file(ref), 12, std::string(1, '\2'));
  const std::string newer = bytes_of(file(ref));
  expect_error(get(ref).error(), Code::newer_format, "version 2", ref);
  open();
  EXPECT_EQ(store_->put(content, Durability::full).error().code, Code::newer_format);
  EXPECT_EQ(bytes_of(file(ref)), newer);
}

TEST_F(BlobStoreTest, AnAbandonedWriterLeavesNothing) {
  {
    const auto writer = store_->begin(Durability::full).value();
    ASSERT_TRUE(writer->append(content_of(Content::noise, 30'000, 1)));
    EXPECT_EQ(files_in(unfinished()), 1U);
  }
  EXPECT_EQ(files_in(unfinished()), 0U);
  EXPECT_EQ(listed().size(), 0U);
}

TEST_F(BlobStoreTest, AWriterIsFinishedOnce) {
  const auto writer = store_->begin(Durability::full).value();
  ASSERT_TRUE(writer->append(core::as_bytes("once")));
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(writer->finish().error().code, Code::misuse);
  EXPECT_EQ(writer->append(core::as_bytes("more")).error().code, Code::misuse);
}

TEST_F(BlobStoreTest, WhatAnEarlierProcessLeftUnfinishedGoesWhenTheNextOneOpens) {
  put(core::as_bytes("so that there are directories"));
  set_bytes(unfinished() / "1", "half");
  set_bytes(unfinished() / "77", "half");
  EXPECT_EQ(damages(), "") << "it is no blob's";
  open();
  EXPECT_EQ(files_in(unfinished()), 0U);
  EXPECT_EQ(put(core::as_bytes("another")).bytes, 7U);
  EXPECT_EQ(listed().size(), 2U);
}

TEST_F(BlobStoreTest, ChunkSizesThatCantBeAreRefused) {
  for (const std::uint32_t size : {0U, 1U, 2048U, 4097U, 12'288U, 1U << 23U})
    EXPECT_EQ(BlobStore::open(directory_.path(), {.chunk_bytes = size}).error().code, Code::misuse)
        << size;
}

TEST_F(BlobStoreTest, AStoreReadsWhatOneWithOtherChunksWrote) {
  const core::Bytes content = content_of(Content::mixed, 300'000, 9);
  const BlobRef ref = put(content);
  options_.chunk_bytes = kBlobChunkBytesMax;
  open();
  EXPECT_EQ(get(ref).value(), content);
  EXPECT_EQ(put(content), ref);
  fs::remove(file(ref));
  EXPECT_EQ(put(content), ref);
  EXPECT_EQ(get(ref).value(), content);
}

TEST_F(BlobStoreTest, RangesAreReadWithoutTheRest) {
  const core::Bytes content = content_of(Content::mixed, 40'000, 5);
  const BlobRef ref = put(content);
  // Damage far away does not matter to a range, and does to the whole.
  flip(file(ref), fs::file_size(file(ref)) - 11 * kBlobRowBytes - 100);
  flip(file(ref), kBlobHeaderBytes + 3);
  const auto reader = blobs().open(ref).value();
  core::Bytes part(9000);
  EXPECT_EQ(reader->read_at(10'000, part).value(), part.size());
  EXPECT_TRUE(std::ranges::equal(part, core::ByteView(content).subspan(10'000, 9000)));
  expect_error(reader->read_at(100, part).error(), Code::corrupt, "chunk 0", ref);
  EXPECT_EQ(reader->read_at(40'000, part).value(), 0U);
  EXPECT_EQ(reader->read_at(~std::uint64_t{0}, part).value(), 0U);
  EXPECT_FALSE(get(ref));
}

TEST_F(BlobStoreTest, AStreamGoesOnWhereItStoodWhateverRangesAreRead) {
  const core::Bytes content = content_of(Content::words, 20'000, 5);
  const auto reader = blobs().open(put(content)).value();
  core::Bytes part(3000);
  core::Bytes all;
  for (std::uint64_t i = 0; all.size() < content.size(); ++i) {
    const std::size_t count = reader->read(part).value();
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
    ASSERT_TRUE(reader->read_at(i * 7919 % 20'000, part));
  }
  EXPECT_EQ(all, content);
}

TEST_F(BlobStoreTest, GetKeepsToItsLimitAndToTheReference) {
  const core::Bytes content = content_of(Content::words, 20'000, 5);
  const BlobRef ref = put(content);
  EXPECT_EQ(blobs().get(ref, 20'000).value(), content);
  EXPECT_EQ(blobs().get(ref, 19'999).error().code, Code::too_large);
  for (const std::uint64_t bytes : {0UL, 19'999UL, 20'001UL}) {
    const BlobRef wrong{ref.id, bytes};
    expect_error(get(wrong).error(), Code::corrupt, "record that refers to it", ref);
    EXPECT_EQ(blobs().open(wrong).error().code, Code::corrupt);
  }
}

TEST_F(BlobStoreTest, ABlobUnderAnothersNameIsSaidSo) {
  const BlobRef one = put(content_of(Content::noise, 9000, 1));
  const BlobRef other = put(content_of(Content::noise, 9000, 2));
  fs::copy_file(file(one), file(other), fs::copy_options::overwrite_existing);
  expect_error(get(other).error(), Code::corrupt, "it is the blob " + to_string(one.id), other);
  EXPECT_TRUE(get(one));
}

/// The sizes are the same, and each chunk has the checksum that its row says.
TEST_F(BlobStoreTest, AHeaderBelongsToItsChunks) {
  const BlobRef one = put(content_of(Content::noise, 9000, 1));
  const BlobRef other = put(content_of(Content::noise, 9000, 2));
  patch(file(other), kBlobHeaderBytes, bytes_of(file(one)).substr(kBlobHeaderBytes));
  const auto opened = blobs().open(other);
  ASSERT_FALSE(opened);
  expect_error(opened.error(), Code::corrupt, "checksum of its index", other);
}

TEST_F(BlobStoreTest, WhatIsNoFileIsSaidSo) {
  const BlobRef ref = put(core::as_bytes("gone"));
  fs::remove(file(ref));
  fs::create_directory(file(ref));
  expect_error(get(ref).error(), Code::corrupt, "not a file", ref);
  fs::remove(file(ref));
  ASSERT_EQ(::mkfifo(file(ref).c_str(), 0600), 0);
  expect_error(get(ref).error(), Code::corrupt, "not a file", ref);
}

TEST_F(BlobStoreTest, TheCheckReadsEverythingAndTellsWhatIsNoBlob) {
  std::vector<BlobRef> refs;
  for (std::uint64_t i = 0; i < 20; ++i) refs.push_back(put(content_of(Content::mixed, 9000, i)));
  ASSERT_EQ(listed().size(), 20U);
  ASSERT_EQ(damages(), "");
  flip(file(refs[7]), 2000);
  const fs::path stray = blobs().place().root() / "readme";
  set_bytes(stray, "hello");
  const fs::path misplaced = file(refs[3]).parent_path() / "short";
  set_bytes(misplaced, "hello");
  std::uint64_t bytes = 0;
  std::vector<std::string> damaged;
  ASSERT_TRUE(blobs().check_all([&](const CheckedBlob& blob) -> Result<void> {
    bytes += blob.bytes;
    if (blob.id) EXPECT_EQ(blob.stored_bytes, fs::file_size(blob.file));
    if (blob.damage) damaged.push_back(blob.file.string());
    return success();
  }));
  EXPECT_EQ(bytes, 20U * 9000);
  std::vector<std::string> expected{file(refs[7]).string(), stray.string(), misplaced.string()};
  std::ranges::sort(damaged);
  std::ranges::sort(expected);
  EXPECT_EQ(damaged, expected);
  EXPECT_EQ(listed().size(), 20U);
}

/// Every chunk is right, and the header too; only the content is another's.
TEST_F(BlobStoreTest, TheCheckHoldsContentAgainstItsIdAndSoDoesGet) {
  const core::Bytes content = content_of(Content::words, 9000, 1);
  const BlobRef ref = put(content);
  RawBlobHeader raw{};
  const std::string bytes = bytes_of(file(ref));
  std::memcpy(raw.data(), bytes.data(), raw.size());
  BlobHeader header = decode_blob_header(raw, bytes.size()).value();
  header.id = ContentHash::of(core::as_bytes("something else")).value();
  const BlobRef forged{header.id, 9000};
  fs::create_directories(file(forged).parent_path());
  set_bytes(file(forged), bytes);
  patch(file(forged), 0, core::as_text(encode(header)));
  expect_error(get(forged).error(), Code::corrupt, "other content", forged);
  expect_error(blobs().check(forged).error(), Code::corrupt, "other content", forged);
  EXPECT_NE(damages().find("other content"), std::string::npos);
  EXPECT_TRUE(get(ref));
}

}  // namespace
}  // namespace perdure::journal
