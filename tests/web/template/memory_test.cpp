#include <coronado/web/template_value.hpp>

#include <gtest/gtest.h>

namespace coronado::web {
namespace {

TEST(TemplateMemory, RunsDestructorsAtTheEnd) {
  auto shared = std::make_shared<int>(5);
  {
    TemplateMemory memory;
    memory.make<std::shared_ptr<int>>(shared);
    EXPECT_EQ(shared.use_count(), 2);
    memory.clear();
    EXPECT_EQ(shared.use_count(), 1);
    memory.make<std::shared_ptr<int>>(shared);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(TemplateMemory, CopiesStay) {
  TemplateMemory memory;
  std::vector<std::string_view> copies;
  for (int i = 0; i < 10'000; ++i) copies.push_back(memory.copy(std::to_string(i)));
  for (int i = 0; i < 10'000; ++i)
    EXPECT_EQ(copies[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(memory.copy(std::string(100'000, 'x')).size(), 100'000u);
}

TEST(TemplateMemory, HasALimit) {
  TemplateMemory memory(100'000);
  EXPECT_THROW(memory.allocate(200'000), TemplateFault);
  EXPECT_THROW(for (;;) memory.allocate(1000), TemplateFault);
  memory.clear();
  EXPECT_NE(memory.allocate(1000), nullptr);
}

TEST(TemplateMemory, WhatWasEnoughIsKept) {
  TemplateMemory memory;
  for (int i = 0; i < 100; ++i) memory.allocate(1000);
  memory.clear();
  const auto* const first = static_cast<char*>(memory.allocate(1000));
  for (int i = 1; i < 60; ++i) EXPECT_EQ(memory.allocate(1000), first + i * 1008);  // one block
  memory.clear();
  memory.set_limit(5000);  // holds for what was kept, too
  EXPECT_NO_THROW(memory.allocate(4000));
  EXPECT_THROW(memory.allocate(2000), TemplateFault);
}

TEST(TemplateCall, BindsArguments) {
  TemplateMemory memory;
  const TemplateValue values[] = {TemplateValue::integer(1), TemplateValue::integer(2)};
  const std::string_view names[] = {"b"};
  const std::string_view parameters[] = {"a", "b", "c"};
  const TemplateCall call(memory, "f", values, names);
  TemplateValue bound[3];
  call.bind(parameters, 2, bound);
  EXPECT_EQ(bound[0].as_int(), 1);
  EXPECT_EQ(bound[1].as_int(), 2);
  EXPECT_TRUE(bound[2].is_undefined());
  EXPECT_THROW(call.bind(parameters, 3, bound), TemplateFault);
  EXPECT_THROW(call.bind(std::span(parameters).first(1), 1, bound), TemplateFault);
}

}  // namespace
}  // namespace coronado::web
