/// The payer: what a coordinator (saga/coordinator.hpp) asks of the run that it is.
///
/// What this is: receipts out of the journal, and rows, words and events about what was undone, in
/// the run's next change.
/// What it promises: what a coordinator notes while it is replayed is written nowhere.
#pragma once

#include "journal/saga_rows.hpp"
#include "saga/coordinator.hpp"

#include <cstdint>
#include <map>

namespace perdure::actors {

class RunCore;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final

/// Thread: the run's session's.
class SagaPayer final : public saga::CoordinatorHost {
 public:
  explicit SagaPayer(RunCore& run) : run_(run) {}

  /// The run is a coordinator's.
  void serve(saga::Coordinator& coordinator) noexcept {
    pays_ = true;
    coordinator.attach(*this);
  }
  [[nodiscard]] bool pays() const noexcept { return pays_; }

  [[nodiscard]] Result<Bytes> receipt(const saga::PayOrder& order,
                                      const saga::OwedAction& action) override;
  void note(const saga::PayOrder& order, const saga::OwedAction& action, const Note& note) override;
  void note(const saga::PayOrder& order, saga::SagaState state, std::size_t stuck,
            const Error* why) override;
  void begin_again(detail::Leaf& leaf) override;

 private:
  /// Null: it can't be read now; the run parks.
  [[nodiscard]] journal::StoredSaga* row(const saga::PayOrder& order, std::uint32_t number);
  void put(journal::StoredSaga& row);
  void tell(const saga::PayOrder& order, const Error* stuck);
  void tell_stuck(const saga::PayOrder& order, const Error* why);

  RunCore& run_;
  bool pays_ = false;
  /// As the run has written them last.
  std::map<std::uint32_t, journal::StoredSaga> rows_;
};

}  // namespace perdure::actors
