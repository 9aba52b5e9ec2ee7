/// What the tests of tools share: a far side that survives crashes, and the kit.
#pragma once

#include "tests/sessions/session_fixture.hpp"

#include <map>
#include <optional>
#include <string>

namespace perdure::test {

struct Order {
  std::string item;
  int count = 1;
};
PERDURE_DESCRIBE(Order, item, count);
struct Receipt {
  std::string id;
  int attempt = 0;
};
PERDURE_DESCRIBE(Receipt, id, attempt);

/// The far side: what happened there, by key.
struct FarSide {
  std::map<std::string, Receipt> done;
  /// Effects, one line each: more than `done` has where a key came twice and was taken twice.
  Lines effects;
  Lines trace;
  int mode = 0;
  kit::Runtime* test = nullptr;

  [[nodiscard]] std::size_t count(std::string_view what) const {
    return static_cast<std::size_t>(std::ranges::count(trace, what));
  }
  /// It happens, whatever happened before.
  Receipt do_it(const pd::Step& step) {
    effects.push_back(step.key());
    Receipt receipt{"r" + std::to_string(effects.size()), step.attempt()};
    done[step.key()] = receipt;
    return receipt;
  }
  /// It happens once for each key.
  Receipt do_once(const pd::Step& step) {
    const auto found = done.find(step.key());
    return found != done.end() ? found->second : do_it(step);
  }
};
inline FarSide* far_side = nullptr;

class CallFixture : public SessionFixture {
 protected:
  CallFixture() { far_side = &far_; }
  ~CallFixture() override { far_side = nullptr; }
  FarSide far_;
};

/// No jitter, so that a test may count.
inline constexpr pd::Retry kEven{.attempts_max = 3, .delay = 100ms, .jitter = 0};

}  // namespace perdure::test
