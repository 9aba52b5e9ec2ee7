// The text of JSON Schemas. What JSON is read as which type: payload_json.hpp and the codecs.
#include <perdure/detail/schema_nodes.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "journal/codec_words.hpp"
#include "journal/json_text.hpp"

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

using journal::append_quoted;
using journal::words::join;

// Only what reading takes: no other characters, and none whose unused bits are set.
constexpr std::string_view kBase64Begin = "^([A-Za-z0-9+/]{4})*";
constexpr std::string_view kBase64One = "[A-Za-z0-9+/][AQgw]==";
constexpr std::string_view kBase64Two = "[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=";
constexpr std::string_view kOneByte = "^[\\u0000-\\u007F]$";
// A key that begins with one $ means something else (payload_json.hpp).
constexpr std::string_view kPlainKey = "^([^$]|\\$\\$|$)";

/// A name as it stands in JSON as a key.
std::string json_key(std::string_view name) {
  return name.starts_with('$') ? join({"$", name}) : std::string(name);
}

/// A name that needs no escape in a reference.
std::string plain_name(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
    if (!good) c = '_';
  }
  return plain;
}

bool is_optional(const SchemaNode& node) {
  const SchemaNode* at = &node;
  while (at->kind == SchemaKind::like) at = &at->parts[0].of();
  return at->kind == SchemaKind::optional;
}

std::string both(std::string_view first, std::string_view second) {
  return join({first, first.empty() || second.empty() ? "" : "\n", second});
}

class SchemaText {
 public:
  explicit SchemaText(const SchemaNode& root) : root_(&root) { count(root); }

  std::string text() {
    name_definitions();
    write_here(*root_, {});
    if (references_.empty()) return std::move(out_);
    out_.pop_back();
    key("$defs");
    out_ += '{';
    for (const SchemaNode* node : met_) {
      if (!references_.contains(node)) continue;
      key(references_[node]);
      write_here(*node, {});
    }
    out_ += "}}";
    return std::move(out_);
  }

 private:
  /// How often each named type is referred to, each looked into once.
  void count(const SchemaNode& node) {
    if (!node.name.empty()) {
      if (++uses_[&node] > 1) return;
      met_.push_back(&node);
    }
    for (const SchemaPart& part : node.parts) {
      if (part.of == nullptr) continue;
      count(part.of());
      // A map's values are written twice, as those of an object and in pairs.
      if (node.kind == SchemaKind::text_map && &part == &node.parts[1]) count(part.of());
    }
  }

  void name_definitions() {
    std::set<std::string> taken;
    for (const SchemaNode* node : met_) {
      if (node == root_ || uses_[node] < 2) continue;
      const std::string plain = plain_name(node->name);
      std::string name = plain;
      for (int i = 2; !taken.insert(name).second; ++i) name = join({plain, "_", std::to_string(i)});
      references_[node] = std::move(name);
    }
  }

