/// Branches that run side by side: the rules, whatever the types.
///
/// What this is: the one state machine behind `all`, `any`, `race` and `map`. branch_pack.hpp and
/// branch_range.hpp hold the branches' types and values under it.
/// What it promises: what is decided, and when, depends on the order of deliveries alone, so replay
/// decides the same. The number of branches costs no stack: branches that end at once are met in a
/// loop, and the end is told when nothing of the branches is left but what is wanted.
/// What it does not: know values, or give step ids an order of time: a branch's component is its
/// index.
#pragma once

#include <perdure/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace perdure {
inline namespace v0 {
namespace detail {

/// How branches decide together.
enum class Rule : std::uint8_t {
  all,   ///< The first failure decides; without one, all are wanted.
  any,   ///< The first success decides; without one, they fail together.
  race,  ///< The first end decides.
};

/// What the rules know of a branch that was begun.
struct Branch {
  std::uint32_t index = 0;
  bool running = false;
  Branch* next_ended = nullptr;
};

enum class Wanted : std::uint8_t { no, yes };

/// Invariants:
/// - Branches begin in the order of their index, at most `limit` at a time, and none after the
///   outcome is decided or a stop was requested.
/// - Ended branches are judged in the order in which they ended, and never while one of them is
///   being started: so a branch's state may be destroyed when it is judged.
/// - The parent is told once, last, and never while this waits in the engine's queue.
class Branches : public Parent, public Runnable {
 public:
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;

  void start(const Start& start);
  void request_stop() noexcept;
  [[nodiscard]] Error* failure() noexcept { return failure_ ? &*failure_ : nullptr; }
  void child_ended(std::size_t position) noexcept final;
  /// Goes on with branches that have ended, as the task that awaits them.
  void run() noexcept final;

 protected:
  Branches(Rule rule, std::size_t count, std::size_t limit) noexcept
      : count_(count), limit_(limit), rule_(rule) {}
  ~Branches() = default;
  /// For `begin`: where a branch starts; its end is told for `position`.
  [[nodiscard]] Start start_of(Branch& branch, std::uint32_t index, std::size_t position) noexcept;
  /// With `any` and `race`, after a success.
  [[nodiscard]] std::uint32_t winner() const noexcept { return winner_; }

 private:
  /// Makes and starts the branch. Throws what the user's code throws.
  virtual void begin(std::uint32_t index) = 0;
  [[nodiscard]] virtual Branch& at(std::size_t position) noexcept = 0;
  [[nodiscard]] virtual Error* failure_of(Branch& branch) noexcept = 0;
  /// The branch was judged: its value is kept, or all of it goes. Throws what moving the value
  /// throws.
  virtual void judged(Branch& branch, Wanted wanted) = 0;
  virtual void stop_running() noexcept = 0;
  /// All have ended: destroys what was never begun, and after a failure what was kept.
  virtual void clear() noexcept = 0;

  void advance() noexcept;
  void begin_next() noexcept;
  void judge(Branch& branch) noexcept;
  [[nodiscard]] Wanted succeeded(Branch& branch) noexcept;
  void failed(std::uint32_t index, Error error);
  void decide() noexcept;
  void ask_to_stop() noexcept;
  void threw(std::uint32_t index) noexcept;
  void none_succeeded();
  void end() noexcept;

  Execution* execution_ = nullptr;
  PromiseBase* task_ = nullptr;
  Parent* parent_ = nullptr;
  std::size_t position_ = 0;
  Place place_;
  std::size_t count_;
  std::size_t limit_;
  std::size_t next_ = 0;     ///< Index of the next to begin.
  std::size_t running_ = 0;  ///< Begun and not judged.
  Branch* first_ended_ = nullptr;
  Branch* last_ended_ = nullptr;
  /// The outcome; with `any`, as long as nothing is decided, the last failure.
  std::optional<Error> failure_;
  std::string words_;  ///< With `any`: of the failures so far.
  std::size_t failures_ = 0;
  std::size_t untold_ = 0;  ///< Failures that found no room in `words_`.
  std::uint32_t winner_ = 0;
  Rule rule_;
  bool decided_ = false;
  bool stopped_ = false;  ///< From outside.
  bool asked_ = false;    ///< The branches were asked to stop.
  bool busy_ = false;
  bool queued_ = false;
  bool over_ = false;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
