/// JSON: how it is written.
///
/// What this is: objects put together field by field, and strings quoted for them. Payloads come
/// from the codec as JSON text already and are put in as they are, so that one of 64 MiB costs its
/// text and no tree.
/// What it promises: what comes out is one line of valid UTF-8, safe on a terminal too: control
/// characters and marks that turn the direction of text stand escaped. A byte that is no UTF-8
/// becomes U+FFFD.
/// What it does not: check JSON that is put in (`raw`).
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::cli {

/// `text` as a JSON string, with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);
/// JSON text as one line that a terminal shows and does not obey. `text` is valid JSON.
[[nodiscard]] std::string safe_json(std::string_view text);

/// Fields in the order in which they were added.
class JsonObject {
 public:
  JsonObject& text(std::string name, std::string_view value) {
    return raw(std::move(name), json_string(value));
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonObject& number(std::string name, T value) {
    return raw(std::move(name), std::to_string(value));
  }
  JsonObject& truth(std::string name, bool value) {
    return raw(std::move(name), value ? "true" : "false");
  }
  JsonObject& null(std::string name) { return raw(std::move(name), "null"); }
  JsonObject& object(std::string name, const JsonObject& value) {
    return raw(std::move(name), value.line());
  }
  /// `json` is JSON on one line.
  JsonObject& raw(std::string name, std::string json) {
    fields_.emplace_back(std::move(name), std::move(json));
    return *this;
  }

  [[nodiscard]] std::string line() const;
  /// Names, and values as JSON.
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> fields() const noexcept {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace perdure::cli
