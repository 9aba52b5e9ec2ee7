#include "cli/arguments.hpp"

#include <gtest/gtest.h>

namespace perdure::cli {
namespace {

std::variant<Request, Answer> parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "perdure");
  return parse_arguments(words);
}
Request request(const std::vector<const char*>& words) {
  const auto result = parsed(words);
  const auto* answer = std::get_if<Answer>(&result);
  EXPECT_EQ(answer, nullptr) << answer->text;
  return answer == nullptr ? std::get<Request>(result) : Request{};
}
Answer answer(const std::vector<const char*>& words) {
  const auto result = parsed(words);
  EXPECT_TRUE(std::holds_alternative<Answer>(result));
  return std::holds_alternative<Answer>(result) ? std::get<Answer>(result) : Answer{};
}

TEST(Arguments, ReadsRuns) {
  const Request plain = request({"runs", "--journal", "d"});
  EXPECT_EQ(plain.verb, Verb::runs);
  EXPECT_EQ(plain.journal, "d");
  EXPECT_EQ(plain.format, Format::text);
  EXPECT_EQ(plain.zone, Zone::local);
  EXPECT_EQ(plain.runs.limit, 50U);
  EXPECT_FALSE(plain.runs.agent);
  EXPECT_TRUE(plain.runs.statuses.empty());

  const Request full = request({"runs", "--json", "--utc", "--status", "parked,failed", "--status",
                                "running", "--agent", "trip", "--limit", "7", "--journal=d"});
  EXPECT_EQ(full.format, Format::json);
  EXPECT_EQ(full.zone, Zone::utc);
  EXPECT_EQ(full.runs.limit, 7U);
  EXPECT_EQ(full.runs.agent, "trip");
  EXPECT_EQ(full.runs.statuses,
            (std::vector{journal::RunStatus::running, journal::RunStatus::parked,
                         journal::RunStatus::failed}));
  EXPECT_FALSE(request({"runs", "--all", "--journal", "d"}).runs.limit);
  EXPECT_EQ(request({"runs", "--status", "queued", "--journal", "d"}).runs.statuses,
            std::vector{journal::RunStatus::queued});
}

TEST(Arguments, ReadsVerbsAboutARun) {
  const Request show = request({"show", "trip/a b", "--journal", "d"});
  EXPECT_EQ(show.verb, Verb::show);
  EXPECT_EQ(show.run, "trip/a b");
  const Request records = request({"journal", "--journal", "d", "--json", "01HF"});
  EXPECT_EQ(records.verb, Verb::journal);
  EXPECT_EQ(records.run, "01HF");
  EXPECT_EQ(records.format, Format::json);
  EXPECT_EQ(request({"verify", "--journal", "d"}).verb, Verb::verify);
  const Request session = request({"session", "trip/a b", "--journal", "d", "--utc"});
  EXPECT_EQ(session.verb, Verb::session);
  EXPECT_EQ(session.session, "trip/a b");
  EXPECT_EQ(session.zone, Zone::utc);
  const Request blob = request({"blob", "ba78", "--journal", "d", "--json"});
  EXPECT_EQ(blob.verb, Verb::blob);
  EXPECT_EQ(blob.blob, "ba78");
}

