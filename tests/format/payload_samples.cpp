#include "tests/format/payload_samples.hpp"

#include <perdure/codec.hpp>
#include <perdure/describe.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "core/random.hpp"

namespace perdure::format_test {

enum class Colour : std::uint8_t { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
enum class Bare : std::int16_t { some = -300 };

struct Booking {
  std::string id;
  std::int64_t price_cents = 0;
  std::optional<double> rating;
  std::vector<std::string> notes;
};
PERDURE_DESCRIBE(Booking, id, price_cents, rating, notes);
struct Fare {
  std::string id;
  std::int32_t price_cents = 0;
  bool paid = false;
};
PERDURE_DESCRIBE(Fare, id, price_cents, paid);
struct Empty {};
PERDURE_DESCRIBE(Empty);
struct Tree {
  std::vector<Tree> twigs;
};
PERDURE_DESCRIBE(Tree, twigs);

namespace {

Bytes finished(Result<Bytes> bytes) {
  if (bytes.has_value()) return std::move(bytes).assume_value();
  std::cerr << bytes.error().message << '\n';
  std::abort();
}

class Samples {
 public:
  template <class T>
  Samples& add(const T& value) {
    all_.emplace_back(std::string(type_name<T>()), finished(encode(value)));
    return *this;
  }
  template <class T, class... Rest>
  Samples& add_all(const T& value, const Rest&... rest) {
    add(value);
    if constexpr (sizeof...(rest) > 0) add_all(rest...);
    return *this;
  }
  /// What only a codec of a user's own writes.
  template <class Write>
  Samples& raw(std::string type, Write write) {
    Writer writer;
    write(writer);
    all_.emplace_back(std::move(type), finished(writer.finish()));
    return *this;
  }
  std::vector<Sample> take() { return std::move(all_); }

