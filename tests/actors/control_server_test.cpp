/// The socket of operators' orders: its name, and clients that are wrong, slow, many or gone.
#include "tests/actors/control_fixture.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fstream>
#include <future>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;
using actors::ControlServer;

inline constexpr pd::Signal<std::string> go{"go"};
pd::Task<std::string> wait_for_go(pd::Context& ctx, std::string) {
  co_return co_await ctx.receive(go);
}
inline constexpr pd::Agent waiter{"waiter", &wait_for_go};

ControlRequest signal() {
  return mail(ControlVerb::signal, "waiter", "s", "go", std::string("on"));
}
core::Bytes frame() { return journal::encode_request(signal()).value(); }
void put(core::Bytes& bytes, std::size_t at, std::uint64_t number, std::size_t count) {
  for (; count > 0; --count, ++at, number >>= 8U) bytes[at] = static_cast<std::byte>(number & 255U);
}

class ControlSocket : public ControlFixture {
 protected:
  /// The answer to bytes behind which nothing more comes.
  [[nodiscard]] std::optional<ControlReply> reply_to(core::ByteView bytes) {
    RawClient client(socket_.path());
    client.send(bytes);
    client.end();
    return client.reply();
  }
  [[nodiscard]] Error error_of(core::ByteView bytes) {
    const auto reply = reply_to(bytes);
    EXPECT_TRUE(reply && reply->error);
    return reply && reply->error ? *reply->error : Error{};
  }
  void still_works() { EXPECT_TRUE(contains(done(signal()), "'go'")); }
};

TEST_F(ControlSocket, BytesOfAnyKindGetAnErrorAndHarmNobody) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  const core::Bytes good = frame();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned bit : {0U, 3U, 7U}) {
      core::Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      const auto reply = reply_to(bad);
      ASSERT_TRUE(reply && reply->error) << "byte " << at << " bit " << bit;
    }
  }
  for (std::size_t size = 1; size < good.size(); ++size) {
    const Error cut = error_of(core::ByteView(good).first(size));
    ASSERT_TRUE(contains(cut.message, "ended before it was complete")) << size;
  }
  EXPECT_FALSE(reply_to({})) << "a client that came for nothing";
  still_works();
}

TEST_F(ControlSocket, AnotherVersionAnUnknownVerbAndAHugeFrameAreToldByTheirHeader) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  core::Bytes other = frame();
  put(other, 4, 2, 2);
  const Error version = error_of(other);
  EXPECT_EQ(version.code, pd::Code::newer_format);
  EXPECT_TRUE(contains(version.message, "version 2 ")) << version.message;
  core::Bytes verb = frame();
  put(verb, 6, 99, 2);
  EXPECT_EQ(error_of(verb).code, pd::Code::newer_format);
  // The verb and the row must agree: a signal asked for as a kill is no kill.
  core::Bytes kill = frame();
  put(kill, 6, static_cast<std::uint16_t>(ControlVerb::kill), 2);
  EXPECT_EQ(error_of(kill).code, pd::Code::misuse);
  core::Bytes huge = frame();
  put(huge, 0, 0xFFFFFFFFU, 4);
  const Error size = error_of(huge);
  EXPECT_EQ(size.code, pd::Code::too_large);
  EXPECT_TRUE(contains(size.message, "4294967295")) << size.message;
  still_works();
}

TEST_F(ControlSocket, TheLargestPayloadPassesAndTwoOfThemNotSideBySide) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  ControlRequest large = signal();
  large.what.payload = encode(std::string(core::limits::kInlinePayloadBytes - 64, 'x')).value();
  EXPECT_TRUE(contains(done(large), "'go'"));
  // Two clients that only announce much leave no room for a third.
  core::Bytes header = frame();
  header.resize(journal::kControlHeaderBytes);
  put(header, 0, journal::kControlBytesMax, 4);
  RawClient first(socket_.path());
  RawClient second(socket_.path());
  first.send(header);
  second.send(header);
  // The server reads clients in the order in which they came: these two before the third.
  const Error why = refused(large);
  EXPECT_EQ(why.code, pd::Code::busy);
  first.leave();
  second.leave();
}

