#include "returns.hpp"

namespace returns {

pd::Task<Outcome> return_goods(pd::Context& ctx, Return what) {
  pd::Saga saga{ctx, "return"};
  co_await saga.step(check_order, what, pd::read_only);
  co_await saga.step(keep_place, what, free_place);
  const Slip label = co_await saga.step(make_label, what, void_label);

  std::string approved_by = "nobody had to";
  if (what.amount_cents > kApprovalAboveCents) {
    const std::optional<Decision> decision =
        co_await ctx.receive(approval, {.within = kApprovalWithin});
    if (!decision) co_return pd::Error{pd::Code::refused, "nobody decided in time"};
    if (!decision->approved) co_return pd::Error{pd::Code::refused, decision->by + " said no"};
    approved_by = decision->by;
  }

  const Slip paid = co_await saga.step(refund, what, pd::pivot);
  co_await saga.step(send_mail, what, pd::retriable);
  co_await saga.commit();
  co_return Outcome{label.number, paid.number, approved_by};
}

}  // namespace returns
