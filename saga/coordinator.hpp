/// The coordinator: undoes what a saga owes.
///
/// What this is: the handler of the agent `perdure.saga`, one session for each saga: a persistent
/// actor which undoes by steps that are journaled as any agent's are. It is driven by its leaves
/// alone and has no frame: a saga that is stuck for months costs nothing.
/// What it promises: each compensation is called by its recorded name, under one idempotency key,
/// until it has succeeded or a person decided otherwise. It asks no code of the saga's handler.
/// What it does not: decide that a saga is aborted. Whoever sends the order does, and has recorded
/// it.
///
/// Places in its run: the compensation of the item at position `n` is at `n+1.k`, for the k-th try;
/// words of persons are received at `size+1.k`.
#pragma once

#include <perdure/detail/root_task.hpp>
#include <perdure/detail/tool_operation.hpp>

#include "saga/pay_order.hpp"
#include "saga/payment.hpp"
#include "saga/undo_log.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::saga {

using detail::LeafKind;

/// What the coordinator asks of the engine that runs it. What it notes while a run is replayed is
/// not news, and is ignored. Thread: the run's.
class CoordinatorHost {
 public:
  /// The receipt that a compensation of `action` gets, as `detail::decode_receipt` reads it.
  /// Errors: as Reader.
  [[nodiscard]] virtual Result<Bytes> receipt(const PayOrder& order, const OwedAction& action) = 0;
  struct Note {
    UndoState state = UndoState::paid;
    const Error* error = nullptr;
    std::string_view who = {};
    std::string_view why = {};
  };
  virtual void note(const PayOrder& order, const OwedAction& action, const Note& note) = 0;
  /// The saga is in this state now; `why`: of `stuck`. Whoever waits for it is told.
  virtual void note(const PayOrder& order, SagaState state, std::size_t stuck,
                    const Error* why) = 0;
  /// A compensation that nobody served is looked for again.
  virtual void begin_again(detail::Leaf& leaf) = 0;

 protected:
  ~CoordinatorHost() = default;
};

class Coordinator final : public detail::RootTask, private detail::Parent {
 public:
  Coordinator();
  ~Coordinator() override;
  /// Before `start`. The host outlives this.
  void attach(CoordinatorHost& host) noexcept { host_ = &host; }

  [[nodiscard]] Result<void> start(detail::Execution& execution, Context& context,
                                   ByteView message) override;
  [[nodiscard]] bool ended() const noexcept override { return over_ && under_way_ == 0; }
  [[nodiscard]] Result<Bytes> take_reply() override;

 private:
  class UndoLeaf;
  class AskLeaf;
  class PauseLeaf;
  class VerbLeaf;
  struct Action;

  void child_ended(std::size_t position) noexcept override;
  void advance();
  void begin(std::size_t item);
  void begin_leaf(std::size_t item);
  void begin_undo(std::size_t item, detail::Unserved when_unserved);
  void ask(std::size_t item, std::string_view until);
  void action_ended(std::size_t item, const Error* failure);
  void failed(std::size_t item, const Error& error);
  void receive_verb();
  void take_verb(const SagaVerb& verb);
  void decide(std::size_t item, const SagaVerb& verb);
  void finish(SagaState state);
  [[nodiscard]] bool is_meant(std::size_t item, const SagaVerb& verb) const;
  [[nodiscard]] detail::Start start_of(Action& action, std::size_t position);
  [[nodiscard]] Error stuck_error() const;

  CoordinatorHost* host_ = nullptr;
  detail::Execution* execution_ = nullptr;
  PayOrder order_;
  std::optional<Payment> payment_;
  // Places are pointed to.
  std::deque<Action> actions_;
  detail::Place root_{nullptr, 0, true};
  detail::Place verbs_;
  std::uint32_t verbs_received_ = 0;
  std::unique_ptr<VerbLeaf> verb_;
  std::size_t under_way_ = 0;  ///< Leaves that have not ended.
  bool stuck_ = false;
  bool over_ = false;
  std::optional<Error> last_error_;
};

}  // namespace perdure::saga
