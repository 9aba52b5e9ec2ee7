/// A return of goods as a saga, with a person's approval above an amount.
///
/// What this is: the agent, its tools and compensations by name (returns.cpp is the saga). What
/// does them is given when they are served (desk.hpp).
#pragma once

#include <perdure/perdure.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace returns {

namespace pd = perdure;

struct Return {
  std::string order;
  std::string customer;
  std::int64_t amount_cents = 0;
};
PERDURE_DESCRIBE(Return, order, customer, amount_cents);
/// What a desk says when it has done something.
struct Slip {
  std::string number;
};
PERDURE_DESCRIBE(Slip, number);
struct Decision {
  bool approved = false;
  std::string by;
};
PERDURE_DESCRIBE(Decision, approved, by);
struct Outcome {
  std::string label;
  std::string refund;
  std::string approved_by;
};
PERDURE_DESCRIBE(Outcome, label, refund, approved_by);

/// Above this a person is asked.
inline constexpr std::int64_t kApprovalAboveCents = 10'000;
inline constexpr std::chrono::hours kApprovalWithin{72};
inline constexpr pd::Signal<Decision> approval{"approval"};

/// Looks, and changes nothing: no key, no compensation.
inline constexpr pd::Tool<Return, Slip> check_order{"check-order"};
/// The warehouse keeps a place for the goods: taken by key, and given back.
inline constexpr pd::Tool<Return, Slip> keep_place{"keep-place", {.effect = pd::Effect::keyed}};
inline constexpr pd::Undo<Return, Slip> free_place{"free-place"};
/// The carrier makes a label by key, and voids it.
inline constexpr pd::Tool<Return, Slip> make_label{"make-label", {.effect = pd::Effect::keyed}};
inline constexpr pd::Undo<Return, Slip> void_label{"void-label"};
/// The bank is asked by key before money is sent a second time. Sent money does not come back: the
/// pivot.
pd::Result<pd::Finding<Slip>> find_refund(pd::Step& step, const Return& what);
inline constexpr pd::Tool<Return, Slip> refund{
    "refund", {.effect = pd::Effect::queryable, .find = &find_refund}};
/// Behind the pivot: tried until it is sent.
inline constexpr pd::Tool<Return, Slip> send_mail{"send-mail", {.effect = pd::Effect::keyed}};

pd::Task<Outcome> return_goods(pd::Context& ctx, Return what);
inline constexpr pd::Agent return_agent{"return", &return_goods};

}  // namespace returns
