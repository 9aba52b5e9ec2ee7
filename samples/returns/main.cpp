// Takes goods back: a saga that may wait for a person for days, and in the meantime for no process.

#include "desk.hpp"
#include "returns.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

namespace pd = perdure;
using namespace returns;

struct Arguments {
  std::string folder = "returns";
  Return what;
  bool approve = false;
  bool refuse = false;
  std::string by = "the manager";
};

auto does(const Desk& desk) {
  return [desk](pd::Step& step, const Return& what) { return desk.act(step.key(), what); };
}
auto undoes(const Desk& desk) {
  return [desk](pd::Step&, const pd::Receipt<Return, Slip>& receipt) {
    return desk.undo(receipt.key, receipt.input);
  };
}
pd::Result<Slip> look_up(pd::Step&, const Return& what) {
  if (what.amount_cents <= 0)
    return pd::Error{pd::Code::refused, "order " + what.order + " has nothing to give back"};
  return Slip{what.order};
}

void serve(pd::Runtime& runtime, const std::string& folder) {
  const Desk warehouse(folder, "warehouse");
  const Desk carrier(folder, "carrier");
  const Desk bank(folder, "bank");
  const Desk mail(folder, "mail");
  use_bank(bank);
  runtime.serve(return_agent, check_order.by(&look_up), keep_place.by(does(warehouse)),
                make_label.by(does(carrier)), refund.by(does(bank)), send_mail.by(does(mail)),
                free_place.by(undoes(warehouse)), void_label.by(undoes(carrier)));
}

pd::Result<void> take_back(const Arguments& given) {
  std::filesystem::create_directories(given.folder);
  PERDURE_TRY(auto runtime, pd::Runtime::open({.journal = given.folder + "/returns.journal"}));
  serve(runtime, given.folder);
  PERDURE_TRY(runtime.start());
  auto session = runtime.session(return_agent, given.what.order);
  PERDURE_TRY(const auto run, session.start(given.what));
  if (given.approve || given.refuse)
    PERDURE_TRY(session.send(approval, {.approved = given.approve, .by = given.by}));
  const auto outcome = run.wait({.within = std::chrono::seconds(2)});
  if (outcome.has_value()) {
    const Outcome& all = outcome.value();
    std::cout << "taken back: label " << all.label << ", refund " << all.refund
              << ", approved by: " << all.approved_by << '\n';
  } else if (outcome.error().code == pd::Code::timeout) {
    std::cout << "it waits: " << outcome.error().message << '\n'
              << "start this again with --approve or --refuse, today or next week\n";
  } else {
    std::cout << "not taken back, and everything is undone: " << outcome.error().message << '\n';
  }
  return runtime.shutdown();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments given;
  CLI::App app("Takes goods back: validate, keep a place, make a label, refund, send mail.");
  app.add_option("--folder", given.folder, "where the journal and the desks' books are")
      ->capture_default_str();
  app.add_option("--order", given.what.order, "the order's number; one return for each")
      ->required();
  app.add_option("--customer", given.what.customer, "who gets the mail");
  app.add_option("--amount-cents", given.what.amount_cents,
                 "what is given back; above 10000 a person is asked");
  auto* const approve = app.add_flag("--approve", given.approve, "a person says yes");
  app.add_flag("--refuse", given.refuse, "a person says no")->excludes(approve);
  app.add_option("--by", given.by, "who says so")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const pd::Result<void> done = take_back(given);
  if (done.has_value()) return 0;
  std::cerr << "returns: " << done.error().to_string() << '\n';
  return 1;
}
