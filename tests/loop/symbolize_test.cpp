#include "loop/symbolize.hpp"

#include <coronado/base/clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace coronado {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

[[gnu::noinline]] int static_function(int number) {
  static volatile int sink = 0;
  sink = number;
  return sink + 1;
}

const void* inside(int (*function)(int)) { return reinterpret_cast<const char*>(function) + 1; }

TEST(Symbolize, NamesAFunctionOfTheProgramThatIsNotExported) {
  EXPECT_EQ(static_function(1), 2);
  EXPECT_THAT(symbolize(inside(&static_function)),
              MatchesRegex("coronado::\\(anonymous namespace\\)::static_function\\(int\\) "
                           "\\(test_loop\\+0x[0-9a-f]+\\)"));
}

TEST(Symbolize, NamesAFunctionOfASharedLibrary) {
  const void* address = reinterpret_cast<const char*>(&::strtol) + 1;
  EXPECT_THAT(symbolize(address), HasSubstr("strtol"));
}

TEST(Symbolize, WhatLiesInNoFileIsANumber) {
  EXPECT_EQ(symbolize(reinterpret_cast<const void*>(0x10)), "0x10");
  EXPECT_EQ(symbolize(nullptr), "0x0");
}

TEST(SymbolizeStack, HasALineForEachFrame) {
  const std::vector<const void*> stack(30, inside(&static_function));
  const std::string text = symbolize_stack(stack);
  EXPECT_TRUE(text.starts_with("\n    #0 coronado::")) << text;
  EXPECT_THAT(text, HasSubstr("\n    #23 "));
  EXPECT_THAT(text, Not(HasSubstr("#24 "))) << "enough is enough";
  EXPECT_EQ(symbolize_stack({}), "");
}

}  // namespace
}  // namespace coronado
