// A blob's file as docs/journal_format.md spells it out, and what is said of one that is not so.
#include "tests/journal/blob_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace perdure::journal {
namespace {

class BlobFormatTest : public BlobTest {
 protected:
  BlobFormatTest() : BlobTest(kBlobChunkBytes) {}
};

/// The document's example.
TEST_F(BlobFormatTest, TheDocumentsBlobIsWhatIsWritten) {
  const BlobRef ref = put(core::as_bytes("abc"));
  EXPECT_EQ(core::to_hex(core::as_bytes(bytes_of(file(ref)))),
            "706572647572652d626c6f6201000000"
            "ba7816bf8f01cfea414140de5dae2223"
            "b00361a396177a9cb410ff61f20015ad"
            "03000000000000005b00000000000000"
            "0000100000000000f451aabb11f0578f"
            "f11324771714bc1a6162635800000000"
            "000000030000000000000050392f8994"
            "5faf78");
}

/// Any bit of the header: the version says that it is newer, everything else is damage.
TEST_F(BlobFormatTest, ADamagedHeaderIsRefused) {
  const BlobRef ref = put(core::as_bytes("abc"));
  const std::string good = bytes_of(file(ref));
  for (std::size_t bit = 0; bit < kBlobHeaderBytes * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    replace(ref, bytes);
    const bool is_version = bit / 32 == 3 && bit % 32 != 0;
    const auto opened = blobs().open(ref);
    ASSERT_FALSE(opened) << bit;
    expect_error(opened.error(), is_version ? Code::newer_format : Code::corrupt, "", ref);
  }
}

class SealedHeaderTest : public BlobFormatTest {
 protected:
  SealedHeaderTest() {
    RawBlobHeader raw{};
    good_ = bytes_of(file(ref_));
    std::memcpy(raw.data(), good_.data(), raw.size());
    header_ = decode_blob_header(raw, good_.size()).value();
  }
  /// The error of a file that begins with this, with a checksum that holds.
  Error error_of(const RawBlobHeader& raw) {
    RawBlobHeader sealed = raw;
    const std::uint64_t checksum = core::checksum(core::ByteView(raw).first(80));
    std::memcpy(sealed.data() + 80, &checksum, sizeof checksum);
    patch(file(ref_), 0, core::as_text(sealed));
    const auto opened = blobs().open(ref_);
    return opened ? Error{Code::user, "it was opened"} : opened.error();
  }
  Error error_of(const BlobHeader& header) { return error_of(encode(header)); }

  BlobRef ref_ = put(core::as_bytes("abc"));
  std::string good_;
  BlobHeader header_;
};

TEST_F(SealedHeaderTest, NumbersThatDontFitTheFileAreRefused) {
  ASSERT_EQ(error_of(header_).code, Code::user);
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{kBlobChunkBytes} + 1, ~std::uint64_t{0}}) {
    BlobHeader header = header_;
    header.bytes = bytes;
    expect_error(error_of(header), Code::corrupt, "not what its header says", ref_);
  }
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{87}, std::uint64_t{90},
                                    std::uint64_t{92}, std::uint64_t{116}, ~std::uint64_t{0}}) {
    BlobHeader header = header_;
    header.index = index;
    expect_error(error_of(header), Code::corrupt, "not what its header says", ref_);
  }
  for (const std::uint32_t size : {0U, 1U, 4095U, 2048U, 1U << 23U, 3U << 20U, ~0U}) {
    BlobHeader header = header_;
    header.chunk_bytes = size;
    expect_error(error_of(header), Code::corrupt, "its chunks have", ref_);
  }
}

TEST_F(SealedHeaderTest, WhatIsNewerIsSaidSo) {
  RawBlobHeader raw = encode(header_);
  raw[68] = std::byte{1};
  expect_error(error_of(raw), Code::newer_format, "flags (1)", ref_);
  raw = encode(header_);
  raw[12] = std::byte{9};
  expect_error(error_of(raw), Code::newer_format, "version 9", ref_);
  raw[12] = std::byte{0};
  expect_error(error_of(raw), Code::corrupt, "header is damaged", ref_);
}

TEST_F(SealedHeaderTest, ARowIsHeldAgainstTheFile) {
  const auto error_with = [&](const BlobRow& row) {
    const RawBlobRow raw = encode(row);
    patch(file(ref_), 91, core::as_text(raw));
    BlobHeader header = header_;
    header.index_checksum = with_row(0, raw);
    EXPECT_EQ(error_of(header).code,
              row.place == 88 && row.stored == 3 ? Code::user : Code::corrupt);
    const auto opened = blobs().open(ref_);
    return opened ? opened.value()->check().error() : opened.error();
  };
  const std::uint64_t checksum = core::checksum(core::as_bytes("abc"));
  const BlobRow good{.place = 88, .stored = 3, .form = BlobForm::raw, .checksum = checksum};
  BlobRow row = good;
  row.form = static_cast<BlobForm>(2);
  expect_error(error_with(row), Code::newer_format, "form 2", ref_);
  row.form = BlobForm::zstd;
  expect_error(error_with(row), Code::corrupt, "size that can't be", ref_);
  row = good;
  row.checksum += 1;
  expect_error(error_with(row), Code::corrupt, "checksum of chunk 0", ref_);
  for (const std::uint32_t stored : {0U, 2U, 4U, ~0U}) {
    row = good;
    row.stored = stored;
    expect_error(error_with(row), Code::corrupt, "back to back", ref_);
  }
  row = good;
  row.place = 87;
  expect_error(error_with(row), Code::corrupt, "back to back", ref_);
}

TEST(BlobRows, LeadNowhereButIntoTheFile) {
  const BlobHeader header{.id = {}, .bytes = 5000, .index = 4000, .chunk_bytes = 4096};
  const auto decoded = [&](std::uint64_t place, std::uint32_t stored, BlobForm form,
                           std::uint64_t number) {
    return decode_blob_row(encode(BlobRow{place, stored, form, 1}), header, number).has_value();
  };
  EXPECT_TRUE(decoded(88, 904, BlobForm::raw, 1));
  EXPECT_FALSE(decoded(88, 905, BlobForm::raw, 1));
  EXPECT_TRUE(decoded(88, 3912, BlobForm::zstd, 0));
  EXPECT_FALSE(decoded(88, 3913, BlobForm::zstd, 0)) << "into the index";
  EXPECT_FALSE(decoded(87, 10, BlobForm::zstd, 0));
  EXPECT_FALSE(decoded(4001, 1, BlobForm::zstd, 0));
  EXPECT_FALSE(decoded(~std::uint64_t{0}, 10, BlobForm::zstd, 0)) << "its end would wrap around";
  EXPECT_FALSE(decoded(88, 0, BlobForm::zstd, 0));
  EXPECT_FALSE(decoded(88, 904, BlobForm::zstd, 1)) << "no smaller than its content";
}

}  // namespace
}  // namespace perdure::journal
