// Blobs on bad disks: full ones, failing writes and syncs, and read-only ones; and the order in
// which a good one is asked. The calls fail in this very process (blob_calls.hpp).
#include "journal/blob_hash.hpp"
#include "tests/disks/blob_calls.hpp"
#include "tests/disks/child.hpp"
#include "tests/disks/mounts.hpp"
#include "tests/journal/blob_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <thread>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;
using journal::BlobRef;
using journal::BlobStore;
using journal::Content;
using journal::content_of;
using journal::Durability;
using What = BlobCall::What;

class BlobDiskTest : public journal::BlobTest {
 protected:
  BlobDiskTest() { record_blob_calls(directory_.path().string()); }
  ~BlobDiskTest() override {
    blob_faults.clear();
    record_blob_calls({});
  }
  /// A new process, whose calls are written down from here on.
  void begin_anew() {
    open();
    record_blob_calls(directory_.path().string());
  }
  [[nodiscard]] std::string name(const BlobRef& ref) const {
    return fs::relative(file(ref), directory_.path()).string();
  }
  static std::size_t count(What what) {
    const auto calls = blob_calls();
    return static_cast<std::size_t>(std::ranges::count(calls, what, &BlobCall::what));
  }
  /// What would be lost with the power now, if it had been acknowledged that `ref` is durable:
  /// whatever stands in its way to the disk and was written down after its last sync.
  [[nodiscard]] std::string not_durable(const BlobRef& ref) const {
    std::set<std::string> dirty;
    for (const BlobCall& call : blob_calls()) {
      const auto parent = [](const std::string& path) {
        const std::string above = fs::path(path).parent_path().string();
        return above.empty() ? std::string(".") : above;
      };
      switch (call.what) {
        case What::write: dirty.insert(call.path); break;
        case What::sync: dirty.erase(call.path); break;
        case What::make: dirty.insert(parent(call.path)); break;
        case What::rename:
          if (dirty.erase(call.path) != 0) return call.path + " was renamed before it was synced";
          dirty.insert(parent(call.to));
          break;
        case What::remove: break;
      }
    }
    for (fs::path path = name(ref); !path.empty(); path = path.parent_path())
      if (dirty.contains(path.string())) return path.string();
    return dirty.contains(".") ? "." : "";
  }

