/// Children: runs of other sessions that a run has started and answers for.
///
/// What this is: `ctx.session(agent, key).spawn(handler, message)` starts one and gives a
/// `ChildRun`, whose `result` and `cancel` are operations.
/// What it promises: a child is started once, in the transaction that records its start; how it
/// ended is not lost, however late it is asked for. When the parent ends, in whatever way, each
/// child that has not ended is waited for, cancelled or left alone, as its start said.
/// What it does not: share a session. A child is handled by the session that it was sent to, in its
/// turn there.
#pragma once

#include <perdure/cancel.hpp>
#include <perdure/describe.hpp>
#include <perdure/detail/peer_operations.hpp>
#include <perdure/run_id.hpp>

#include <string>
#include <utility>

namespace perdure {
inline namespace v0 {

/// Options of `spawn`.
struct SpawnOptions {
  /// As CallOptions::key.
  std::string key = {};
  /// What happens to the child when the run that starts it ends first.
  ParentEnds parent_ends = ParentEnds::cancel_child;
};

template <class R>
class ChildRun;

namespace detail {

PERDURE_DESCRIBE(ChildRef, agent, session_key, handler, run, step);

[[nodiscard]] RunId run_of(const ChildRef& child);
[[nodiscard]] WaitRequest to_cancel(const ChildRef& child, CancelOptions options);
[[nodiscard]] WaitRequest to_join(const ChildRef& child);

/// `peer.spawn(handler, message)`.
template <class R>
class SpawnState;
template <class R>
struct [[nodiscard("perdure: a child is started when its spawn is awaited")]] SpawnOperation {
  using OperationState = SpawnState<R>;
  using value_type = ChildRun<R>;
  WaitRequest request;
  std::source_location where;
};
template <class R>
class SpawnState final : public LeafState<WaitLeaf, ChildRun<R>> {
 public:
  explicit SpawnState(SpawnOperation<R>&& operation)
      : LeafState<WaitLeaf, ChildRun<R>>{LeafKind::spawn,
                                         Name(operation.request.handler, operation.where), "child",
                                         std::move(operation.request)} {}
  [[nodiscard]] Result<void> accept(ByteView payload) override {
    PERDURE_TRY(ChildRef child, decode<ChildRef>(payload));
    this->result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<ChildRun<R>>,
                          ChildRun<R>(std::move(child)));
    return success();
  }
};

}  // namespace detail

/// A child, for its parent's handler. A cheap value; it means something in that run alone.
template <class R>
class ChildRun {
 public:
  explicit ChildRun(detail::ChildRef child) : child_(std::move(child)) {}

  /// The child's id, for logs and for `Runtime::run`.
  [[nodiscard]] RunId id() const { return detail::run_of(child_); }

  /// The child's reply, or the failure that it ended with, when it has ended; `peer_cancelled` when
  /// it was cancelled. Can be asked for again. When the awaiting branch is stopped or cancelled,
  /// the child goes on.
  [[nodiscard("perdure: nothing is waited for until it is awaited")]] detail::JoinOperation<R>
  result(std::source_location where = std::source_location::current()) const {
    return {detail::to_join(child_), where};
  }
  /// Asks the child to end, as `Run::cancel` does, and goes on at once. `by` empty: this run.
  [[nodiscard("perdure: nothing is cancelled until it is awaited")]] detail::SendOperation cancel(
      CancelOptions options = {},
      std::source_location where = std::source_location::current()) const {
    return {detail::to_cancel(child_, std::move(options)), where};
  }

 private:
  detail::ChildRef child_;
};

}  // namespace v0
}  // namespace perdure
