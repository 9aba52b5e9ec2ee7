/// Where a verb writes, and how.
///
/// What this is: the stream and what the verbs must know of the world around it: the time, the
/// zone, whether it is a terminal.
/// What it does not: own anything. Tests make one over a string stream, with a time of their own.
#pragma once

#include "cli/format.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace perdure::cli {

enum class Format : std::uint8_t { text, json };
enum class Colour : std::uint8_t { off, on };
enum class Ink : std::uint8_t { plain, bold, red, yellow, green };

struct Screen {
  std::ostream& out;
  journal::Stamp now = 0;
  Format format = Format::text;
  Zone zone = Zone::local;
  Colour colour = Colour::off;
  std::size_t columns = 0;  ///< Of the terminal; 0: it is none, and lines may be long.

  /// Whether somebody still reads. A verb stops when not: `perdure runs | head` is no error.
  [[nodiscard]] bool open() const { return out.good(); }
};

/// `text` between the escape sequences of `ink`, or as it is.
[[nodiscard]] std::string inked(std::string_view text, Ink ink, Colour colour);

}  // namespace perdure::cli