  const core::Bytes content_ = content_of(Content::mixed, 30'000, 1);
};

TEST_F(BlobDiskTest, AFileIsSyncedBeforeItHasANameAndTheNameBeforeItIsAcknowledged) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const BlobRef ref = put(content_of(Content::mixed, 10'000, i));
    ASSERT_EQ(not_durable(ref), "");
    ASSERT_EQ(count(What::rename), i + 1);
  }
}

TEST_F(BlobDiskTest, WithoutDurabilityNothingIsSynced) {
  const BlobRef ref = put(content_, Durability::none);
  put(content_, Durability::none);
  EXPECT_EQ(count(What::sync), 0U);
  EXPECT_NE(not_durable(ref), "");
  // The same content is to be durable then.
  put(content_);
  EXPECT_EQ(count(What::rename), 1U);
  EXPECT_TRUE(std::ranges::count(blob_calls(), BlobCall{What::sync, name(ref)}) == 1);
  EXPECT_EQ(std::ranges::count(blob_calls(),
                               BlobCall{What::sync, fs::path(name(ref)).parent_path().string()}),
            1);
  const std::size_t syncs = count(What::sync);
  put(content_);
  EXPECT_EQ(count(What::sync), syncs) << "it is known to be durable";
}

/// That the file is there does not say that the process that made it lived to sync it.
TEST_F(BlobDiskTest, WhatAnotherProcessLeftIsSyncedBeforeItIsAcknowledged) {
  const BlobRef ref = put(content_, Durability::none);
  begin_anew();
  EXPECT_EQ(put(content_), ref);
  const auto calls = blob_calls();
  EXPECT_EQ(count(What::rename), 0U);
  for (fs::path path = name(ref); !path.empty(); path = path.parent_path())
    EXPECT_EQ(std::ranges::count(calls, BlobCall{What::sync, path.string()}), 1) << path;
  EXPECT_EQ(std::ranges::count(calls, BlobCall{What::sync, "."}), 1);
}

/// One thread has renamed and is about to sync; another one puts the same and is faster.
TEST_F(BlobDiskTest, WhatAnotherThreadHasNotSyncedYetIsSyncedBeforeItIsAcknowledged) {
  const BlobRef ref{journal::ContentHash::of(content_).value(), content_.size()};
  const std::string shelf = fs::path(name(ref)).parent_path().string();
  bool was_synced = false;
  blob_faults.before_shelf_sync = [&] {
    std::thread other([&] {
      EXPECT_TRUE(fs::exists(file(ref)));
      EXPECT_EQ(put(content_), ref);
      was_synced = std::ranges::count(blob_calls(), BlobCall{What::sync, shelf}) == 1;
    });
    other.join();
  };
  EXPECT_EQ(put(content_), ref);
  EXPECT_TRUE(was_synced);
  EXPECT_EQ(count(What::rename), 1U);
}

TEST_F(BlobDiskTest, AFullDiskLeavesNothingAndPasses) {
  put(core::as_bytes("so that the directories are there"));
  const auto before = listed();
  // At its first byte, within each chunk, in the index, and in the header.
  for (const long room : {0L, 1L, 4096L, 10'000L, 29'000L, 29'900L}) {
    blob_faults.write = ENOSPC;
    blob_faults.bytes_left = room;
    const auto put = store_->put(content_of(Content::noise, 30'000, 2), Durability::full);
    ASSERT_FALSE(put) << room;
    EXPECT_EQ(put.error().code, Code::storage_full);
    EXPECT_EQ(files_in(unfinished()), 0U);
    EXPECT_EQ(listed(), before);
    // A writer says so each time, and holds no room while it is there.
    blob_faults.bytes_left = room;
    const auto writer = store_->begin(Durability::full).value();
    const core::Bytes content = content_of(Content::noise, 40'000, 3);
    EXPECT_EQ(writer->append(content).error().code, Code::storage_full);
    EXPECT_EQ(files_in(unfinished()), 0U);
    blob_faults.clear();
    EXPECT_EQ(writer->append(content).error().code, Code::storage_full);
    EXPECT_EQ(writer->finish().error().code, Code::storage_full);
  }
  EXPECT_TRUE(store_->put(content_of(Content::noise, 30'000, 2), Durability::full));
}

TEST_F(BlobDiskTest, ADiskThatIsFullAtTheSyncOrTheDirectoryPassesToo) {
  blob_faults.make = ENOSPC;
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_full);
  blob_faults.clear();
  blob_faults.file_sync = ENOSPC;
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_full);
  blob_faults.clear();
  blob_faults.rename = ENOSPC;
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_full);
  blob_faults.clear();
  EXPECT_EQ(files_in(unfinished()), 0U);
  EXPECT_EQ(listed().size(), 0U);
  EXPECT_EQ(get(put(content_)).value(), content_);
}

TEST_F(BlobDiskTest, AWriteThatFailsIsToldAndTheNextOneMayDo) {
  for (std::atomic<int>* fault : {&blob_faults.write, &blob_faults.rename}) {
    *fault = EIO;
    EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_failed);
    blob_faults.clear();
    EXPECT_EQ(files_in(unfinished()), 0U);
    EXPECT_EQ(listed().size(), 0U);
  }
  EXPECT_TRUE(store_->put(content_, Durability::full));
}

class EndOfBlobsTest : public BlobDiskTest,
                       public testing::WithParamInterface<std::atomic<int>*> {};

/// The second sync may succeed with the data lost.
TEST_P(EndOfBlobsTest, NothingIsAcknowledgedAfterASyncThatFailed) {
  const BlobRef before = put(core::as_bytes("before"));
  *GetParam() = EIO;
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_failed);
  blob_faults.clear();
  for (const auto durability : {Durability::full, Durability::none}) {
    EXPECT_EQ(store_->put(content_, durability).error().code, Code::storage_failed);
    EXPECT_EQ(store_->put(core::as_bytes("before"), durability).error().code, Code::storage_failed);
    EXPECT_EQ(store_->begin(durability).error().code, Code::storage_failed);
  }
  EXPECT_TRUE(get(before));
  EXPECT_EQ(files_in(unfinished()), 0U);
  begin_anew();
  const BlobRef ref = put(content_);
  EXPECT_EQ(not_durable(ref), "");
  EXPECT_EQ(get(ref).value(), content_);
  EXPECT_EQ(damages(), "");
}

INSTANTIATE_TEST_SUITE_P(OfAFileOrADirectory, EndOfBlobsTest,
                         testing::Values(&blob_faults.file_sync, &blob_faults.directory_sync));

/// Of what was there, the sync that is to make it durable fails.
TEST_P(EndOfBlobsTest, NorAfterOneOfWhatWasThere) {
  put(content_, Durability::none);
  begin_anew();
  *GetParam() = ENOSPC;
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_failed);
  blob_faults.clear();
  EXPECT_EQ(store_->put(content_, Durability::full).error().code, Code::storage_failed);
}

TEST_F(BlobDiskTest, ASmallDiskIsFullAndGoesOnWhenThereIsRoom) {
  const int status = in_child([&] {
    if (!mount_small(directory_.path(), 1U << 20U)) return kNoMounts;
    open();
    std::uint64_t next = 0;
    for (; next < 100; ++next) {
      const auto put = store_->put(content_of(Content::noise, 50'000, next), Durability::full);
      if (put) continue;
      if (put.error().code != Code::storage_full) return 1;
      break;
    }
    if (next < 5 || next == 100 || files_in(unfinished()) != 0 || !damages().empty()) return 2;
    if (listed().size() != next) return 3;
    fs::remove(blobs().place().file(listed().front()));
    fs::remove(blobs().place().file(listed().front()));
    if (!store_->put(content_of(Content::noise, 50'000, next), Durability::full)) return 4;
    return damages().empty() ? 0 : 5;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(BlobDiskTest, AReadOnlyFileSystemIsReadAndNotWritten) {
  const BlobRef ref = put(content_);
  const int status = in_child([&] {
    if (!mount_read_only(directory_.path())) return kNoMounts;
    const journal::BlobDirectory reading(directory_.path());
    if (reading.get(ref, content_.size()).value() != content_ || !reading.check(ref)) return 1;
    const auto put = store_->put(core::as_bytes("more"), Durability::full);
    return !put && put.error().message.find("Mount it writable") != std::string::npos ? 0 : 2;
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(BlobDiskTest, WithoutPermissionToWriteItIsReadAndWithoutAnyItIsSaidSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  constexpr uid_t kNobody = 65534;
  const BlobRef readable = put(content_);
  const BlobRef hidden = put(core::as_bytes("hidden"));
  // Its group stays what it was.
  const auto may = fs::perms::others_read | fs::perms::group_read;
  const auto enter = may | fs::perms::others_exec | fs::perms::group_exec;
  fs::permissions(directory_.path(), enter, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path()))
    if (entry.is_directory()) fs::permissions(entry.path(), enter, fs::perm_options::add);
  fs::permissions(file(readable), may, fs::perm_options::add);
  EXPECT_EQ(in_child([&] {
              if (::setuid(kNobody) != 0) return 9;
              const journal::BlobDirectory reading(directory_.path());
              if (reading.get(readable, kNobody).value() != content_) return 1;
              const auto refused = reading.get(hidden, kNobody);
              if (refused || refused.error().code != Code::misuse) return 2;
              const auto put = store_->put(core::as_bytes("more"), Durability::full);
              return !put && put.error().code == Code::misuse ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace perdure::test
