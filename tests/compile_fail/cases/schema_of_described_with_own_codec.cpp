// expect: perdure: the codec of this type says nothing of its JSON; give it `using JsonLike =
// expect: AnotherType;` or `static std::string json_schema()`
#include <perdure/json_schema.hpp>

struct Money {
  std::string text;
};
PERDURE_DESCRIBE(Money, text);
template <>
struct perdure::Codec<Money> {
  static void write(Writer& writer, const Money& value) { writer.text(value.text); }
  static Result<void> read(const Reader& reader, Money& value) {
    return Codec<std::string>::read(reader, value.text);
  }
  static constexpr std::string_view type_name() { return "Money"; }
};

auto schema = perdure::json_schema<Money>();
