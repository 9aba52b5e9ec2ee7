/// Queries: questions about a session's state.
///
/// What this is: `Query{"total", &total}` of a function `R total(const View&, Message)`, a part of
/// an agent beside its handlers.
/// What it promises: a query sees durable state, all of it as it was at one moment, also while a
/// run of the session is under way; it is answered without waiting for that run, and writes
/// nothing.
/// What it does not: await.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/signal.hpp>
#include <perdure/table.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace detail {

/// The state of one session at one moment.
class StateSnapshot {
 public:
  virtual ~StateSnapshot() = default;
  /// Errors: `corrupt`, `storage_failed`.
  [[nodiscard]] virtual Result<std::optional<Bytes>> read(std::string_view name) const = 0;
  /// Users' tables at the same moment.
  [[nodiscard]] virtual RowSource& rows() const = 0;
};

}  // namespace detail

/// A session's state, as a query sees it. Valid while the query runs. Thread: the query's.
class View {
 public:
  explicit View(const detail::StateSnapshot& state) : state_(&state) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  /// The value, or `T{}`. Throws `Exception` when it cannot be read or decoded; the query then
  /// fails with that error.
  template <class T>
  [[nodiscard]] T get(const State<T>& cell) const {
    return find(cell).value_or(T{});
  }
  /// The value, or empty.
  template <class T>
  [[nodiscard]] std::optional<T> find(const State<T>& cell) const {
    const std::optional<Bytes> bytes = state_->read(cell.name).value();
    if (!bytes) return std::nullopt;
    return decode<T>(*bytes).value();
  }

  /// The rows of a table, at the moment of the state.
  template <class K, class V>
  [[nodiscard]] Rows<K, V> rows(const Table<K, V>& table) const {
    // Borrowed: it lives as long as the view.
    return {std::shared_ptr<detail::RowSource>(std::shared_ptr<void>(), &state_->rows()), table};
  }

 private:
  const detail::StateSnapshot* state_;
};

/// A query: a name and a function `Reply(const View&, Message)`; `Reply` may be a `Result`.
template <class ReturnedType, class MessageType>
struct Query {
  using Returned = ReturnedType;
  using Reply = detail::unwrap_result_t<ReturnedType>;
  using Message = MessageType;
  using Function = Returned (*)(const View&, Message);

  const char* name;
  Function function;

  constexpr Query(const char* query_name, Function query) : name(query_name), function(query) {
    static_assert(!std::is_void_v<Reply>, "perdure: a query has an answer: return a value");
    detail::require_codable<Message>();
    detail::require_codable<Reply>();
  }
};

namespace detail {

/// One query of an agent, as the runtime keeps it.
struct QueryEntry {
  std::string name;
  std::function<Result<Bytes>(const View&, ByteView)> answer;
};

template <class R, class M>
[[nodiscard]] QueryEntry query_entry(const Query<R, M>& query) {
  return {query.name, [function = query.function](const View& view, ByteView message) {
            try {
              return [&]() -> Result<Bytes> {
                PERDURE_TRY(M decoded, decode<M>(message));
                if constexpr (is_result<R>::value) {
                  PERDURE_TRY(auto reply, function(view, std::move(decoded)));
                  return encode(reply);
                } else {
                  return encode(function(view, std::move(decoded)));
                }
              }();
            } catch (const Exception& thrown) {
              return Result<Bytes>(thrown.error());
            } catch (const std::exception& thrown) {
              return Result<Bytes>(
                  Error{Code::exception, std::string("the query threw: ") + thrown.what()});
            } catch (...) {
              return Result<Bytes>(
                  Error{Code::exception, "the query threw something that is no std::exception"});
            }
          }};
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
