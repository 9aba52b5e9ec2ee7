/// A value over the limit of values, which takes no memory.
#pragma once

#include <perdure/codec.hpp>

#include "core/limits.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>

namespace perdure::test {

/// Its codec writes one byte more than a value may have; nobody touches them.
struct Huge {};

/// Zeros that are nowhere until somebody reads them.
[[nodiscard]] inline ByteView huge_bytes() {
  constexpr std::size_t kBytes = core::limits::kPayloadBytes + 1;
  static void* const place =
      ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) std::abort();
  return {static_cast<const std::byte*>(place), kBytes};
}

}  // namespace perdure::test

template <>
struct perdure::Codec<perdure::test::Huge> {
  static void write(Writer& writer, const perdure::test::Huge&) {
    writer.bytes(perdure::test::huge_bytes());
  }
  static Result<void> read(const Reader& reader, perdure::test::Huge&) { return reader.null(); }
  static constexpr std::string_view type_name() { return "huge"; }
};
