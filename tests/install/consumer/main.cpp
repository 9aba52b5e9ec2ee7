// The least that another project can do with an installed Perdure.
#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>

#include <iostream>

namespace pd = perdure;

pd::Result<int> seats(int wanted) {
  if (wanted > 2) return pd::Error{pd::Code::refused, "no seats left"};
  return wanted;
}

int main() {
  const pd::Result<int> some = seats(2);
  const pd::Result<int> many = seats(3);
  if (!some || many) return 1;
  pd::testing::Runtime test;  // Its compiled part is installed too.
  test.advance(std::chrono::hours(1));
  std::cout << some.value() << ' ' << many.error().to_string() << '\n';
}
