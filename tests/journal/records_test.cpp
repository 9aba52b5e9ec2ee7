// Every kind of value comes back as it went in; damage of any byte is seen; limits are kept.

#include "journal/change.hpp"
#include "journal/step_path.hpp"
#include "tests/journal/records_fixture.hpp"

#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

using core::as_bytes;

StepResult step_result() {
  StepResult result;
  result.path = kPath;
  result.name = "charge";
  result.type = "Receipt";
  result.attempts = 3;
  result.stamp = 1'700'000'000'123'456;
  result.busy_us = 77;
  result.payload = as_bytes("some bytes");
  return result;
}

TEST(Records, RunCreatedComesBack) {
  RecordBuffer buffer;
  const RunCreated in{"cart", 2, "add", "alice", "start", "Order", as_bytes("in\0put"), ~0ULL, -5};
  const RunCreated out = reload(buffer, in);
  EXPECT_EQ(out.agent, "cart");
  EXPECT_EQ(out.agent_version, 2U);
  EXPECT_EQ(out.handler, "add");
  EXPECT_EQ(out.session_key, "alice");
  EXPECT_EQ(out.message_key, "start");
  EXPECT_EQ(out.input_type, "Order");
  EXPECT_TRUE(same(out.payload.inlined(), in.payload.inlined()));
  EXPECT_EQ(out.seed, ~0ULL);
  EXPECT_EQ(out.stamp, -5);
}

TEST(Records, StepStartedComesBack) {
  RecordBuffer buffer;
  const StepStarted out =
      reload(buffer, StepStarted{kPath, "charge", EffectClass::at_most_once, 4, 9});
  EXPECT_TRUE(same(out.path, kPath));
  EXPECT_EQ(out.name, "charge");
  EXPECT_EQ(out.effect, EffectClass::at_most_once);
  EXPECT_EQ(out.attempt, 4U);
  EXPECT_EQ(out.stamp, 9);
}

