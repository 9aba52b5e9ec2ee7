/// Output to a file descriptor that remembers why a write failed.
///
/// What this is: a stream buffer over descriptor 1 or 2. std::cout would only say that something
/// failed.
/// What it promises: after a failed write the stream is bad, nothing more is written, and `failure`
/// says why; a pipe whose reader went away is told from a full disk.
#pragma once

#include <array>
#include <functional>
#include <streambuf>
#include <utility>

namespace perdure::cli {

class DescriptorBuffer final : public std::streambuf {
 public:
  /// Does not own `descriptor`. SIGPIPE is ignored by the process.
  explicit DescriptorBuffer(int descriptor);
  /// Writes what is left, if it can.
  ~DescriptorBuffer() override;
  DescriptorBuffer(const DescriptorBuffer&) = delete;
  DescriptorBuffer& operator=(const DescriptorBuffer&) = delete;

  /// `before` is called ahead of every write, which may wait for as long as nobody reads.
  void before_writing(std::function<void()> before) { before_ = std::move(before); }

  /// errno of the first write that failed; 0: none.
  [[nodiscard]] int failure() const noexcept { return failure_; }

 protected:
  int_type overflow(int_type character) override;
  int sync() override;

 private:
  [[nodiscard]] bool write_out();

  int descriptor_;
  int failure_ = 0;
  std::function<void()> before_;
  std::array<char, 16384> buffer_{};
};

}  // namespace perdure::cli
