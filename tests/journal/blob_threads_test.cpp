// Many threads put, read and remove at once.
#include "tests/journal/blob_fixture.hpp"

#include <atomic>
#include <barrier>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace perdure::journal {
namespace {

constexpr int kThreads = 8;

class BlobThreadsTest : public BlobTest {
 protected:
  /// Runs `body` on several threads that begin together.
  static void together(const std::function<void(int)>& body) {
    std::barrier begin(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        begin.arrive_and_wait();
        body(i);
      });
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(BlobThreadsTest, EqualContentAtOnceIsStoredOnceAndThereForEach) {
  for (std::uint64_t round = 0; round < 20; ++round) {
    const core::Bytes content = content_of(Content::mixed, 10'000 + round, round);
    together([&](int thread) {
      const auto durability = thread % 2 == 0 ? Durability::full : Durability::none;
      const auto ref = store_->put(content, durability);
      ASSERT_TRUE(ref) << ref.error().message;
      ASSERT_EQ(get(ref.value()).value(), content);
    });
    ASSERT_EQ(listed().size(), round + 1);
  }
  EXPECT_EQ(files_in(unfinished()), 0U);
  EXPECT_EQ(damages(), "");
}

TEST_F(BlobThreadsTest, DifferentContentAtOnceIsAllThere) {
  constexpr std::uint64_t kEach = 15;
  together([&](int thread) {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      const std::uint64_t seed = static_cast<std::uint64_t>(thread) * kEach + i;
      const core::Bytes content = content_of(Content::mixed, 6000, seed);
      const auto writer = store_->begin(Durability::none).value();
      for (std::size_t at = 0; at < content.size(); at += 1000)
        ASSERT_TRUE(writer->append(core::ByteView(content).subspan(at, 1000)));
      const auto ref = writer->finish();
      ASSERT_TRUE(ref) << ref.error().message;
      ASSERT_EQ(get(ref.value()).value(), content);
    }
  });
  EXPECT_EQ(listed().size(), kThreads * kEach);
  EXPECT_EQ(damages(), "");
}

/// All threads find the same damaged file.
TEST_F(BlobThreadsTest, ADamagedFileIsReplacedByOneAndSeenByAll) {
  for (std::uint64_t round = 0; round < 10; ++round) {
    const core::Bytes content = content_of(Content::words, 10'000, round);
    const BlobRef ref = put(content);
    flip(file(ref), kBlobHeaderBytes + 5);
    open();
    together([&](int) {
      ASSERT_EQ(store_->put(content, Durability::none).value(), ref);
      ASSERT_EQ(get(ref).value(), content);
    });
  }
}

/// What was put is never taken by somebody who removes everything he may at the same time.
TEST_F(BlobThreadsTest, WhatIsAcknowledgedStaysWhileOthersRemove) {
  constexpr std::uint64_t kContents = 12;
  core::ManualClock clock;
  clock.advance(std::chrono::years(100));
  for (int round = 0; round < 10; ++round) {
    // Blobs of an earlier process, which everybody may remove.
    for (std::uint64_t i = 0; i < kContents; ++i)
      put(content_of(Content::words, 5000, i), Durability::none);
    open();
    std::atomic<std::uint64_t> removed = 0;
    together([&](int thread) {
      for (std::uint64_t i = 0; i < kContents; ++i) {
        if (thread % 2 == 0) {
          const auto removal = store_->remove_unreferenced([](const BlobId&) { return false; },
                                                           std::chrono::seconds(0), clock);
          ASSERT_TRUE(removal) << removal.error().message;
          removed += removal.value().removed;
        } else {
          const core::Bytes content = content_of(Content::words, 5000, i);
          const auto ref = store_->put(content, Durability::none);
          ASSERT_TRUE(ref) << ref.error().message;
          ASSERT_EQ(get(ref.value()).value(), content) << "it was acknowledged";
        }
      }
    });
    ASSERT_EQ(listed().size(), kContents);
  }
}

}  // namespace
}  // namespace perdure::journal