TEST_F(ControlSocket, SilentClientsHoldUpNobodyAndAreDroppedInTime) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (std::size_t i = 0; i + 1 < ControlServer::kClients; ++i) {
    silent.push_back(std::make_unique<RawClient>(socket_.path()));
    silent.back()->send(core::ByteView(frame()).first(3));
  }
  still_works();
  silent.push_back(std::make_unique<RawClient>(socket_.path()));
  RawClient late(socket_.path());
  const auto busy = late.reply();
  ASSERT_TRUE(busy && busy->error);
  EXPECT_EQ(busy->error->code, pd::Code::busy);
  engine.advance(ControlServer::kPatience);
  for (const auto& client : silent) {
    const auto reply = client->reply();
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, pd::Code::timeout);
  }
  still_works();
}

TEST_F(ControlSocket, AClientThatLeavesBeforeItsAnswerIsNotMissed) {
  TestEngine engine(disk_, options());
  engine.start(waiter);
  const auto run = engine.runtime().session(waiter, "s").start("").value();
  {
    RawClient client(socket_.path());
    client.send(frame());
  }
  EXPECT_EQ(run.wait().value(), "on") << "the order was given";
  still_works();
}

TEST_F(ControlSocket, AShutdownAnswersWhoeverIsConnectedAndTakesTheNameAway) {
  std::unique_ptr<RawClient> silent;
  std::unique_ptr<RawClient> half;
  {
    TestEngine engine(disk_, options());
    engine.start(waiter);
    still_works();
    silent = std::make_unique<RawClient>(socket_.path());
    half = std::make_unique<RawClient>(socket_.path());
    half->send(core::ByteView(frame()).first(20));
    ASSERT_TRUE(engine.shutdown().has_value());
    EXPECT_FALSE(fs::exists(socket_.name()));
  }
  for (RawClient* const client : {silent.get(), half.get()}) {
    const auto reply = client->reply();
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, pd::Code::closed);
  }
}

TEST_F(ControlSocket, IsThereFromStartOnOnlyAndOnlyWhereItIsWanted) {
  {
    TestEngine engine(disk_, options());
    EXPECT_FALSE(fs::exists(socket_.name()));
    engine.start(waiter);
    EXPECT_TRUE(fs::exists(socket_.name()));
  }
  EXPECT_FALSE(fs::exists(socket_.name()));
  TestEngine engine(disk_);
  engine.start(waiter);
  EXPECT_FALSE(fs::exists(socket_.name()));
}

TEST_F(ControlSocket, WhatADeadProcessLeftIsNobodyAndIsReplaced) {
  {
    const auto left = journal::listen_for_control(socket_.path()).value();
  }
  ASSERT_TRUE(fs::exists(socket_.name()));
  EXPECT_FALSE(journal::connect_to_control(socket_.path()).value()) << "nobody listens";
  fs::create_directory(socket_.path() / "other");
  std::ofstream(socket_.path() / "CONTROL.new") << "left by a crash";
  TestEngine engine(disk_, options());
  engine.start(waiter);
  still_works();
  EXPECT_FALSE(fs::exists(socket_.path() / "CONTROL.new"));
}

TEST_F(ControlSocket, APathMayBeLongerThanAnAddress) {
  fs::path deep = socket_.path();
  while (deep.string().size() < 300) deep /= std::string(60, 'd');
  fs::create_directories(deep);
  TestEngine engine(disk_, {.journal = deep.string()});
  engine.start(waiter);
  const auto answer = journal::ask_runtime(deep, signal(), clock_, clock_.elapsed() + 1min);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_TRUE(answer.value().has_value());
  EXPECT_FALSE(answer.value()->error);
}

