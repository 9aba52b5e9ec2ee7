/// Operators' orders as bytes: what passes, what is refused, and that no bytes do harm.
#include "journal/control_protocol.hpp"

#include <perdure/codec.hpp>

#include "core/limits.hpp"
#include "core/random.hpp"
#include "journal/session_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace perdure::journal {
namespace {

RunId some_run() {
  RunId run;
  run.bytes[15] = std::byte{7};
  return run;
}
ControlRequest word(ControlVerb verb) {
  ControlRequest request;
  request.verb = verb;
  request.what.what = row_of(verb);
  request.what.run = some_run();
  request.what.who = "ada@host";
  request.what.why = "because";
  request.what.grace_ms = 5000;
  return request;
}
ControlRequest mail(ControlVerb verb) {
  ControlRequest request;
  request.verb = verb;
  request.what.what = row_of(verb);
  request.what.agent = "trip";
  request.what.session_key = "alice/lisbon";
  request.what.name = "approval";
  request.what.payload = encode(std::string("yes")).value();
  return request;
}
Result<ControlRequest> passed(core::ByteView frame) {
  PERDURE_TRY(const ControlHeader header, read_header(frame.first(kControlHeaderBytes)));
  return decode_request(header, frame.subspan(kControlHeaderBytes));
}
/// A frame around any row, sealed as a client would.
template <class T>
core::Bytes framed(ControlVerb verb, const T& row) {
  core::Bytes value(kEnvelopeBytes);
  encode_body(row, value);
  seal(core::as_bytes(std::string_view("control")), value, T::kKind, 0);
  core::Bytes frame;
  for (const auto byte :
       std::array<std::size_t, 8>{value.size() & 255U, value.size() >> 8U, 0, 0, kControlVersion, 0,
                                  static_cast<std::size_t>(verb), 0})
    frame.push_back(static_cast<std::byte>(byte & 255U));
  frame.insert(frame.end(), value.begin(), value.end());
  return frame;
}

TEST(ControlProtocol, RequestsComeThroughAsTheyWere) {
  for (const ControlVerb verb :
       {ControlVerb::retry_now, ControlVerb::resume, ControlVerb::cancel, ControlVerb::kill}) {
    const ControlRequest got = passed(encode_request(word(verb)).value()).value();
    EXPECT_EQ(got.verb, verb);
    EXPECT_EQ(got.what.what, row_of(verb));
    EXPECT_EQ(got.what.run, some_run());
    EXPECT_EQ(got.what.who + got.what.why, "ada@hostbecause");
    EXPECT_EQ(got.what.grace_ms, 5000);
  }
  ControlRequest raise = word(ControlVerb::raise);
  raise.what.limits = {.money = 12'500'000, .attempts = 0};
  EXPECT_EQ(passed(encode_request(raise).value()).value().what.limits, raise.what.limits);
  ControlRequest message = mail(ControlVerb::message);
  message.what.message_key = "m-1";
  const ControlRequest got = passed(encode_request(message).value()).value();
  EXPECT_EQ(got.what.agent + "|" + got.what.session_key + "|" + got.what.name + "|" +
                got.what.message_key,
            "trip|alice/lisbon|approval|m-1");
  EXPECT_EQ(got.what.payload.bytes, message.what.payload.bytes);
}

TEST(ControlProtocol, RepliesComeThroughAsTheyWere) {
  const auto passed_reply = [](const core::Bytes& frame) {
    const core::ByteView all = frame;
    const ControlHeader header = read_header(all.first(kControlHeaderBytes)).value();
    return decode_reply(header, all.subspan(kControlHeaderBytes));
  };
  const ControlReply done = passed_reply(encode_reply({"it is done", some_run()})).value();
  EXPECT_EQ(done.words, "it is done");
  EXPECT_EQ(done.run, some_run());
  EXPECT_FALSE(done.error);
  const Error why{Code::refused, "it has ended"};
  const ControlReply refused = passed_reply(encode_reply({{}, std::nullopt, why})).value();
  EXPECT_EQ(refused.error->code, Code::refused);
  EXPECT_EQ(refused.error->message, "it has ended");
  core::Bytes contradicting = encode_reply({{}, std::nullopt, why});
  contradicting[6] = std::byte{0};
  EXPECT_EQ(passed_reply(contradicting).error().code, Code::corrupt);
  EXPECT_EQ(passed_reply(framed(ControlVerb::signal, view_of(mail(ControlVerb::signal).what)))
                .error()
                .code,
            Code::corrupt);
}

TEST(ControlProtocol, EachRuleIsKeptOnBothSides) {
  struct Wrong {
    ControlVerb verb;
    std::function<void(Arrival&)> how;
    Code code;
    const char* words;
  };
  const std::vector<Wrong> all = {
      {ControlVerb::signal, [](Arrival& a) { a.agent = "a/b"; }, Code::misuse, "'/'"},
      {ControlVerb::signal, [](Arrival& a) { a.agent.clear(); }, Code::misuse, "agent's name"},
      {ControlVerb::signal, [](Arrival& a) { a.session_key.clear(); }, Code::misuse, "key"},
      {ControlVerb::signal, [](Arrival& a) { a.session_key = "a\nb"; }, Code::misuse, "control"},
      {ControlVerb::signal, [](Arrival& a) { a.name.clear(); }, Code::misuse, "signal's name"},
      {ControlVerb::message, [](Arrival& a) { a.name.clear(); }, Code::misuse, "handler's name"},
      {ControlVerb::signal, [](Arrival& a) { a.name = std::string(300, 'n'); }, Code::too_large,
       "300"},
      {ControlVerb::signal, [](Arrival& a) { a.message_key = "k"; }, Code::misuse, "message key"},
      {ControlVerb::message, [](Arrival& a) { a.message_key = std::string(2000, 'k'); },
       Code::too_large, "2000"},
      {ControlVerb::signal, [](Arrival& a) { a.payload.bytes = {std::byte{255}, std::byte{1}}; },
       Code::undecodable, "payload"},
      {ControlVerb::signal, [](Arrival& a) { a.path = StepPath(std::array<std::uint32_t, 1>{1}); },
       Code::misuse, "session"},
      {ControlVerb::message, [](Arrival& a) { a.other = some_run(); }, Code::misuse, "session"},
      {ControlVerb::cancel, [](Arrival& a) { a.run.reset(); }, Code::misuse, "no run"},
      {ControlVerb::cancel, [](Arrival& a) { a.grace_ms = -1; }, Code::misuse, "negative"},
      {ControlVerb::kill, [](Arrival& a) { a.name = "x"; }, Code::misuse, "payload"},
      {ControlVerb::kill, [](Arrival& a) { a.limits.tokens = 5; }, Code::misuse, "limits"},
      {ControlVerb::signal, [](Arrival& a) { a.limits.money = 0; }, Code::misuse, "limits"},
      {ControlVerb::raise, [](Arrival&) {}, Code::misuse, "names no limit"},
      {ControlVerb::kill, [](Arrival& a) { a.who = std::string(300, 'w'); }, Code::too_large,
       "300"},
      {ControlVerb::kill, [](Arrival& a) { a.what = ArrivalRow::What::cancel; }, Code::misuse,
       "kill"}};
  for (const Wrong& wrong : all) {
    const bool is_mail = wrong.verb == ControlVerb::signal || wrong.verb == ControlVerb::message;
    ControlRequest request = is_mail ? mail(wrong.verb) : word(wrong.verb);
    wrong.how(request.what);
    const auto sent = encode_request(request);
    ASSERT_FALSE(sent) << wrong.words;
    EXPECT_EQ(sent.error().code, wrong.code) << sent.error().message;
    EXPECT_NE(sent.error().message.find(wrong.words), std::string::npos) << sent.error().message;
    const auto got = passed(framed(wrong.verb, view_of(request.what)));
    ASSERT_FALSE(got) << wrong.words;
    EXPECT_EQ(got.error().code, wrong.code) << got.error().message;
  }
}

TEST(ControlProtocol, ARowOfAnotherKindIsDamage) {
  const auto got = passed(framed(ControlVerb::signal, OpenRow{some_run()}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::corrupt);
}

/// The checksum keeps chance out, not somebody who seals what he likes.
TEST(ControlProtocol, SealedNonsenseIsRefusedOrARequestThatKeepsTheRules) {
  core::SeededRandom random(11);
  ControlRequest request = mail(ControlVerb::message);
  request.what.message_key = "m-1";
  const core::Bytes good = encode_request(request).value();
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    core::Bytes bad = good;
    const std::size_t changes = 1 + random.next() % 4;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t from = kControlHeaderBytes + kEnvelopeBytes;
      bad[from + random.next() % (bad.size() - from)] =
          static_cast<std::byte>(random.next() & 255U);
    }
    seal(core::as_bytes(std::string_view("control")), std::span(bad).subspan(kControlHeaderBytes),
         Kind::arrival, 0);
    const auto got = passed(bad);
    if (got.has_value()) {
      EXPECT_TRUE(check_request(got.assume_value()).has_value());
      EXPECT_TRUE(encode_request(got.assume_value()).has_value());
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000U);
}

TEST(ControlProtocol, AnAddressHasTwoParts) {
  const ControlAddress address = parse_address("trip/alice/lisbon").value();
  EXPECT_EQ(address.agent, "trip");
  EXPECT_EQ(address.key, "alice/lisbon");
  for (const char* text : {"", "trip", "/alice", "trip/", "trip/a\tb"})
    EXPECT_EQ(parse_address(text).error().code, Code::misuse) << text;
}

}  // namespace
}  // namespace perdure::journal
