/// The operations between sessions: calls, sends and joins.
///
/// What this is: what `Peer` (peer.hpp) and `ChildRun` (child.hpp) give, without their types.
#pragma once

#include <perdure/waits.hpp>

#include <source_location>
#include <string_view>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// A wait that ends with the reply of another run.
template <class R>
class ReplyState : public DecodedState<WaitLeaf, R> {
 public:
  ReplyState(LeafKind kind, WaitRequest&& request, std::source_location where)
      // Braces: the name is taken before the request is moved, with every compiler.
      : DecodedState<WaitLeaf, R>{kind, Name(request.handler, where), type_name_or_void<R>(),
                                  std::move(request)} {}
};

/// `peer.call(handler, message)`.
template <class R>
class CallState;
template <class R>
struct [[nodiscard("perdure: a call does nothing until it is awaited")]] CallOperation {
  using OperationState = CallState<R>;
  using value_type = R;
  WaitRequest request;
  std::source_location where;
};
template <class R>
class CallState final : public ReplyState<R> {
 public:
  explicit CallState(CallOperation<R>&& operation)
      : ReplyState<R>(LeafKind::call, std::move(operation.request), operation.where) {}
};

/// `child.result()`.
template <class R>
class JoinState;
template <class R>
struct [[nodiscard("perdure: nothing is waited for until it is awaited")]] JoinOperation {
  using OperationState = JoinState<R>;
  using value_type = R;
  WaitRequest request;
  std::source_location where;
};
template <class R>
class JoinState final : public ReplyState<R> {
 public:
  explicit JoinState(JoinOperation<R>&& operation)
      : ReplyState<R>(LeafKind::join, std::move(operation.request), operation.where) {}
};

/// `peer.send(…)`.
class SendState;
struct [[nodiscard("perdure: a message is sent when it is awaited")]] SendOperation {
  using OperationState = SendState;
  using value_type = void;
  WaitRequest request;
  std::source_location where;
};
class SendState final : public DecodedState<WaitLeaf, void> {
 public:
  explicit SendState(SendOperation&& operation)
      : DecodedState{LeafKind::send, Name(operation.request.handler, operation.where), "void",
                     std::move(operation.request)} {}
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
