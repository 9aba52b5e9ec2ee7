// Tools that are actors of the program's.
#include <perdure/caf.hpp>
#include <perdure/perdure.hpp>

#include <gtest/gtest.h>
#include <caf/all.hpp>

#include <unistd.h>
#include <condition_variable>
#include <filesystem>
#include <mutex>

namespace perdure::test {
namespace {

namespace fs = std::filesystem;
namespace pd = perdure;
using namespace std::chrono_literals;

struct Question {
  std::string text;
  int times = 1;
};
PERDURE_DESCRIBE(Question, text, times);

inline constexpr pd::Tool<Question, std::string> echo{
    "echo", {.effect = pd::Effect::keyed, .retry = {.attempts_max = 2, .delay = 1ms}}};
inline constexpr pd::Tool<Question, std::string> slow{
    "slow", {.effect = pd::Effect::keyed, .retry = {.attempts_max = 1}, .timeout = 50ms}};

template <const auto& kTool>
pd::Task<std::string> asks(pd::Context& ctx, std::string text) {
  const auto said = co_await pd::as_result(ctx.call(kTool, {text, 2}));
  co_return said.has_value() ? said.assume_value() : said.error().to_string();
}
inline constexpr pd::Agent asks_echo{"asks-echo", &asks<echo>};
inline constexpr pd::Agent asks_slow{"asks-slow", &asks<slow>};

/// What the workers saw, from CAF's threads.
class Seen {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(what);
    changed_.notify_all();
  }
  void wait_for(const std::string& what) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ranges::count(lines_, what) != 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class CafToolTest : public ::testing::Test {
 protected:
  CafToolTest() {
    pd::prepare(config_);
    system_.emplace(config_);
    path_ = fs::temp_directory_path() / ("perdure-caf-tool-" + std::to_string(getpid()));
    fs::remove_all(path_);
    runtime_.emplace(pd::open({.journal = path_.string()}, *system_).value());
  }
  ~CafToolTest() override {
    runtime_.reset();
    system_.reset();
    fs::remove_all(path_);
  }
  template <class A, class T>
  std::string said_by(const A& agent, const T& tool, const caf::actor& worker,
                      const std::string& text) {
    runtime_->serve(agent, pd::by_actor(*system_, tool, worker));
    runtime_->start().value();
    return runtime_->session(agent, "s").start(text).value().wait().value();
  }

  Seen seen_;
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  fs::path path_;
  std::optional<pd::Runtime> runtime_;
};

TEST_F(CafToolTest, AnActorAnswersACall) {
  const caf::actor worker = system_->spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const pd::ToolCall& call) {
      const Question question = pd::tool_input<Question>(call).value();
      std::string text;
      for (int i = 0; i < question.times; ++i) text += question.text;
      return pd::tool_reply<std::string>(text + " " + call.key.substr(call.key.find('/')));
    }};
  });
  EXPECT_EQ(said_by(asks_echo, echo, worker, "ho"), "hoho /1/echo");
}

TEST_F(CafToolTest, AFailureTravelsWithWhatIsKnownOfIt) {
  const caf::actor worker = system_->spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const pd::ToolCall&) {
      return pd::tool_reply<std::string>(pd::Error{pd::Code::refused, "not for you"});
    }};
  });
  EXPECT_EQ(said_by(asks_echo, echo, worker, "ho"), "refused: not for you");
}

TEST_F(CafToolTest, ProgressIsReadByTheNextAttempt) {
  const caf::actor worker = system_->spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const pd::ToolCall& call) {
      const int from = pd::last_progress<int>(call).value_or(0);
      if (from != 0) return pd::tool_reply<std::string>("from " + std::to_string(from));
      self->send(caf::actor_cast<caf::actor>(self->current_sender()), pd::tool_beat(41).value());
      return pd::tool_reply<std::string>(pd::Error{pd::Code::user, "half-way", true});
    }};
  });
  EXPECT_EQ(said_by(asks_echo, echo, worker, "ho"), "from 41");
}

TEST_F(CafToolTest, AnActorThatIsGoneFailsTheAttempt) {
  const caf::actor worker = system_->spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const pd::ToolCall&) {
      self->quit(caf::sec::runtime_error);
      return self->make_response_promise<pd::ToolReply>();
    }};
  });
  const std::string said = said_by(asks_echo, echo, worker, "ho");
  EXPECT_TRUE(said.starts_with("exception: the actor of tool 'echo' did not answer: ")) << said;
}

TEST_F(CafToolTest, AnAttemptThatWasGivenUpIsToldSo) {
  const caf::actor worker = system_->spawn([this](caf::event_based_actor* self) -> caf::behavior {
    // It never answers, and does not let go of the call either.
    const auto kept = std::make_shared<std::vector<caf::typed_response_promise<pd::ToolReply>>>();
    return {
        [self, kept](const pd::ToolCall&) {
          kept->push_back(self->make_response_promise<pd::ToolReply>());
          return kept->back();
        },
        [this](const pd::ToolStop& stop) { seen_.add("stop " + std::to_string(stop.attempt)); }};
  });
  const std::string said = said_by(asks_slow, slow, worker, "ho");
  EXPECT_TRUE(said.starts_with("timeout: attempt 1 of 'slow' was given up")) << said;
  seen_.wait_for("stop 1");
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

}  // namespace
}  // namespace perdure::test
