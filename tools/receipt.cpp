#include <perdure/undo.hpp>

#include <cstring>

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

void add_length(Bytes& to, std::uint64_t length) {
  std::array<std::byte, sizeof length> bytes;
  std::memcpy(bytes.data(), &length, sizeof length);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void add(Bytes& to, ByteView part) {
  add_length(to, part.size());
  to.insert(to.end(), part.begin(), part.end());
}

/// Takes parts off the front.
class Parts {
 public:
  explicit Parts(ByteView bytes) : left_(bytes) {}
  [[nodiscard]] Result<ByteView> next() {
    std::uint64_t length = 0;
    if (left_.size() < sizeof length) return cut();
    std::memcpy(&length, left_.data(), sizeof length);
    left_ = left_.subspan(sizeof length);
    if (left_.size() < length) return cut();
    const ByteView part = left_.first(length);
    left_ = left_.subspan(length);
    return part;
  }

 private:
  static Error cut() { return {Code::undecodable, "the receipt is cut off"}; }
  ByteView left_;
};

}  // namespace

Bytes encode_receipt(const ReceiptParts& parts) {
  Bytes bytes;
  bytes.push_back(static_cast<std::byte>(parts.output ? 1 : 0));
  bytes.push_back(static_cast<std::byte>(parts.effect));
  add(bytes, parts.input);
  add(bytes, parts.output.value_or(ByteView{}));
  add(bytes, std::as_bytes(std::span(parts.key)));
  return bytes;
}

Result<ReceiptParts> read_receipt(ByteView bytes) {
  if (bytes.size() < 2) return Error{Code::undecodable, "the receipt is empty"};
  ReceiptParts parts;
  parts.effect = static_cast<ErrorEffect>(bytes[1]);
  Parts rest(bytes.subspan(2));
  PERDURE_TRY(parts.input, rest.next());
  PERDURE_TRY(const ByteView output, rest.next());
  if (bytes[0] != std::byte{0}) parts.output = output;
  PERDURE_TRY(const ByteView key, rest.next());
  parts.key = {reinterpret_cast<const char*>(key.data()), key.size()};
  return parts;
}

std::string receipt_type(std::string_view input, std::string_view output) {
  return "receipt<" + std::string(input) + "," + std::string(output) + ">";
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
