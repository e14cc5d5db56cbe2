#include <coronado/coro/await_trace.hpp>

#include <coronado/coro/async_generator.hpp>
#include <coronado/coro/combine.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "tests/coro/helpers.hpp"

namespace coronado {
namespace {

/// The text of a trace in which each line of this file is told as its distance from `base`, and
/// functions without their namespace.
std::string relative(std::string text, std::uint32_t base) {
  const std::string space = "coronado::";
  for (std::size_t at; (at = text.find(space)) != std::string::npos;) text.erase(at, space.size());
  const std::string name = "await_trace_test.cpp:";
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    std::size_t end = at + name.size();
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const long line = std::stol(text.substr(at + name.size()));
    const std::string distance = "+" + std::to_string(line - static_cast<long>(base));
    text.replace(at, end - at, distance);
    at += distance.size();
  }
  return text;
}

/// What is known about what `task` throws.
Task<std::string> trace_of(Task<> task) {
  std::exception_ptr error;
  try {
    co_await std::move(task);
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  co_return to_text(await_trace(error));
}

constexpr std::uint32_t kLine = __LINE__;
Task<int> parse(bool late) {
  if (late) co_await moment();
  throw std::runtime_error("bad page");
}
Task<int> load(bool late) {
  co_await moment();
  const int parsed = co_await parse(late);
  co_return parsed;
}
struct Page {
  Task<> show(bool late) { co_await load(late); }
};

TEST(AwaitTrace, NamesEachCoroutineAndItsAwait) {
  run_async([]() -> Task<> {
    Page page;
    EXPECT_EQ(relative(co_await trace_of(page.show(false)), kLine),
              "at +11 Page::show()\n"
              "at +7 load()\n"
              "thrown in parse() at +1\n");
    EXPECT_EQ(relative(co_await trace_of(page.show(true)), kLine),
              "at +11 Page::show()\n"
              "at +7 load()\n"
              "thrown in parse() at or behind the co_await of +2\n");
  });
}

Task<> wait_for_ever() { co_await sleep(std::chrono::hours(1)); }

Task<> show_several() { co_await multi(load(false), wait_for_ever()); }

TEST(AwaitTrace, GoesOnThroughTheTasksOfAGroup) {
  run_async([]() -> Task<> {
    const std::string trace = relative(co_await trace_of(show_several()), kLine);
    EXPECT_TRUE(trace.contains("show_several()\nat +7 load()\nthrown in parse() at +1\n")) << trace;
  });
}

AsyncGenerator<int> numbers() {
  co_yield 1;
  throw std::runtime_error("no more");
}
Task<> read_numbers() {
  AsyncGenerator<int> all = numbers();
  while (co_await all.next()) {
  }
}

TEST(AwaitTrace, KnowsGenerators) {
  run_async([]() -> Task<> {
    const std::string trace = relative(co_await trace_of(read_numbers()), kLine);
    EXPECT_TRUE(trace.contains(" read_numbers()\nthrown in numbers() at ")) << trace;
  });
}

Task<> swallow_then_throw() {
  try {
    co_await load(false);
  } catch (const std::exception&) {
  }
  throw std::runtime_error("bad page");  // of the same size: it may get the memory of the first
}

TEST(AwaitTrace, IsNotThatOfAnEarlierException) {
  run_async([]() -> Task<> {
    for (int i = 0; i < 20; ++i) {
      const std::string trace = relative(co_await trace_of(swallow_then_throw()), kLine);
      EXPECT_TRUE(trace.starts_with("thrown in swallow_then_throw() ")) << trace;
      EXPECT_FALSE(trace.contains("load()")) << trace;
    }
  });
}

Task<> deep(int depth) {
  if (depth == 0) throw std::runtime_error("at the bottom");
  co_await deep(depth - 1);
}

TEST(AwaitTrace, IsBounded) {
  run_async([]() -> Task<> {
    const std::string trace = relative(co_await trace_of(deep(99)), kLine);
    EXPECT_TRUE(trace.starts_with("... 68 further coroutines\nat ")) << trace;
    EXPECT_EQ(std::ranges::count(trace, '\n'), 33);
    EXPECT_TRUE(trace.contains("\nthrown in deep() at ")) << trace;
  });
}

struct Held : std::exception {
  explicit Held(std::shared_ptr<int> value) : value(std::move(value)) {}
  std::shared_ptr<int> value;
};
Task<> throw_held(std::shared_ptr<int> value) {
  throw Held(std::move(value));
  co_return;
}
Task<> swallow(Task<> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception&) {
  }
}

TEST(AwaitTrace, HoldsAnExceptionUntilEightLaterOnes) {
  run_async([]() -> Task<> {
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> held = value;
    co_await swallow(throw_held(std::move(value)));
    for (int i = 0; i < 7; ++i) co_await swallow(deep(0));
    EXPECT_FALSE(held.expired());
    co_await swallow(deep(0));
    EXPECT_TRUE(held.expired());
  });
}

TEST(AwaitTrace, EndsWithItsLoop) {
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> held = value;
  run_async([&]() -> Task<> { co_await swallow(throw_held(std::move(value))); });
  EXPECT_TRUE(held.expired());
}

TEST(AwaitTrace, CanBeForgotten) {
  run_async([]() -> Task<> {
    std::exception_ptr error;
    try {
      co_await load(false);
    } catch (const std::exception&) {
      error = std::current_exception();
    }
    EXPECT_EQ(await_trace(error).frames.size(), 2U);
    forget_await_trace(error);
    EXPECT_TRUE(await_trace(error).frames.empty());
    EXPECT_EQ(to_text(await_trace(error)), "");
    EXPECT_TRUE(await_trace(nullptr).frames.empty());
  });
}

Task<> give_up() { co_await with_timeout(std::chrono::seconds(1), wait_for_ever()); }

TEST(AwaitTrace, TakesNoNoteOfCancellation) {
  run_async([]() -> Task<> {
    const std::string trace = relative(co_await trace_of(give_up()), kLine);
    EXPECT_TRUE(trace.starts_with("thrown in give_up() ")) << trace;
  });
}

}  // namespace
}  // namespace coronado