 private:
  std::vector<Sample> all_;
};

template <class T>
using Limits = std::numeric_limits<T>;

void add_numbers(Samples& to) {
  to.add_all(true, false, 'x', '\0', '\xff', Colour::green, Bare::some, std::byte{200});
  to.add_all(std::int8_t{-128}, std::uint8_t{255}, std::int16_t{-129}, std::int16_t{128});
  to.add_all(32767, 32768, -32768, -32769, Limits<std::int32_t>::max(), Limits<std::int32_t>::min(),
             Limits<std::int64_t>::max(), Limits<std::int64_t>::min(), Limits<std::uint64_t>::max(),
             std::uint32_t{4'000'000'000}, char32_t{0x1F600}, std::int64_t{1} << 31U);
  to.add_all(0.0, -0.0, 0.1, 1.5, 1.5F, 0.1F, 1e300, -5e-324, 3.0, Limits<double>::infinity(),
             -Limits<float>::infinity(), Limits<double>::quiet_NaN(), std::nan("7"));
  to.add_all(std::vector<int>{}, std::vector<int>{1, -2, 300},
             std::vector<std::int64_t>{1, 1LL << 40U}, std::vector<bool>{true, false, true},
             std::vector<double>{0.5, 0.1}, std::vector<float>{0.5F, 2.0F},
             std::vector<std::uint64_t>{~0ULL, ~0ULL - 1}, std::vector<std::uint64_t>{1, ~0ULL});
}

void add_texts(Samples& to) {
  to.add_all(std::string(), std::string("Zürich, 東京 😀"), std::string("a\0b", 3),
             std::string("\x1b[31m\n\"\\\x7f"), std::string("bad \xff\xe2\x82 utf-8"),
             std::string(255, 'a'), std::string(256, 'b'), std::string(70'000, 'c'),
             std::string("\xef\xbb\xbf\xe2\x80\xae"));
  to.add_all(std::vector<std::byte>(300, std::byte{7}), std::array<std::byte, 3>{},
             std::vector<unsigned char>{}, std::array<char, 2>{'h', 'i'});
}

void add_containers(Samples& to) {
  to.add_all(std::vector<std::string>(300, "many"), std::deque<std::string>{"a", "b"},
             std::array<int, 3>{1, 2, 3}, std::set<std::string>{"y", "x"},
             std::unordered_set<int>{9, 3, 7}, std::map<int, std::string>{{2, "two"}, {1, "one"}},
             std::unordered_map<std::string, int>{{"b", 2}, {"a", 1}},
             std::vector<std::vector<int>>{{}, {1}, {70'000}});
  to.add_all(std::optional<int>{}, std::optional<int>{4}, std::monostate{},
             std::vector<std::optional<int>>{1, std::nullopt}, std::tuple<>{},
             std::tuple<int, std::string, bool>{1, "two", true}, std::pair<int, double>{1, 2.5},
             std::variant<int, std::string, Booking>{std::string("second")},
             std::variant<std::monostate, int>{});
  to.add_all(
      std::chrono::milliseconds(1500), std::chrono::hours(-2), std::chrono::duration<double>(0.25),
      std::chrono::system_clock::time_point(std::chrono::nanoseconds(1'700'000'000'000'000'001)),
      std::chrono::sys_days(std::chrono::days(19'000)));
  to.add_all(Booking{"F-1", 10'000, 4.5, {"window", ""}}, Booking{}, Empty{},
             std::vector<Booking>(200, Booking{"F-2", 1LL << 40U, {}, {"aisle"}}));
}

Tree tree(int depth) {
  Tree top;
  for (int i = 0; i < depth; ++i) {
    Tree next;
    next.twigs.push_back(std::move(top));
    top = std::move(next);
  }
  return top;
}

void add_raw(Samples& to) {
  to.raw("raw", [](Writer& writer) {
    writer.begin_map();
    for (const char* key : {"", "$x", "$$", "ключ", "bad \xff", "zz", "a"}) {
      writer.key(key);
      writer.text(key);
    }
    writer.end_map();
  });
  to.raw("shop.Order", [](Writer& writer) {
    const std::array<std::byte, 5> bytes{std::byte{1}, std::byte{2}};
    writer.begin_map();
    writer.key("$flatbuffer");
    writer.text("shop.Order");
    writer.key("$bytes");
    writer.bytes(bytes);
    writer.end_map();
  });
  to.raw("raw", [](Writer& writer) {
    writer.begin_map();
    writer.key("$bytes");
    writer.text("a key of the user's");
    writer.end_map();
  });
  // Keys of which some are too long to be stored once, so many that their offsets need two bytes.
  to.raw("raw", [](Writer& writer) {
    writer.begin_list();
    for (int row = 0; row < 20; ++row) {
      writer.begin_map();
      for (int i = 0; i < 300; ++i) {
        writer.key(std::string(static_cast<std::size_t>(i % 90), 'k') + std::to_string(i));
        writer.integer(i % 7 == 0 ? i * 1'000'000LL : i);
      }
      writer.end_map();
    }
    writer.end_list();
  });
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  void value(Writer& writer, unsigned depth) {
    switch (random_.next() % (depth > 5 ? 8U : 11U)) {
      case 0: writer.null(); return;
      case 1: writer.boolean(random_.next() % 2 == 0); return;
      case 2: writer.integer(static_cast<std::int64_t>(number())); return;
      case 3: writer.natural(number()); return;
      case 4: writer.number(static_cast<double>(number()) / 8); return;
      case 5: writer.number(static_cast<double>(random_.next()) * 1e-7); return;
      case 6: writer.text(text()); return;
      case 7: writer.bytes(core::as_bytes(text())); return;
      case 8: map(writer, depth); return;
      default: list(writer, depth); return;
    }
  }

 private:
  /// Of all magnitudes.
  std::uint64_t number() {
    const std::uint64_t drawn = random_.next();
    return drawn >> (random_.next() % 64);
  }
  std::string text() {
    std::string text(random_.next() % (random_.next() % 9 == 0 ? 600 : 12), ' ');
    random_.fill(std::as_writable_bytes(std::span(text)));
    return text;
  }
  void list(Writer& writer, unsigned depth) {
    writer.begin_list();
    for (std::uint64_t i = random_.next() % 9; i > 0; --i) value(writer, depth + 1);
    writer.end_list();
  }
  void map(Writer& writer, unsigned depth) {
    writer.begin_map();
    for (std::uint64_t i = random_.next() % 9; i > 0; --i) {
      writer.key(std::to_string(i) + std::string(random_.next() % 3, 'y'));
      value(writer, depth + 1);
    }
    writer.end_map();
  }

  core::SeededRandom random_;
};

}  // namespace

std::vector<Sample> typed_samples() {
  Samples samples;
  add_numbers(samples);
  add_texts(samples);
  add_containers(samples);
  samples.add(tree(31));
  add_raw(samples);
  return samples.take();
}

Sample random_sample(std::uint64_t seed) {
  Writer writer;
  writer.begin_list();
  Draw(seed).value(writer, 0);
  writer.end_list();
  return {"random", finished(writer.finish())};
}

Sample page_sample() { return {"Fare", finished(encode(Fare{"F-1", 10'000, true}))}; }

Sample text_sample(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + " ";
  return {"string", finished(encode(text))};
}

}  // namespace perdure::format_test