TEST(Arguments, ReadsWhatARaiseGives) {
  const Request raise =
      request({"raise", "a/b", "--journal", "d", "--money", "12.5", "--tokens", "2000000", "--gpu",
               "90s", "--attempts", "7", "--wall", "2h", "--by", "ann"});
  EXPECT_EQ(raise.verb, Verb::raise);
  EXPECT_TRUE(gives_an_order(raise.verb));
  const journal::Limits all{.money = 12'500'000,
                            .tokens = 2'000'000,
                            .gpu_us = 90'000'000,
                            .attempts = 7,
                            .wall_us = 7'200'000'000};
  EXPECT_EQ(raise.order.limits, all);
  EXPECT_EQ(raise.order.by, "ann");
  const auto money = [](const char* text) {
    return request({"raise", "a/b", "--journal", "d", "--money", text}).order.limits;
  };
  EXPECT_EQ(money("0"), journal::Limits{.money = 0});
  EXPECT_EQ(money("0.000001"), journal::Limits{.money = 1});
  EXPECT_EQ(money("9223372036853"), journal::Limits{.money = 9'223'372'036'853'000'000});
  for (const char* const wrong : {"", "-1", "1,5", "1.", ".5", "1.0000001", "five", "1e3",
                                  "9223372036855", "99999999999999999999"})
    EXPECT_EQ(answer({"raise", "a/b", "--journal", "d", "--money", wrong}).code, ExitCode::usage)
        << wrong;
  EXPECT_EQ(answer({"raise", "a/b", "--journal", "d", "--tokens", "-1"}).code, ExitCode::usage);
  EXPECT_EQ(answer({"raise", "a/b", "--journal", "d", "--gpu", "9"}).code, ExitCode::usage);
}

TEST(Arguments, ReadsWhatIsAboutSagas) {
  const Request sagas = request({"sagas", "--journal", "d", "--utc", "--json"});
  EXPECT_EQ(sagas.verb, Verb::sagas);
  EXPECT_EQ(sagas.zone, Zone::utc);
  EXPECT_EQ(sagas.format, Format::json);
  EXPECT_EQ(sagas.sagas.which, SagasRequest::Which::unfinished);
  EXPECT_EQ(request({"sagas", "--journal", "d", "--all"}).sagas.which, SagasRequest::Which::all);
  EXPECT_EQ(request({"sagas", "--journal", "d", "--stuck"}).sagas.which,
            SagasRequest::Which::stuck);
  const Request show = request({"saga", "show", "01HF.1", "--journal", "d", "--utc"});
  EXPECT_EQ(show.verb, Verb::saga_show);
  EXPECT_EQ(show.saga, "01HF.1");
  EXPECT_EQ(show.zone, Zone::utc);
  EXPECT_FALSE(gives_an_order(show.verb));
  const std::vector<std::pair<const char*, Verb>> orders{{"retry", Verb::saga_retry},
                                                         {"skip", Verb::saga_skip},
                                                         {"mark-done", Verb::saga_mark_done},
                                                         {"compensate", Verb::saga_compensate}};
  for (const auto& [word, verb] : orders) {
    const Request order = request(
        {"saga", word, "trip/a", "--journal", "d", "--why", "w", "--by", "ann", "--within", "2s"});
    EXPECT_EQ(order.verb, verb) << word;
    EXPECT_TRUE(gives_an_order(order.verb) && is_saga_order(order.verb));
    EXPECT_EQ(order.saga, "trip/a");
    EXPECT_EQ(order.order.why, "w");
    EXPECT_EQ(order.order.by, "ann");
    EXPECT_EQ(order.order.within, std::chrono::seconds(2));
    EXPECT_FALSE(order.order.action);
  }
  EXPECT_EQ(request({"saga", "skip", "x.1", "--journal", "d", "--action", "0"}).order.action, 0U);
  for (const char* const verb : {"cancel", "kill"}) {
    EXPECT_EQ(request({verb, "a/b", "--journal", "d"}).order.open_sagas, OpenSagas::leave);
    EXPECT_EQ(request({verb, "a/b", "--journal", "d", "--compensate"}).order.open_sagas,
              OpenSagas::compensate);
  }
}

TEST(Arguments, SaysWhatIsWrongAboutSagas) {
  EXPECT_EQ(answer({"saga"}).text,
            "perdure: name what to do: show, retry, skip, mark-done or compensate\n"
            "Try `perdure saga --help`.\n");
  EXPECT_EQ(answer({"saga", "shwo", "x"}).text,
            "perdure: there is no verb 'shwo': `perdure saga --help` lists them\n"
            "Try `perdure saga --help`.\n");
  EXPECT_EQ(answer({"saga", "retry", "--journal", "d"}).text,
            "perdure: SAGA is required\nTry `perdure saga retry --help`.\n");
  const std::vector<std::vector<const char*>> wrong = {
      {"saga", "retry", "x.1", "--journal", "d", "--action", "-1"},
      {"saga", "retry", "x.1", "--journal", "d", "--action", "4294967296"},
      {"saga", "compensate", "x.1", "--journal", "d", "--action", "1"},
      {"saga", "show", "x.1"},
      {"sagas", "--journal", "d", "--all", "--stuck"},
      {"raise", "x", "--journal", "d", "--compensate"},
  };
  for (const auto& words : wrong) EXPECT_EQ(answer(words).code, ExitCode::usage) << words[1];
  const Answer help = answer({"saga", "retry", "--help"});
  EXPECT_EQ(help.code, ExitCode::ok);
  for (const char* const part : {"perdure saga retry", "--action", "--why", "--by", "--within"})
    EXPECT_NE(help.text.find(part), std::string::npos) << help.text;
  EXPECT_NE(answer({"saga", "--help"}).text.find("mark-done"), std::string::npos);
}

TEST(Arguments, RefusesWhatIsWrong) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"nonsense"},
      {"runs"},
      {"show", "--journal", "d"},
      {"show", "a", "b", "--journal", "d"},
      {"session", "--journal", "d"},
      {"runs", "--journal", "d", "--status", "asleep"},
      {"runs", "--journal", "d", "--limit", "0"},
      {"runs", "--journal", "d", "--limit", "many"},
      {"runs", "--journal", "d", "--limit", "3", "--all"},
      {"runs", "--journal", "d", "--wrong"},
      {"verify", "--journal", "d", "extra"},
      {"runs", "verify", "--journal", "d"},
  };
  for (const auto& words : wrong) {
    const Answer given = answer(words);
    EXPECT_EQ(given.code, ExitCode::usage);
    EXPECT_TRUE(given.text.starts_with("perdure: ")) << given.text;
    EXPECT_NE(given.text.find("--help`.\n"), std::string::npos) << given.text;
  }
  EXPECT_NE(answer({"runs", "--journal", "d", "--status", "asleep"}).text.find("asleep"),
            std::string::npos);
  EXPECT_TRUE(
      answer({}).text.starts_with("perdure: name a verb: runs, show, journal, session, blob, "
                                  "rows, sagas, saga, verify, "));
  EXPECT_TRUE(answer({"shwo", "x"}).text.starts_with("perdure: there is no verb 'shwo': "));
  EXPECT_TRUE(answer({"show", "--journal", "d"}).text.starts_with("perdure: RUN is required\n"));
  EXPECT_EQ(answer({"\x1b[2J"}).text.find('\x1b'), std::string::npos);
}

TEST(Arguments, Helps) {
  const Answer help = answer({"--help"});
  EXPECT_EQ(help.code, ExitCode::ok);
  for (const char* part :
       {"runs", "show", "journal", "session", "verify", "Examples:", "Exit codes:"})
    EXPECT_NE(help.text.find(part), std::string::npos) << part;
  const Answer of_runs = answer({"runs", "--help"});
  EXPECT_EQ(of_runs.code, ExitCode::ok);
  for (const char* part : {"--journal", "--status", "--agent", "--limit", "--json"})
    EXPECT_NE(of_runs.text.find(part), std::string::npos) << part;
}

TEST(Arguments, TellsItsVersion) {
  const Answer version = answer({"--version"});
  EXPECT_EQ(version.code, ExitCode::ok);
  EXPECT_TRUE(version.text.starts_with("perdure 0.")) << version.text;
  EXPECT_TRUE(version.text.ends_with(" (journal format 1)\n")) << version.text;
}

}  // namespace
}  // namespace perdure::cli
