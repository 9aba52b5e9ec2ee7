// JSON as people give it, read as a payload.
#include "core/bytes.hpp"
#include "journal/payload_json.hpp"
#include "tests/fuzz/property.hpp"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  using fuzz::require;
  const Result<Bytes> payload =
      journal::json_to_payload(std::string_view(reinterpret_cast<const char*>(data), size));
  if (payload.has_error()) {
    require(payload.error().code == Code::misuse || payload.error().code == Code::too_large,
            "bad JSON is misuse, or too large", payload.error().message);
    return 0;
  }
  const Result<void> checked = journal::check_payload(payload.value());
  require(checked.has_value(), "a payload made of JSON can be read",
          checked.has_error() ? checked.error().message : "");
  const Result<std::string> text = journal::payload_to_json(payload.value());
  require(text.has_value(), "a payload made of JSON can be shown");
  const Result<Bytes> again = journal::json_to_payload(text.value());
  require(again.has_value() && again.value() == payload.value(),
          "what is shown is given back as it was", text.value());
  return 0;
}
