#include <perdure/step.hpp>

#include "journal/budget_rows.hpp"

namespace perdure {
inline namespace v0 {
namespace {

/// RFC 3986's unreserved characters; everything else becomes %XX, byte by byte.
bool stands_for_itself(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Error without_blobs() {
  return Error{Code::unsupported, "this step has no journal to keep blobs in", std::nullopt,
               std::nullopt, ErrorEffect::refused};
}

/// Never below what it was.
void add_to(std::atomic<std::int64_t>& sum, std::int64_t amount) noexcept {
  if (amount <= 0) return;
  std::int64_t before = sum.load();
  while (!sum.compare_exchange_weak(before, journal::capped_sum(before, amount))) {
  }
}

}  // namespace

void detail::Meter::add(const Cost& cost) noexcept {
  add_to(money_, cost.money.in_micros());
  add_to(tokens_, cost.tokens);
  add_to(gpu_us_, cost.gpu_time.count());
  told_.store(true);
}

std::optional<Cost> detail::Meter::read() const noexcept {
  if (!told_.load()) return std::nullopt;
  return Cost{Money::micros(money_.load()), tokens_.load(),
              std::chrono::microseconds(gpu_us_.load())};
}

std::string Step::key() const {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string key = to_string(facts_.run);
  key.reserve(key.size() + facts_.id.size() + facts_.name->size() + 2);
  key += '/';
  key += facts_.id;
  key += '/';
  for (const char c : *facts_.name) {
    if (stands_for_itself(c)) {
      key += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    key += '%';
    key += kDigits[byte >> 4U];
    key += kDigits[byte & 15U];
  }
  return key;
}

void Step::charge(const Cost& cost) noexcept {
  if (facts_.link) {
    facts_.link->charge(cost);
  } else if (facts_.meter != nullptr) {
    facts_.meter->add(cost);
  }
}

Result<void> Step::beat(std::optional<Bytes> progress) {
  if (!facts_.link)
    return Error{Code::misuse,
                 "a heartbeat of step '" + name() +
                     "', which is a lambda: only a tool's attempt can be given up and report how "
                     "far it was. Make it a pd::Tool and call it by ctx.call"};
  return facts_.link->beat(std::move(progress));
}

Result<BlobWriter> Step::create_blob() {
  if (facts_.blobs == nullptr) return without_blobs();
  return detail::create_blob(*facts_.blobs);
}

Result<BlobReader> Step::open_blob(const Blob& blob) {
  if (facts_.blobs == nullptr) return without_blobs();
  return detail::open_blob(*facts_.blobs, blob);
}

}  // namespace v0
}  // namespace perdure
