/// The seam between tables and the journal that holds them.
///
/// What this is: rows as bytes: what `Transaction` and `Rows` ask of the compiled runtime.
/// What it does not: belong to the API. Names in `perdure::detail` may change with every version.
#pragma once

#include <perdure/detail/codec_core.hpp>
#include <perdure/result.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace detail {

/// Keys as encoded by `encode_key`.
struct RowRange {
  Bytes from = {};               ///< Inclusive; empty: from the table's beginning.
  std::optional<Bytes> to = {};  ///< Exclusive; empty: to its end.
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};

/// Called with a row's key and payload, borrowed until it returns. False: no more.
using EachRow = std::function<Result<bool>(ByteView key, ByteView payload)>;

/// Errors of every method: `misuse` and `too_large` for names and keys, `corrupt`, `newer_format`,
/// `storage_failed`.
class RowSource {
 public:
  /// The payload, or empty.
  [[nodiscard]] virtual Result<std::optional<Bytes>> get(std::string_view table, ByteView key) = 0;
  /// In the order of keys, all at one moment.
  [[nodiscard]] virtual Result<void> scan(std::string_view table, const RowRange& range,
                                          const EachRow& each) = 0;

 protected:
  ~RowSource() = default;
};

/// Rows as a transaction sees them. Thread: one at a time.
class RowTransaction : public RowSource {
 public:
  /// Errors also: `too_large`, where the transaction would write too much.
  [[nodiscard]] virtual Result<void> put(std::string_view table, ByteView key,
                                         std::string_view type, Bytes payload) = 0;
  [[nodiscard]] virtual Result<void> erase(std::string_view table, ByteView key) = 0;

 protected:
  ~RowTransaction() = default;
};

/// `why`, with the row's place before its message.
[[nodiscard]] Error row_undecodable(std::string_view table, ByteView key, const Error& why);
/// A scan without a limit found more rows than one may return.
[[nodiscard]] Error scan_too_large(std::string_view table, std::size_t most);
/// There is no transaction here: the body runs outside a runtime.
[[nodiscard]] Error no_transaction();

}  // namespace detail
}  // namespace v0
}  // namespace perdure
