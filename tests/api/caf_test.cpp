// Perdure in a program that uses CAF itself: one system for both, and actors that stand for
// sessions.
#include <perdure/caf.hpp>
#include <perdure/perdure.hpp>

#include <gtest/gtest.h>
#include <caf/all.hpp>

#include <unistd.h>
#include <filesystem>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;
namespace pd = perdure;

pd::Task<std::string> greet(pd::Context& ctx, std::string name) {
  co_return co_await ctx.step("greet", [&](pd::Step&) -> pd::Result<std::string> {
    if (name.empty()) return pd::Error{pd::Code::refused, "nobody to greet"};
    return "hello " + name;
  });
}
inline constexpr pd::Agent greeter{"greeter", &greet};

class CafTest : public ::testing::Test {
 protected:
  CafTest() {
    pd::prepare(config_);
    system_.emplace(config_);
    path_ = fs::temp_directory_path() / ("perdure-caf-" + std::to_string(getpid()));
    fs::remove_all(path_);
    runtime_.emplace(pd::open({.journal = path_.string()}, *system_).value());
  }
  ~CafTest() override {
    runtime_.reset();
    system_.reset();
    fs::remove_all(path_);
  }
  void serve_and_start() {
    runtime_->serve(greeter);
    runtime_->start().value();
  }
  pd::SessionStarted start(const caf::actor& session, const std::string& name) {
    pd::SessionStarted started;
    caf::scoped_actor self{*system_};
    self->request(session, caf::infinite, pd::session_start(name).value())
        .receive([&](const pd::SessionStarted& answer) { started = answer; },
                 [](const caf::error&) { FAIL() << "the session's actor failed"; });
    return started;
  }
  pd::SessionEnded ended(const caf::actor& session, const std::string& run) {
    pd::SessionEnded result;
    caf::scoped_actor self{*system_};
    self->request(session, caf::infinite, pd::SessionAwait{run})
        .receive([&](const pd::SessionEnded& answer) { result = answer; },
                 [](const caf::error&) { FAIL() << "the session's actor failed"; });
    return result;
  }

  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  fs::path path_;
  std::optional<pd::Runtime> runtime_;
};

TEST_F(CafTest, ASessionIsStartedAndAwaitedByMessages) {
  serve_and_start();
  const caf::actor session = pd::actor_of(*system_, *runtime_, greeter, "a");
  const pd::SessionStarted started = start(session, "Ada");
  EXPECT_EQ(started.code, 0) << started.message;
  EXPECT_EQ(pd::reply_of<std::string>(ended(session, started.run)).value(), "hello Ada");
  // The same by the other way in: it is the same run.
  const auto run = runtime_->session(greeter, "a").start("Ada").value();
  EXPECT_EQ(to_string(run.id()), started.run);
}

TEST_F(CafTest, FailuresTravelAsMessages) {
  serve_and_start();
  const caf::actor session = pd::actor_of(*system_, *runtime_, greeter, "b");
  const pd::SessionStarted started = start(session, "");
  ASSERT_EQ(started.code, 0) << started.message;
  const pd::Result<std::string> reply = pd::reply_of<std::string>(ended(session, started.run));
  ASSERT_TRUE(reply.has_error());
  EXPECT_EQ(reply.error().code, pd::Code::refused);
  EXPECT_EQ(reply.error().message, "nobody to greet");
  const pd::SessionStarted again = start(session, "Bob");
  EXPECT_EQ(again.code, static_cast<std::uint16_t>(pd::Code::already_started));
  const pd::SessionEnded unknown = ended(session, "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z");
  EXPECT_EQ(unknown.code, static_cast<std::uint16_t>(pd::Code::not_found));
  const pd::SessionEnded garbage = ended(session, "no run id");
  EXPECT_EQ(garbage.code, static_cast<std::uint16_t>(pd::Code::misuse));
}

TEST_F(CafTest, AnActorOutlivesTheRuntimeAndSaysSo) {
  serve_and_start();
  const caf::actor session = pd::actor_of(*system_, *runtime_, greeter, "c");
  runtime_->shutdown().value();
  EXPECT_EQ(start(session, "Ada").code, static_cast<std::uint16_t>(pd::Code::closed));
}

TEST_F(CafTest, AThousandSessionsShareTheSystem) {
  serve_and_start();
  std::vector<pd::Run<std::string>> runs;
  for (int i = 0; i < 1000; ++i)
    runs.push_back(
        runtime_->session(greeter, std::to_string(i)).start("n" + std::to_string(i)).value());
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(runs[static_cast<std::size_t>(i)].wait().value(), "hello n" + std::to_string(i));
}

}  // namespace
}  // namespace perdure::test