TEST(Records, StepResultComesBack) {
  RecordBuffer buffer;
  const StepResult out = reload(buffer, step_result());
  EXPECT_TRUE(same(out.path, kPath));
  EXPECT_EQ(out.step_kind, StepKind::step);
  EXPECT_EQ(out.name, "charge");
  EXPECT_EQ(out.type, "Receipt");
  EXPECT_EQ(out.attempts, 3U);
  EXPECT_EQ(out.stamp, 1'700'000'000'123'456);
  EXPECT_EQ(out.busy_us, 77);
  EXPECT_FALSE(out.error);
  EXPECT_TRUE(same(out.payload.inlined(), as_bytes("some bytes")));
}

TEST(Records, EveryStateOfAnErrorComesBack) {
  RecordBuffer buffer;
  const std::array<std::optional<bool>, 3> retryable{std::nullopt, false, true};
  const std::array<std::optional<std::int64_t>, 3> after{std::nullopt, 0, -1};
  const std::array<std::optional<ErrorEffect>, 4> effect{
      std::nullopt, ErrorEffect::refused, ErrorEffect::happened, ErrorEffect::unknown};
  for (const auto& r : retryable)
    for (const auto& a : after)
      for (const auto& e : effect) {
        const ErrorView in{Code::timeout, "too slow", r, a, e};
        const RunEnded out = reload(buffer, RunEnded{1, "T", in, {}});
        ASSERT_TRUE(out.error);
        EXPECT_EQ(out.error->code, Code::timeout);
        EXPECT_EQ(out.error->message, "too slow");
        EXPECT_EQ(out.error->retryable, r);
        EXPECT_EQ(out.error->retry_after_ms, a);
        EXPECT_EQ(out.error->effect, e);
        EXPECT_EQ(to_error(view_of(to_error(in))), to_error(*out.error));
      }
}

TEST(Records, RowsComeBack) {
  RecordBuffer buffer;
  const Identity identity =
      reload(buffer, Identity{{0x0102030405060708, 0xf1f2f3f4f5f6f7f8}, 5, "9.9"});
  EXPECT_EQ(identity.journal, (core::Hash128{0x0102030405060708, 0xf1f2f3f4f5f6f7f8}));
  EXPECT_EQ(identity.created, 5);
  EXPECT_EQ(identity.created_by, "9.9");
  const Counters counters = reload(buffer, Counters{1, 2, 3, 4, 1});
  EXPECT_EQ(counters.epoch + 10 * counters.incarnation + 100 * counters.last_number, 321U);
  EXPECT_EQ(counters.last_stamp, 4);
  EXPECT_EQ(counters.clean, 1U);
  const SessionRow session = reload(buffer, SessionRow{"cart", "", 8});
  EXPECT_EQ(session.agent, "cart");
  EXPECT_EQ(session.key, "");
  EXPECT_EQ(session.created, 8);
  RunId run;
  run.bytes[15] = std::byte{9};
  EXPECT_EQ(reload(buffer, MessageKeyRow{"start", run}).run, run);
  SessionId id;
  id.bytes[0] = std::byte{1};
  const RunRow row = reload(buffer, RunRow{id, "cart", 7, "add", "alice", 6});
  EXPECT_EQ(row.session, id);
  EXPECT_EQ(row.agent_version, 7U);
  EXPECT_EQ(row.handler, "add");
  EXPECT_EQ(row.session_key, "alice");
  EXPECT_EQ(row.created, 6);
  const HeadRow head = reload(buffer, HeadRow{12, RunStatus::parked, 3, Code::diverged, "why", 2});
  EXPECT_EQ(head.count, 12U);
  EXPECT_EQ(head.status, RunStatus::parked);
  EXPECT_EQ(head.code, Code::diverged);
  EXPECT_EQ(head.reason, "why");
  EXPECT_EQ(head.ahead, 2U);
  EXPECT_EQ(reload(buffer, ReadyRow{id}).session, id);
  EXPECT_TRUE(same(reload(buffer, DueRow{DueRow::What::retry, kPath}).path, kPath));
  const ErrorView first{Code::user, "a", {}, {}, {}};
  const AttemptsRow attempts = reload(buffer, AttemptsRow{kPath, "s", 3, 1, first, {}, 4, 5});
  EXPECT_EQ(attempts.count, 3U);
  EXPECT_EQ(attempts.unclean_ends, 1U);
  EXPECT_EQ(attempts.first_error->message, "a");
  EXPECT_FALSE(attempts.last_error);
  EXPECT_EQ(attempts.last_stamp, 4);
  EXPECT_EQ(attempts.next_due, 5);
}

TEST(Records, AChangedByteAnywhereIsSeen) {
  const core::Bytes good = sealed(step_result());
  RecordBuffer buffer;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (unsigned bit = 0; bit < 8; ++bit) {
      core::Bytes bad = good;
      bad[i] ^= std::byte{static_cast<unsigned char>(1U << bit)};
      const Result<void> loaded = buffer.load(kKey.view(), bad);
      ASSERT_FALSE(loaded) << "byte " << i << " bit " << bit;
      EXPECT_EQ(loaded.error().code, Code::corrupt);
      EXPECT_EQ(buffer.as<StepResult>().error().code, Code::corrupt);
    }
}

TEST(Records, AnyCutIsSeen) {
  const core::Bytes good = sealed(step_result());
  RecordBuffer buffer;
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Result<void> loaded = buffer.load(kKey.view(), core::ByteView(good).first(size));
    ASSERT_FALSE(loaded) << size;
    EXPECT_EQ(loaded.error().code, Code::corrupt);
  }
}

TEST(Records, AValueUnderAnotherKeyIsCorrupt) {
  RecordBuffer buffer;
  EXPECT_FALSE(buffer.load(Key{}.add(std::uint32_t{1}).view(), sealed(step_result())));
}

TEST(Records, ReadFromAnyAlignment) {
  const core::Bytes good = sealed(step_result());
  RecordBuffer buffer;
  core::Bytes shifted(good.size() + 8);
  for (std::size_t by = 0; by < 8; ++by) {
    std::memcpy(shifted.data() + by, good.data(), good.size());
    ASSERT_TRUE(buffer.load(kKey.view(), core::ByteView(shifted).subspan(by, good.size())));
    EXPECT_EQ(buffer.as<StepResult>().value().name, "charge");
  }
}

