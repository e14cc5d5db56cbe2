#include <coronado/web/template.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(Template, AppendsToAString) {
  std::string out = "before ";
  const Template page("{{ x }}");
  const TemplateArgument argument("x", 5);
  page.generate_into(out, {&argument, 1});
  EXPECT_EQ(out, "before 5");
  EXPECT_THROW(page.generate_into(out, {}), TemplateError);
  EXPECT_EQ(out, "before 5");
}

TEST(Template, NamesComeFromArgumentsScopeLoaderAndBuiltins) {
  DictLoader loader({{"page", "{{ a }}{{ b }}{{ c }}{{ len([]) }}"}});
  loader.names().set("a", "loader");
  loader.names().set("b", "loader");
  loader.names().set("c", "loader");
  const TemplateNamespace scope{{"a", "scope"}, {"b", "scope"}};
  const TemplateArgument argument("a", "argument");
  std::string out;
  loader.load("page")->generate_into(out, {&argument, 1}, &scope);
  EXPECT_EQ(out, "argumentscopeloader0");
}

TEST(Template, ANamespaceKeepsTheLaterValue) {
  TemplateNamespace names{{"a", 1}};
  names.set("a", 2);
  names.set("b", std::string("kept"));
  EXPECT_EQ(Template("{{ a }}{{ b }}").generate(names), "2kept");
}

TEST(Template, LongTextAndManyPieces) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(Template("{{ t }}" + text).generate({{"t", text}}), text + text);
  std::string wanted;
  for (int i = 0; i < 10'000; ++i) wanted += std::to_string(i) + "&lt;";
  EXPECT_EQ(render("{% for i in range(10000) %}{{ i }}{{ '<' }}{% end %}"), wanted);
}

TEST(Template, RendersInsideARendering) {
  const Template inner("({{ x }})");
  const auto include = [&](int x) { return inner.generate({{"x", x}}); };
  EXPECT_EQ(render("{% for i in [1, 2] %}{% raw f(i) %}{% end %}", {{"f", include}}), "(1)(2)");
}

TEST(Template, RenderingsInsideEachOtherAreLimited) {
  const Template* self = nullptr;
  int times = 0;
  const std::function<std::string()> again = [&self, &times, &again] {
    ++times;
    return self->generate({{"again", again}});
  };
  const Template page("{% raw again() %}");
  self = &page;
  try {
    page.generate({{"again", again}});
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_NE(std::string(error.what()).find("rendered inside each other too deeply"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(times, 50);
  EXPECT_EQ(Template("fine").generate(), "fine");  // nothing is left behind
}

TEST(DictLoader, LoadsAndKeeps) {
  DictLoader loader({{"a", "text"}});
  EXPECT_EQ(loader.load("a"), loader.load("a"));
  const auto before = loader.load("a");
  loader.reset();
  EXPECT_NE(loader.load("a"), before);
  EXPECT_EQ(before->generate(), "text");
  EXPECT_THROW(loader.load("b"), UsageError);
}

TEST(BaseLoader, ResolvesNames) {
  const DictLoader loader({});
  EXPECT_EQ(loader.resolve_path("a.html"), "a.html");
  EXPECT_EQ(loader.resolve_path("b.html", "sub/a.html"), "sub/b.html");
  EXPECT_EQ(loader.resolve_path("../b.html", "sub/a.html"), "b.html");
  EXPECT_EQ(loader.resolve_path("./x//y/../z"), "x/z");
  EXPECT_EQ(loader.resolve_path("b.html", "<string>"), "b.html");
  for (const std::string& name :
       {std::string("../a"), std::string("a/../../b"), std::string("/etc/passwd"),
        std::string("a\0b", 3), std::string(""), std::string(".")}) {
    EXPECT_THROW(loader.resolve_path(name), UsageError) << name;
  }
  EXPECT_THROW(loader.resolve_path("../../x", "sub/a"), UsageError);
}

class LoaderTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    // Each version of a file is a second newer than the one before, whatever the clock's step.
    std::filesystem::last_write_time(
        folder_.write(name, text),
        std::filesystem::file_time_type::clock::now() + std::chrono::seconds(++writes_));
  }
  const TempFolder folder_;
  int writes_ = 0;
};

TEST_F(LoaderTest, ReadsFiles) {
  write("page.html", "{% extends 'sub/base.html' %}{% block a %}page{% end %}");
  write("sub/base.html", "<{% block a %}{% end %}>");
  Loader loader(folder_.path());
  EXPECT_EQ(loader.load("page.html")->generate(), "<page>");
  EXPECT_THROW(loader.load("nope.html"), UsageError);
  EXPECT_THROW(loader.load("sub"), UsageError);
  EXPECT_THROW(
      loader.load("../" + std::filesystem::path(folder_.path()).filename().string() + "/page.html"),
      UsageError);
}

TEST_F(LoaderTest, KeepsUnlessToldToReload) {
  write("page.html", "{% include part.html %}");
  write("part.html", "one");
  Loader kept(folder_.path());
  Loader reloading(folder_.path(), {}, true);
  EXPECT_EQ(kept.load("page.html")->generate(), "one");
  EXPECT_EQ(reloading.load("page.html")->generate(), "one");
  EXPECT_EQ(reloading.load("page.html"), reloading.load("page.html"));
  write("part.html", "two");
  EXPECT_EQ(kept.load("page.html")->generate(), "one");
  EXPECT_EQ(reloading.load("page.html")->generate(), "two");
  kept.reset();
  EXPECT_EQ(kept.load("page.html")->generate(), "two");
  write("part.html", "{{ }}");
  EXPECT_THROW(reloading.load("page.html"), ParseError);
  write("part.html", "three");
  EXPECT_EQ(reloading.load("page.html")->generate(), "three");
}

TEST(TemplateThread, OneTemplateRendersOnSeveralThreads) {
  const std::vector<User> users(50, User{"<Ada>", 36, {}});
  const Template page("{% for u in users %}{{ u.name }}{{ u.age }}{% end %}");
  const std::string wanted = page.generate({{"users", users}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) wrong += page.generate({{"users", users}}) != wanted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace coronado::web::template_test
