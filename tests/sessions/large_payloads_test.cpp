/// Values that are too large for records, and content that is too large to be a value: what is
/// stored as a blob is to handlers, programs and crashes what any payload is.
#include "tests/sessions/session_fixture.hpp"

namespace perdure::test {
namespace {

/// Above the threshold of payloads (32 KiB), and above that of state (1 MiB).
std::string large(char letter, std::size_t bytes = 40'000) { return std::string(bytes, letter); }
std::string larger(char letter) { return large(letter, (1U << 20U) + 5); }

inline constexpr pd::Signal<std::string> parcel{"parcel"};
inline constexpr pd::State<std::string> seen{"seen"};

std::string describe(const std::string& text) {
  return std::to_string(text.size()) + (text.empty() ? std::string() : std::string(1, text[0]));
}

pd::Task<std::string> pass_on(pd::Context& ctx, std::string text) {
  co_return co_await ctx.step("echo", [&](pd::Step&) { return text + "!"; });
}
inline constexpr pd::Handler echo{"echo", &pass_on};
inline constexpr pd::Agent echoing{"echoing", echo};

/// Large: its input, a step's result, state, signals, a call, its reply, a child's, and the reply.
pd::Task<std::string> haul(pd::Context& ctx, std::string text) {
  std::string all = describe(text);
  ctx.set(seen, ctx.get(seen) + larger('s'));
  const std::string made = co_await ctx.step("make", [&](pd::Step&) {
    outside->add("made");
    return text + large('m');
  });
  all += " " + describe(made);
  all += " " + describe(co_await ctx.receive(parcel));
  all += " " + describe(co_await ctx.session(echoing, "e").call(echo, large('c')));
  const auto child = co_await ctx.session(echoing, "f").spawn(echo, large('k'), {.key = "k"});
  all += " " + describe(co_await child.result());
  all += " " + describe(co_await ctx.receive(parcel));
  ctx.set(seen, ctx.get(seen) + larger('t'));
  all += " " + describe(ctx.get(seen));
  co_return all + large('r');
}
inline constexpr pd::Handler hauling{"haul", &haul};
std::string read_seen(const pd::View& view, int) { return describe(view.get(seen)); }
inline constexpr pd::Query get_seen{"seen", &read_seen};
inline constexpr pd::Agent hauler{"hauler", hauling, get_seen};

class LargePayloadsTest : public SessionFixture {
 protected:
  static std::string haul_all(kit::Runtime& test) {
    test.serve(echoing, hauler);
    auto session = test.session(hauler, "h");
    session.send(parcel, large('1')).value();
    auto run = session.start(hauling, large('i')).value();
    test.run_until_idle();
    // The same again: a sender that died does not know whether the first one came.
    session.send(parcel, large('1')).value();
    return run.wait().value();
  }
  static constexpr const char* kHauled = "40000i 80000i 400001 40001c 40001k 400001 2097162s";
};

TEST_P(LargePayloadsTest, AreAnyPayloads) {
  kit::Runtime test(options());
  EXPECT_EQ(haul_all(test), kHauled + large('r'));
  EXPECT_EQ(outside_.count("made"), 1U);
  EXPECT_EQ(test.session(hauler, "h").query(get_seen, 0).value(), "2097162s");
  EXPECT_EQ(disk_of(test).damage(), "");
  EXPECT_GE(disk_of(test).blobs(), 9U) << "they are where blobs are";
  test.restart(kit::End::unclean);
  EXPECT_EQ(haul_all(test), kHauled + large('r')) << "equal input attaches";
  EXPECT_EQ(outside_.count("made"), 1U);
}

TEST_P(LargePayloadsTest, SurviveEveryCrash) {
  const kit::CrashReport report = kit::crash_everywhere({.runtime = options()}, [&](auto& test) {
    outside_ = Outside();
    return haul_all(test);
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_GT(report.commits, 9U);
}

TEST_P(LargePayloadsTest, OfAKeyAreComparedByContent) {
  kit::Runtime test(options());
  auto session = test.session(echoing, "e");
  const auto first = session.send(echo, large('a'), {.key = "k"}).value();
  EXPECT_EQ(session.send(echo, large('a'), {.key = "k"}).value().id(), first.id());
  EXPECT_EQ(session.send(echo, large('b'), {.key = "k"}).error().code, pd::Code::already_started);
  test.restart();
  EXPECT_EQ(session.send(echo, large('a'), {.key = "k"}).value().id(), first.id());
  EXPECT_EQ(session.send(echo, large('b'), {.key = "k"}).error().code, pd::Code::already_started);
}

TEST_P(LargePayloadsTest, ThatWaitForTheirTurnAreKept) {
  kit::Runtime test(options());
  test.serve(echoing, hauler);
  auto session = test.session(hauler, "h");
  const auto first = session.send(hauling, large('i')).value();
  auto second = session.send(hauling, large('j')).value();
  test.restart(kit::End::unclean);
  for (const char letter : {'1', '2', '3', '4'}) session.send(parcel, large(letter)).value();
  EXPECT_EQ(second.wait().value().substr(0, 13), "40000j 80000j");
  EXPECT_EQ(disk_of(test).damage(), "");
}

PERDURE_TEST_FRAMES(LargePayloadsTest);

/// A value with blobs in it.
struct Film {
  std::string title;
  pd::Blob picture;
  std::vector<pd::Blob> extras;
};
PERDURE_DESCRIBE(Film, title, picture, extras);

pd::Result<Film> shoot(pd::Step& step, const std::string& title) {
  Film film{title, {}, {}};
  PERDURE_TRY(pd::BlobWriter picture, step.create_blob());
  for (const char frame : title) PERDURE_TRY(picture.append(large(frame)));
  PERDURE_TRY(film.picture, picture.finish());
  PERDURE_TRY(pd::BlobWriter extra, step.create_blob());
  PERDURE_TRY(extra.append("making of"));
  PERDURE_TRY(pd::Blob made, extra.finish());
  film.extras = {made, pd::Blob()};
  return film;
}

pd::Result<std::uint64_t> count_bytes(pd::Step& step, const pd::Blob& blob, char what) {
  PERDURE_TRY(pd::BlobReader reader, step.open_blob(blob));
  std::vector<std::byte> piece(1000);
  std::uint64_t count = 0;
  for (;;) {
    PERDURE_TRY(const std::size_t got, reader.read(piece));
    if (got == 0) return count;
    count += static_cast<std::uint64_t>(std::count(
        piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got), std::byte(what)));
  }
}

pd::Task<Film> produce(pd::Context& ctx, pd::Blob script) {
  const std::string title =
      co_await ctx.step("read", [&](pd::Step& step) -> pd::Result<std::string> {
        PERDURE_TRY(pd::BlobReader reader, step.open_blob(script));
        std::string text(reader.size(), ' ');
        PERDURE_TRY(reader.read(std::as_writable_bytes(std::span(text))));
        return text;
      });
  Film film = co_await ctx.step("shoot", [&](pd::Step& step) { return shoot(step, title); });
  co_await ctx.sleep(1h);
  const auto count = co_await ctx.step(
      "count", [&](pd::Step& step) { return count_bytes(step, film.picture, title[1]); });
  film.title += " " + std::to_string(count) + " of " + std::to_string(film.picture.size());
  co_return film;
}
inline constexpr pd::Agent studio{"studio", &produce};

class BlobsTest : public SessionFixture {
 protected:
  static pd::Blob script(kit::Runtime& test, std::string_view text) {
    pd::BlobWriter writer = test.create_blob().value();
    writer.append(text).value();
    return writer.finish().value();
  }
  static Film film(kit::Runtime& test) {
    auto run = test.session(studio, "s").start(script(test, "abc")).value();
    test.advance(1h);
    return run.wait().value();
  }
};

TEST_P(BlobsTest, AreWrittenReadAndPassedOnPieceByPiece) {
  kit::Runtime test(options());
  const Film made = film(test);
  EXPECT_EQ(made.title, "abc 40000 of 120000");
  ASSERT_EQ(made.extras.size(), 2U);
  pd::BlobReader extra = test.open_blob(made.extras[0]).value();
  std::string text(100, ' ');
  text.resize(extra.read(std::as_writable_bytes(std::span(text))).value());
  EXPECT_EQ(text, "making of");
  std::string tail(4, ' ');
  EXPECT_EQ(extra.read_at(7, std::as_writable_bytes(std::span(tail))).value(), 2U);
  EXPECT_EQ(tail, "of  ");
  EXPECT_EQ(test.open_blob(made.extras[1]).value().size(), 0U);
  EXPECT_EQ(script(test, "making of"), made.extras[0]) << "equal content is equal blobs";
  EXPECT_EQ(made.extras[0].id().size(), 64U);
  EXPECT_EQ(disk_of(test).damage(), "");
}

TEST_P(BlobsTest, SurviveEveryCrash) {
  const kit::CrashReport report =
      kit::crash_everywhere({.runtime = options()}, [](kit::Runtime& test) { return film(test); });
  EXPECT_TRUE(report.ok()) << to_string(report);
}

TEST_P(BlobsTest, ThatAreNoneAreRefusedInWords) {
  kit::Runtime test(options());
  const auto missing = test.open_blob(pd::Blob(std::string(64, 'a'), 3));
  EXPECT_EQ(missing.error().code, pd::Code::not_found) << missing.error().message;
  EXPECT_TRUE(contains(missing.error().message, std::string(64, 'a')));
  const auto odd = test.open_blob(pd::Blob("../../etc/passwd", 3));
  EXPECT_EQ(odd.error().code, pd::Code::misuse);
  EXPECT_TRUE(contains(odd.error().message, "'../../etc/passwd' is no blob's id"));
  const auto start = test.session(studio, "s").start(pd::Blob("short", 3));
  EXPECT_EQ(start.error().code, pd::Code::misuse) << start.error().message;
  const pd::Blob there = script(test, "abc");
  EXPECT_EQ(test.open_blob(pd::Blob(there.id(), 4)).error().code, pd::Code::corrupt);
  pd::BlobWriter writer = test.create_blob().value();
  EXPECT_EQ(writer.finish().value(), pd::Blob()) << "no content";
  EXPECT_EQ(writer.finish().error().code, pd::Code::misuse);
}

PERDURE_TEST_FRAMES(BlobsTest);

}  // namespace
}  // namespace perdure::test