TEST(Records, AnotherKindIsCorruptAndSaysBoth) {
  RecordBuffer buffer;
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(step_result())));
  const Result<RunEnded> read = buffer.as<RunEnded>();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_EQ(read.error().message, "it is a step_result where a run_ended belongs");
}

/// Gives `bytes` another envelope field and a checksum that holds.
core::Bytes resealed(core::Bytes bytes, std::size_t at, std::uint16_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  const std::uint64_t sum =
      core::checksum(core::ByteView(bytes).subspan(8), core::checksum(kKey.view()));
  std::memcpy(bytes.data(), &sum, sizeof sum);
  return bytes;
}

TEST(Records, NewerFormatsAndKindsSaySo) {
  RecordBuffer buffer;
  const Result<void> format = buffer.load(kKey.view(), resealed(sealed(step_result()), 16, 2));
  EXPECT_EQ(format.error().code, Code::newer_format);
  EXPECT_NE(format.error().message.find("format 2"), std::string::npos);
  const Result<void> kind = buffer.load(kKey.view(), resealed(sealed(step_result()), 18, 77));
  EXPECT_EQ(kind.error().code, Code::newer_format);
  EXPECT_NE(kind.error().message.find("kind 77"), std::string::npos);
}

TEST(Records, UnknownEnumeratorsAreNewerNeverWild) {
  RecordBuffer buffer;
  StepResult kind = step_result();
  kind.step_kind = static_cast<StepKind>(200);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(kind)));
  EXPECT_EQ(buffer.as<StepResult>().error().code, Code::newer_format);
  ASSERT_TRUE(
      buffer.load(kKey.view(), sealed(StepStarted{kPath, "s", static_cast<EffectClass>(9), 1, 1})));
  EXPECT_EQ(buffer.as<StepStarted>().error().code, Code::newer_format);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(HeadRow{1, static_cast<RunStatus>(0), 1, {}, {}})));
  EXPECT_EQ(buffer.as<HeadRow>().error().code, Code::newer_format);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(DueRow{static_cast<DueRow::What>(8), {}})));
  EXPECT_EQ(buffer.as<DueRow>().error().code, Code::newer_format);
  ArrivalRow arrival;
  arrival.what = static_cast<ArrivalRow::What>(10);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(arrival)));
  EXPECT_EQ(buffer.as<ArrivalRow>().error().code, Code::newer_format);
  WaitRow wait;
  wait.step_kind = static_cast<StepKind>(10);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(wait)));
  EXPECT_EQ(buffer.as<WaitRow>().error().code, Code::newer_format);
  ChildRow child;
  child.parent_end = static_cast<ParentEnd>(4);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(child)));
  EXPECT_EQ(buffer.as<ChildRow>().error().code, Code::newer_format);
  CancelRequested cancel;
  cancel.code = static_cast<Code>(999);
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(cancel)));
  EXPECT_EQ(buffer.as<CancelRequested>().error().code, Code::newer_format);
  const ErrorView code{static_cast<Code>(999), "m", {}, {}, {}};
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(RunEnded{1, {}, code, {}})));
  EXPECT_EQ(buffer.as<RunEnded>().error().code, Code::newer_format);
  const ErrorView effect{Code::user, "m", {}, {}, static_cast<ErrorEffect>(3)};
  ASSERT_TRUE(buffer.load(kKey.view(), sealed(RunEnded{1, {}, effect, {}})));
  EXPECT_EQ(buffer.as<RunEnded>().error().message,
            "it holds error effect 3, which this Perdure does not know: use a newer one");
}

TEST(Records, ABodyThatIsNoFlatBufferIsCorrupt) {
  RecordBuffer buffer;
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{64}}) {
    core::Bytes bytes(kEnvelopeBytes + size, std::byte{0xEE});
    seal(kKey.view(), bytes, Kind::step_result, 1);
    ASSERT_TRUE(buffer.load(kKey.view(), bytes));
    EXPECT_EQ(buffer.as<StepResult>().error().code, Code::corrupt);
  }
}

