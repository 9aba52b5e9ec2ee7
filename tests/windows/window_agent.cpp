/// An agent that calls one tool of a far side by HTTP, and dies where it is told to.
///
/// usage: window_agent JOURNAL PORT CLASS DIES
///   CLASS  idempotent, keyed, queryable, at_most_once or transactional
///   DIES   never, before_effect, before_record or after_record: by SIGKILL, in the first process
///
/// Prints the run's reply: the effect's id at the far side, or the code of the error. What the far
/// side promises is windows_test.py's affair.
#include <perdure/perdure.hpp>

#include <curl/curl.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace {

namespace pd = perdure;
using namespace std::chrono_literals;

struct Told {
  std::string dies;
  int port = 0;
};
Told told;

void die_if(std::string_view where) {
  if (told.dies == where) std::raise(SIGKILL);
}

struct Answer {
  long status = 0;
  std::string text;
};

std::size_t take(const char* bytes, std::size_t, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(bytes, count);
  return count;
}

/// An answer that did not come leaves everything open.
pd::Result<Answer> post(const char* path, const std::string& key) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, ("Idempotency-Key: " + key).c_str()), &curl_slist_free_all);
  const std::string url = "http://127.0.0.1:" + std::to_string(told.port) + path;
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.text);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK)
    return pd::Error{pd::Code::user, std::string("no answer: ") + curl_easy_strerror(code), true};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

pd::Result<std::string> meaning(const Answer& answer) {
  if (answer.status == 200) return answer.text;
  return pd::Error{pd::Code::user, "status " + std::to_string(answer.status), true};
}

pd::Result<std::string> buy_by(const char* path, pd::Step& step) {
  die_if("before_effect");
  const pd::Result<Answer> answer = post(path, step.key());
  die_if("before_record");
  if (answer.has_error()) return answer.error();
  return meaning(answer.value());
}
pd::Result<std::string> buy(pd::Step& step, const std::string&) { return buy_by("/effect", step); }
pd::Result<std::string> buy_once(pd::Step& step, const std::string&) {
  return buy_by("/effect-once", step);
}

/// A key without an effect is closed, so that what comes late has none.
pd::Result<pd::Finding<std::string>> find(pd::Step& step, const std::string&) {
  PERDURE_TRY(const Answer answer, post("/find", step.key()));
  if (answer.status == 404) return pd::never_will_be;
  PERDURE_TRY(std::string id, meaning(answer));
  return id;
}

constexpr pd::Retry kRetry{.attempts_max = 3, .delay = 1ms, .jitter = 0};
inline constexpr pd::Tool idempotent{"idempotent", &buy, {.retry = kRetry}};
inline constexpr pd::Tool keyed{"keyed", &buy_once, {.effect = pd::Effect::keyed, .retry = kRetry}};
inline constexpr pd::Tool queryable{
    "queryable", &buy, {.effect = pd::Effect::queryable, .retry = kRetry, .find = &find}};
inline constexpr pd::Tool at_most_once{
    "at_most_once", &buy, {.effect = pd::Effect::at_most_once, .retry = kRetry}};
inline constexpr pd::Table<std::string, int> bought{"bought"};

template <const auto& kTool>
pd::Task<std::string> buys(pd::Context& ctx, std::string what) {
  const auto id = co_await pd::as_result(ctx.call(kTool, what));
  co_await ctx.step("ship", [](pd::Step&) { die_if("after_record"); });
  co_return id.has_value() ? id.assume_value() : std::string(pd::to_string(id.error().code));
}
pd::Task<std::string> counts(pd::Context& ctx, std::string what) {
  const int count = co_await ctx.transact("count", [&](pd::Transaction& rows) -> pd::Result<int> {
    die_if("before_effect");
    PERDURE_TRY(const std::optional<int> before, rows.get(bought, what));
    PERDURE_TRY(rows.put(bought, what, before.value_or(0) + 1));
    die_if("before_record");
    return before.value_or(0) + 1;
  });
  co_await ctx.step("ship", [](pd::Step&) { die_if("after_record"); });
  co_return std::to_string(count);
}
inline constexpr pd::Agent buys_idempotent{"idempotent", &buys<idempotent>};
inline constexpr pd::Agent buys_keyed{"keyed", &buys<keyed>};
inline constexpr pd::Agent buys_queryable{"queryable", &buys<queryable>};
inline constexpr pd::Agent buys_at_most_once{"at_most_once", &buys<at_most_once>};
inline constexpr pd::Agent counts_rows{"transactional", &counts};

pd::Result<std::string> reply_of(pd::Runtime& runtime, const std::string& effect) {
  const auto of = [&](const auto& agent) -> pd::Result<std::string> {
    PERDURE_TRY(auto run, runtime.session(agent, "s").start("bread"));
    return run.wait();
  };
  if (effect == "idempotent") return of(buys_idempotent);
  if (effect == "keyed") return of(buys_keyed);
  if (effect == "queryable") return of(buys_queryable);
  if (effect == "at_most_once") return of(buys_at_most_once);
  return of(counts_rows);
}

pd::Result<void> run(const std::string& journal, const std::string& effect) {
  PERDURE_TRY(auto runtime, pd::Runtime::open({.journal = journal}));
  runtime.serve(buys_idempotent, buys_keyed, buys_queryable, buys_at_most_once, counts_rows,
                idempotent, keyed, queryable, at_most_once);
  PERDURE_TRY(runtime.start());
  PERDURE_TRY(const std::string reply, reply_of(runtime, effect));
  std::cout << reply << '\n';
  return runtime.shutdown();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  told = {argv[4], std::atoi(argv[2])};
  if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK) return 2;
  const pd::Result<void> done = run(argv[1], argv[3]);
  if (done.has_error()) std::cerr << done.error().to_string() << '\n';
  return done.has_error() ? 1 : 0;
}
