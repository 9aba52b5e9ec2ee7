#include "tests/codec/schema_validator.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace perdure::testing_codec {
namespace {

using Json = nlohmann::json;

const std::set<std::string> kNotes{"description", "contentEncoding", "$defs"};
const std::set<std::string> kOfNumbers{"minimum", "maximum"};
const std::set<std::string> kOfText{"pattern", "minLength", "maxLength"};
const std::set<std::string> kOfArrays{"items", "prefixItems", "minItems", "maxItems",
                                      "uniqueItems"};
const std::set<std::string> kOfObjects{"properties", "required", "additionalProperties",
                                       "propertyNames"};

bool is_of_type(const std::string& type, const Json& value) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type != "integer") throw std::logic_error("unknown type " + type);
  if (!value.is_number()) return false;
  // "Any number with a zero fractional part matches."
  return value.is_number_integer() || std::trunc(value.get<double>()) == value.get<double>();
}

/// Lengths are counted in code points.
std::size_t length(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
  }));
}

std::string unless(bool fine, const std::string& keyword, const Json& value) {
  return fine ? "" : keyword + " refuses " + value.dump().substr(0, 100);
}

}  // namespace

std::string SchemaValidator::check(const Json& schema, const Json& value) {
  if (schema.is_boolean()) return unless(schema.get<bool>(), "false", value);
  for (const auto& entry : schema.items()) {
    std::string wrong = keyword(schema, entry.key(), value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string SchemaValidator::keyword(const Json& schema, const std::string& name,
                                     const Json& value) {
  const Json& said = schema.at(name);
  if (kNotes.contains(name)) return "";
  if (name == "type") return unless(is_of_type(said.get<std::string>(), value), name, value);
  if (name == "enum") {
    return unless(std::find(said.begin(), said.end(), value) != said.end(), name, value);
  }
  if (name == "$ref") return check(referred(said.get<std::string>()), value);
  if (name == "anyOf") return any_of(said, value);
  if (name == "allOf") {
    for (const Json& one : said) {
      std::string wrong = check(one, value);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }
  if (kOfNumbers.contains(name)) return value.is_number() ? of_number(name, said, value) : "";
  if (kOfText.contains(name)) return value.is_string() ? of_text(name, said, value) : "";
  if (kOfArrays.contains(name)) return value.is_array() ? of_array(schema, name, value) : "";
  if (kOfObjects.contains(name)) return value.is_object() ? of_object(schema, name, value) : "";
  throw std::logic_error("unknown keyword " + name);
}

std::string SchemaValidator::of_number(const std::string& name, const Json& said,
                                       const Json& value) {
  const auto given = value.get<long double>();
  const auto bound = said.get<long double>();
  return unless(name == "minimum" ? given >= bound : given <= bound, name, value);
}

std::string SchemaValidator::of_text(const std::string& name, const Json& said, const Json& value) {
  const auto& text = value.get_ref<const std::string&>();
  if (name == "minLength") return unless(length(text) >= said.get<std::size_t>(), name, value);
  if (name == "maxLength") return unless(length(text) <= said.get<std::size_t>(), name, value);
  const auto& pattern = said.get_ref<const std::string&>();
  const std::regex& regex = patterns_.try_emplace(pattern, pattern).first->second;
  return unless(std::regex_search(text, regex), name, value);
}

std::string SchemaValidator::of_array(const Json& schema, const std::string& name,
                                      const Json& value) {
  const Json& said = schema.at(name);
  if (name == "minItems") return unless(value.size() >= said.get<std::size_t>(), name, value);
  if (name == "maxItems") return unless(value.size() <= said.get<std::size_t>(), name, value);
  if (name == "items") return items(schema, value);
  if (name == "uniqueItems") {
    for (auto one = value.begin(); one != value.end(); ++one) {
      if (std::find(value.begin(), one, *one) != one) return unless(false, name, value);
    }
    return "";
  }
  for (std::size_t i = 0; i < said.size() && i < value.size(); ++i) {
    std::string wrong = check(said[i], value[i]);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string SchemaValidator::items(const Json& schema, const Json& value) {
  const std::size_t before = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
  for (std::size_t i = before; i < value.size(); ++i) {
    std::string wrong = check(schema["items"], value[i]);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string SchemaValidator::of_object(const Json& schema, const std::string& name,
                                       const Json& value) {
  const Json& said = schema.at(name);
  if (name == "additionalProperties") return additional(schema, value);
  if (name == "required") {
    for (const Json& key : said) {
      if (!value.contains(key.get<std::string>())) return unless(false, name, value);
    }
    return "";
  }
  for (const auto& entry : value.items()) {
    std::string wrong;
    if (name == "propertyNames") {
      wrong = check(said, entry.key());
    } else if (said.contains(entry.key())) {
      wrong = check(said[entry.key()], entry.value());
    }
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string SchemaValidator::additional(const Json& schema, const Json& value) {
  for (const auto& entry : value.items()) {
    if (schema.contains("properties") && schema["properties"].contains(entry.key())) continue;
    std::string wrong = check(schema["additionalProperties"], entry.value());
    if (!wrong.empty()) return "additionalProperties: " + wrong;
  }
  return "";
}

std::string SchemaValidator::any_of(const Json& said, const Json& value) {
  std::string wrong = "anyOf:";
  for (const Json& one : said) {
    const std::string here = check(one, value);
    if (here.empty()) return "";
    wrong += " (" + here + ")";
  }
  return wrong;
}

const Json& SchemaValidator::referred(const std::string& reference) const {
  if (!reference.starts_with('#')) throw std::logic_error("no reference within: " + reference);
  return root_.at(Json::json_pointer(reference.substr(1)));
}

}  // namespace perdure::testing_codec