TEST(Records, LongErrorMessagesAreCutBetweenCharacters) {
  std::string message(core::limits::kErrorMessageBytes - 1, 'x');
  message += "é and more";
  RecordBuffer buffer;
  const RunEnded out =
      reload(buffer, RunEnded{1, {}, ErrorView{Code::user, message, {}, {}, {}}, {}});
  EXPECT_EQ(out.error->message, message.substr(0, core::limits::kErrorMessageBytes - 1));
}

TEST(Records, EqualValuesHaveEqualBytes) {
  EXPECT_EQ(sealed(step_result()), sealed(step_result()));
}

TEST(Change, TakesValuesWithinLimits) {
  Change change;
  StepResult result = step_result();
  const std::string name(core::limits::kNameBytes, 'n');
  result.name = name;
  change.append(RunId{}, 0, result);
  change.put(Table::runs, Key{}.add(RunId{}), HeadRow{});
  change.erase(Table::ready, Key{}.add(RunId{}));
  EXPECT_FALSE(change.refusal());
  EXPECT_EQ(change.records(), 1U);
  EXPECT_FALSE(change.empty());
}

TEST(Change, IsRefusedWholeWhenAValueBreaksALimit) {
  Change change;
  change.append(RunId{}, 0, step_result());
  StepResult result = step_result();
  const std::string name(core::limits::kNameBytes + 1, 'n');
  result.name = name;
  change.append(RunId{}, 1, result);
  change.append(RunId{}, 2, step_result());
  change.erase(Table::ready, Key{}.add(RunId{}));
  ASSERT_TRUE(change.refusal());
  EXPECT_EQ(change.refusal()->code, Code::too_large);
  EXPECT_EQ(change.refusal()->message,
            "the step's name has 257 bytes, the limit kNameBytes is 256");
  EXPECT_TRUE(change.empty());
  EXPECT_EQ(change.records(), 0U);
}

TEST(Change, KeepsEveryLimit) {
  const std::string key(core::limits::kKeyBytes + 1, 'k');
  const core::Bytes payload(core::limits::kInlinePayloadBytes + 1);
  const std::vector<std::uint32_t> path(core::limits::kPathDepth + 1, 1);
  const auto refused = [](const auto& value) {
    Change change;
    change.put(Table::meta, Key{}, value);
    return change.refusal() && change.refusal()->code == Code::too_large;
  };
  RunCreated created;
  created.message_key = key;
  EXPECT_TRUE(refused(created));
  created = {};
  created.payload = payload;
  EXPECT_TRUE(refused(created));
  EXPECT_TRUE(refused(StepStarted{path, {}, {}, 1, 1}));
  EXPECT_TRUE(refused(DueRow{DueRow::What::retry, path}));
  EXPECT_TRUE(refused(SessionRow{"a", key, 1}));
  EXPECT_TRUE(refused(MessageKeyRow{key, {}}));
  EXPECT_TRUE(refused(RunEnded{1, {}, {}, payload}));
  Change change;
  change.append(RunId{}, core::limits::kRecordsPerRun, StepStarted{});
  EXPECT_TRUE(change.refusal());
}

TEST(StepPath, PrintsAndComparesAndHashes) {
  StepPath path;
  EXPECT_TRUE(path.empty());
  EXPECT_EQ(path.to_string(), "");
  std::string text;
  for (std::uint32_t i = 1; i <= 9; ++i) {
    const StepPath shorter = path;
    path = path.child(i);
    text += (i == 1 ? "" : ".") + std::to_string(i);
    EXPECT_EQ(path.to_string(), text);
    EXPECT_EQ(path.depth(), i);
    EXPECT_FALSE(path == shorter);
    EXPECT_EQ(path, StepPath(path.components()));
    EXPECT_EQ(path.hash(), StepPath(path.components()).hash());
    EXPECT_NE(path.hash(), shorter.hash());
    StepPath assigned = path;
    assigned.assign(shorter.components());
    EXPECT_EQ(assigned, shorter);
  }
}

TEST(StepPath, HashIsPartOfTheFormat) {
  EXPECT_EQ(StepPath(kPath).hash(),
            core::checksum(as_bytes(std::string_view("\3\0\0\0\0\0\0\0\1\0\0\0", 12))));
}

}  // namespace
}  // namespace perdure::journal
