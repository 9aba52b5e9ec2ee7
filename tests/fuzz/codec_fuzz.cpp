// Payloads from anywhere, read as C++ types and as JSON.
#include <perdure/codec.hpp>
#include <perdure/describe.hpp>

#include "core/bytes.hpp"
#include "journal/payload_json.hpp"
#include "tests/fuzz/property.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace perdure::fuzz {

enum class Shape : std::uint8_t { round, square };
PERDURE_DESCRIBE_ENUM(Shape, round, square);

struct Point {
  double x = 0;
  float y = 0;
};
PERDURE_DESCRIBE(Point, x, y);

struct Tree {
  std::int64_t number = 0;
  std::string text;
  std::vector<std::byte> bytes;
  Shape shape = Shape::round;
  std::optional<Point> point;
  std::map<std::string, std::uint16_t> counts;
  std::set<std::int32_t> set;
  std::variant<bool, Point, std::vector<std::string>> choice;
  std::tuple<std::int8_t, bool> pair;
  std::array<std::uint32_t, 3> three{};
  std::chrono::milliseconds delay{0};
  std::vector<Tree> children;
};
PERDURE_DESCRIBE(Tree, number, text, bytes, shape, point, counts, set, choice, pair, three, delay,
                 children);

namespace {

/// What reads as a `T` can be written, and reads and writes the same from then on.
template <class T>
void read_write_read(ByteView payload) {
  const Result<T> value = decode<T>(payload);
  if (value.has_error()) {
    require(value.error().code == Code::undecodable, "what cannot be read is undecodable",
            value.error().message);
    return;
  }
  const Result<Bytes> once = encode(value.value());
  require(once.has_value(), "what was read can be written",
          once.has_error() ? once.error().message : "");
  const Result<T> second = decode<T>(once.value());
  require(second.has_value(), "what was written can be read",
          second.has_error() ? second.error().message : "");
  const Result<Bytes> twice = encode(second.value());
  require(twice.has_value() && twice.value() == once.value(), "it is written the same again");
}

void show(ByteView payload) {
  const Result<void> checked = journal::check_payload(payload);
  const Result<std::string> text = journal::payload_to_json(payload);
  require(checked.has_value() == text.has_value(), "a payload that can be read can be shown",
          checked.has_error() ? checked.error().message : "");
  if (text.has_error()) return;
  const Result<Bytes> back = journal::json_to_payload(text.value());
  if (back.has_error()) {
    // Keys that are no UTF-8 may become equal when they are shown.
    require(back.error().message.find("twice") != std::string::npos,
            "what is shown can be given back", back.error().message + "\n" + text.value());
    return;
  }
  const Result<std::string> again = journal::payload_to_json(back.value());
  require(again.has_value(), "what was given back can be shown");
}

}  // namespace
}  // namespace perdure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  const ByteView payload = std::as_bytes(std::span(data, size));
  fuzz::show(payload);
  fuzz::read_write_read<fuzz::Tree>(payload);
  fuzz::read_write_read<std::vector<fuzz::Point>>(payload);
  fuzz::read_write_read<std::map<std::string, std::vector<std::int64_t>>>(payload);
  fuzz::read_write_read<std::variant<std::string, double, fuzz::Tree>>(payload);
  fuzz::read_write_read<std::tuple<std::string, std::uint64_t, std::optional<bool>>>(payload);
  fuzz::read_write_read<std::uint8_t>(payload);
  return 0;
}
