/// Payloads of every sort that codecs write.
///
/// What this is: values of each C++ type that can be stored, at the edges where their bytes change,
/// and values drawn at random, which no type describes.
/// What it promises: the same payloads at every call.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"

namespace perdure::format_test {

/// A payload and the name of its type.
using Sample = std::pair<std::string, core::Bytes>;

[[nodiscard]] std::vector<Sample> typed_samples();
/// Lists and maps of all kinds within each other.
[[nodiscard]] Sample random_sample(std::uint64_t seed);
/// The one that docs/journal_format.md spells out.
[[nodiscard]] Sample page_sample();
/// Text whose payload has somewhat more than `bytes` bytes.
[[nodiscard]] Sample text_sample(std::size_t bytes);

}  // namespace perdure::format_test