TEST_F(ControlSocket, OnlyTheSameUserAndRootMayGiveOrders) {
  static_assert(journal::may_control(1000, 1000) && journal::may_control(0, 1000));
  static_assert(!journal::may_control(1001, 1000) && !journal::may_control(1000, 0));
  TestEngine engine(disk_, options());
  engine.start(waiter);
  struct stat status{};
  ASSERT_EQ(::stat(socket_.name().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  // Somebody opened the file to all: then the system says who asks, and that decides.
  ASSERT_EQ(::chmod(socket_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_.name().c_str(), 0666), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(10);
    RawClient client(socket_.path());
    if (!client.connected()) ::_exit(11);
    client.send(frame());
    const auto reply = client.reply();
    ::_exit(reply && reply->error && reply->error->code == pd::Code::refused ? 0 : 12);
  }
  int ended = -1;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  EXPECT_EQ(ended, 0);
}

TEST_F(ControlSocket, ThatCantBeMadeIsAnEventAndTheRuntimeWorks) {
  TestEngine engine(disk_, {.journal = (socket_.path() / "missing").string()});
  engine.start(waiter);
  engine.wait_for_event(pd::EventKind::control_failed);
  EXPECT_TRUE(contains(engine.events().at(0).error.message, "missing"));
  ASSERT_TRUE(engine.runtime().session(waiter, "s").send(go, "on"));
  EXPECT_EQ(engine.runtime().session(waiter, "s").start("").value().wait().value(), "on");
}

/// The server alone, with a clock and timers that the test moves.
class ControlServerTest : public ControlSocket {
 protected:
  std::unique_ptr<ControlServer> serve() {
    return ControlServer::open(socket_.path(), timers_, manual_,
                               [this](const ControlRequest&, ControlServer::Reply reply) {
                                 taken_.set_value(std::move(reply));
                                 if (in_act_) in_act_();
                               })
        .value();
  }
  void advance(std::chrono::seconds by) {
    manual_.advance(by);
    timers_.fire_due(manual_.elapsed());
  }
  actors::Timers timers_;
  core::ManualClock manual_;
  std::promise<ControlServer::Reply> taken_;
  std::function<void()> in_act_;
};

TEST_F(ControlServerTest, AnAnswerThatDoesNotComeIsToldAndALateOneGoesNowhere) {
  const auto server = serve();
  RawClient client(socket_.path());
  client.send(frame());
  const ControlServer::Reply reply = taken_.get_future().get();
  advance(ControlServer::kPatience);
  advance(ControlServer::kAnswer);
  const auto told = client.reply();
  ASSERT_TRUE(told && told->error);
  EXPECT_EQ(told->error->code, pd::Code::timeout);
  EXPECT_TRUE(contains(told->error->message, "is the disk full?")) << told->error->message;
  reply({"done after all"});
}

TEST_F(ControlServerTest, AnAnswerMayComeAfterTheServerHasGone) {
  auto server = serve();
  RawClient client(socket_.path());
  client.send(frame());
  const ControlServer::Reply reply = taken_.get_future().get();
  server.reset();
  const auto told = client.reply();
  ASSERT_TRUE(told && told->error);
  EXPECT_EQ(told->error->code, pd::Code::closed);
  reply({"done after all"});
  EXPECT_FALSE(timers_.next()) << "no timer is left behind";
}

TEST_F(ControlServerTest, WithoutADescriptorAConnectionWaitsForOne) {
  Door door;
  in_act_ = [&] { door.pass(); };
  const auto server = serve();
  RawClient client(socket_.path());
  client.send(frame());
  const ControlServer::Reply reply = taken_.get_future().get();
  // While the server's thread is held up, somebody connects, and then no descriptor is left.
  RawClient second(socket_.path());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  door.open();
  reply({"done"});
  const auto told = client.reply();
  const core::Elapsed again = manual_.elapsed() + ControlServer::kNoDescriptor;
  while (timers_.next() != again) std::this_thread::yield();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->words, "done");
  advance(ControlServer::kNoDescriptor);
  second.send(core::ByteView(frame()).first(4));
  second.end();
  EXPECT_TRUE(second.reply()) << "it was taken after all";
}

}  // namespace
}  // namespace perdure::test
