/// What the tests of `IOStream` share: the fixture that runs a test over every carrier.
#pragma once

#include <coronado/net/iostream.hpp>

#include <coronado/coro/timeout.hpp>

#include <optional>
#include <stdexcept>
#include <string>

#include "tests/net/stream_carriers.hpp"

namespace coronado::stream_test {

using namespace std::chrono_literals;

class IOStreamTest : public testing::TestWithParam<Carrier> {
 protected:
  using Body = Task<> (*)(Wire&);

  void run(Body body, IOStreamOptions options = {}) {
    run_async(
        [&]() -> Task<> {
          IOLoop& loop = *IOLoop::current();
          Ends ends = co_await GetParam().connect(loop);
          Wire wire(loop, std::move(ends), GetParam().pieces, options);
          co_await body(wire);
        },
        {.reactor = GetParam().reactor});
  }
};

/// A text without a line end in which every place is different from its neighbours.
inline std::string pattern(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

/// What awaiting `task` throws, as an `Error`; fails when it throws none.
template <class Error, class A>
Task<Error> failure_of(A awaitable) {
  std::optional<Error> caught;
  try {
    (void)co_await std::move(awaitable);
  } catch (const Error& error) {
    caught = error;
  }
  if (!caught) {
    ADD_FAILURE() << "nothing was thrown";
    throw std::logic_error("nothing was thrown");
  }
  co_return std::move(*caught);
}

/// Lets the loop turn until `done`.
template <class Done>
Task<> until(Done done) {
  for (int i = 0; i < 100'000 && !done(); ++i) co_await sleep(10us);
  EXPECT_TRUE(done());
}

}  // namespace coronado::stream_test
