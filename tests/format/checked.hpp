/// Results that the makers of journals can't go on without.
///
/// What this is: the value of a result, or the end of the program with the error's message.
/// What it promises: exit code 1 where there is no value. What it does not: clean up.
#pragma once

#include <perdure/result.hpp>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace perdure::format_test {

inline void check(const Result<void>& result) {
  if (result.has_value()) return;
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

template <class T>
T checked(Result<T> result) {
  if (result.has_value()) return std::move(result).assume_value();
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

}  // namespace perdure::format_test