  // Members of the object begun last

  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    append_quoted(out_, name);
    out_ += ':';
  }
  void text_member(std::string_view name, std::string_view value) {
    key(name);
    append_quoted(out_, value);
  }
  void number_member(std::string_view name, std::int64_t value) {
    key(name);
    out_ += std::to_string(value);
  }
  void type(std::string_view name) { text_member("type", name); }
  void describe(std::string_view words) {
    if (!words.empty()) text_member("description", words);
  }
  void member(std::string_view name, const SchemaNode& node) {
    key(name);
    write(node, {});
  }

  // Schemas

  /// The schema of a part that has these words: itself, or a reference to it.
  void write(const SchemaNode& node, std::string_view words) {
    const auto found = references_.find(&node);
    if (found == references_.end() && (&node != root_ || root_->name.empty())) {
      return write_here(node, words);
    }
    out_ += '{';
    describe(words);
    text_member("$ref", &node == root_ ? "#" : join({"#/$defs/", found->second}));
    out_ += '}';
  }

  void write_here(const SchemaNode& node, std::string_view words) {
    if (node.kind == SchemaKind::like) return write(node.parts[0].of(), both(words, node.words));
    if (node.kind == SchemaKind::own && words.empty()) {
      out_ += node.own();
      return;
    }
    out_ += '{';
    describe(both(words, words_of(node)));
    write_members(node);
    out_ += '}';
  }

  /// The words of a type, and of an enum's names, which have no other place.
  static std::string words_of(const SchemaNode& node) {
    std::string words(node.words);
    if (node.kind != SchemaKind::names) return words;
    for (const SchemaPart& part : node.parts) {
      if (!part.words.empty()) words = both(words, join({part.name, ": ", part.words}));
    }
    return words;
  }

  void write_members(const SchemaNode& node) {
    switch (node.kind) {
      case SchemaKind::null: return type("null");
      case SchemaKind::boolean: return type("boolean");
      case SchemaKind::integer: return write_integer(node);
      case SchemaKind::number: return type("number");
      case SchemaKind::character: type("string"); return text_member("pattern", kOneByte);
      case SchemaKind::text: return type("string");
      case SchemaKind::names: return write_names(node);
      case SchemaKind::bytes: return write_bytes(node);
      case SchemaKind::list:
      case SchemaKind::set: return write_list(node);
      case SchemaKind::map: return write_pairs(node);
      case SchemaKind::text_map: return write_text_map(node);
      case SchemaKind::tuple: return write_tuple(node);
      case SchemaKind::optional: return write_optional(node);
      case SchemaKind::choice: return write_choice(node);
      case SchemaKind::object: return write_object(node.parts);
      case SchemaKind::like: return;
      case SchemaKind::own:
        key("allOf");
        out_ += join({"[", node.own(), "]"});
        return;
    }
  }

  void write_integer(const SchemaNode& node) {
    type("integer");
    if (node.least) number_member("minimum", *node.least);
    if (node.most) number_member("maximum", *node.most);
  }

  void write_names(const SchemaNode& node) {
    type("string");
    key("enum");
    write_list_of(node.parts, [this](const SchemaPart& part) { append_quoted(out_, part.name); });
  }

  void write_bytes(const SchemaNode& node) {
    type("object");
    key("properties");
    out_ += R"({"$bytes":{"type":"string","contentEncoding":"base64")";
    if (!node.most) {
      text_member("pattern", join({kBase64Begin, "(", kBase64One, "|", kBase64Two, ")?$"}));
    } else {
      const std::int64_t rest = *node.most % 3;
      const std::string_view end = rest == 0 ? "" : rest == 1 ? kBase64One : kBase64Two;
      const std::int64_t length = (*node.most + 2) / 3 * 4;
      number_member("minLength", length);
      number_member("maxLength", length);
      text_member("pattern", join({kBase64Begin, end, "$"}));
    }
    out_ += R"(}},"required":["$bytes"],"additionalProperties":false)";
  }

  void write_list(const SchemaNode& node) {
    type("array");
    member("items", node.parts[0].of());
    if (node.most) write_length(*node.most);
    if (node.kind == SchemaKind::set) write_unique();
  }
  void write_length(std::int64_t length) {
    number_member("minItems", length);
    number_member("maxItems", length);
  }
  void write_unique() {
    key("uniqueItems");
    out_ += "true";
  }

  void write_tuple(const SchemaNode& node) {
    type("array");
    if (!node.parts.empty()) {
      key("prefixItems");
      write_list_of(node.parts, [this](const SchemaPart& part) { write(part.of(), part.words); });
    }
    write_length(static_cast<std::int64_t>(node.parts.size()));
  }

  void write_pairs(const SchemaNode& node) {
    type("array");
    key("items");
    out_ += '{';
    write_tuple(node);
    out_ += '}';
    write_unique();
  }

  void write_text_map(const SchemaNode& node) {
    key("anyOf");
    out_ += "[{";
    type("object");
    key("propertyNames");
    out_ += '{';
    text_member("pattern", kPlainKey);
    out_ += '}';
    member("additionalProperties", node.parts[1].of());
    out_ += "},{";
    write_pairs(node);
    out_ += "}]";
  }

  void write_optional(const SchemaNode& node) {
    key("anyOf");
    out_ += '[';
    write(node.parts[0].of(), {});
    out_ += R"(,{"type":"null"}])";
  }

  void write_choice(const SchemaNode& node) {
    key("anyOf");
    write_list_of(node.parts, [this](const SchemaPart& part) {
      out_ += '{';
      write_object({&part, 1}, Required::always);
      out_ += '}';
    });
  }

  enum class Required : std::uint8_t { always, unless_optional };

  void write_object(std::span<const SchemaPart> parts,
                    Required required = Required::unless_optional) {
    type("object");
    key("properties");
    out_ += '{';
    std::vector<SchemaPart> needed;
    for (const SchemaPart& part : parts) {
      key(json_key(part.name));
      write(part.of(), part.words);
      if (required == Required::always || !is_optional(part.of())) needed.push_back(part);
    }
    out_ += '}';
    if (!needed.empty()) {
      key("required");
      write_list_of(needed,
                    [this](const SchemaPart& part) { append_quoted(out_, json_key(part.name)); });
    }
    key("additionalProperties");
    out_ += "false";
  }

  template <class Write>
  void write_list_of(std::span<const SchemaPart> parts, Write write_one) {
    out_ += '[';
    for (const SchemaPart& part : parts) {
      if (&part != parts.data()) out_ += ',';
      write_one(part);
    }
    out_ += ']';
  }

  const SchemaNode* root_;
  std::map<const SchemaNode*, int> uses_;
  std::vector<const SchemaNode*> met_;  ///< Named types, in the order of meeting them.
  std::map<const SchemaNode*, std::string> references_;  ///< Those under `$defs`.
  std::string out_;
};

}  // namespace

std::string schema_text(const SchemaNode& root) { return SchemaText(root).text(); }

}  // namespace detail
}  // namespace v0
}  // namespace perdure
