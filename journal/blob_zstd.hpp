/// Compression of a blob's chunks.
///
/// What this is: zstd, at its fastest ordinary level, for one chunk at a time.
/// What it promises: what does not shrink by an eighth is found out at a small cost, by samples.
/// Expanding writes within the room it is given and allocates nothing that the bytes ask for.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace perdure::journal {

/// Thread: one at a time.
class ChunkCompressor {
 public:
  ChunkCompressor();
  /// One zstd frame, smaller than `chunk` by an eighth at least; empty where that can't be had (or
  /// does not look like it). Valid until the next call.
  [[nodiscard]] std::optional<core::ByteView> shrink(core::ByteView chunk);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  bool promises(core::ByteView chunk);
  void make_room(std::size_t bytes);
  std::size_t compress(core::ByteView from, std::size_t room) noexcept;

  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::unique_ptr<std::byte[]> out_;
  std::size_t room_ = 0;
};

/// Thread: one at a time.
class ChunkExpander {
 public:
  /// Fills `out` from `frame`, which is one zstd frame of exactly that content. False where it is
  /// not; then `out` holds anything. Errors: `unsupported`: no memory.
  [[nodiscard]] Result<bool> expand(core::ByteView frame, std::span<std::byte> out);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace perdure::journal
