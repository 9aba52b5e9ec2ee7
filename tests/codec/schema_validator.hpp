/// A validator of JSON Schema, for exactly the keywords that `json_schema` writes.
///
/// What this is: what the schemas are held against, written from the specification (draft 2020-12)
/// and not from the code that writes them.
/// What it promises: an unknown keyword is an exception, so that a new one is not passed over.
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <regex>
#include <string>

namespace perdure::testing_codec {

class SchemaValidator {
 public:
  explicit SchemaValidator(nlohmann::json schema) : root_(std::move(schema)) {}

  /// Why `value` is no instance of the schema; empty if it is one.
  std::string why_not(const nlohmann::json& value) { return check(root_, value); }

 private:
  using Json = nlohmann::json;
  std::string check(const Json& schema, const Json& value);
  std::string keyword(const Json& schema, const std::string& name, const Json& value);
  std::string of_number(const std::string& name, const Json& said, const Json& value);
  std::string of_text(const std::string& name, const Json& said, const Json& value);
  std::string of_array(const Json& schema, const std::string& name, const Json& value);
  std::string of_object(const Json& schema, const std::string& name, const Json& value);
  std::string any_of(const Json& said, const Json& value);
  std::string items(const Json& schema, const Json& value);
  std::string additional(const Json& schema, const Json& value);
  const Json& referred(const std::string& reference) const;

  Json root_;
  std::map<std::string, std::regex> patterns_;
};

}  // namespace perdure::testing_codec
