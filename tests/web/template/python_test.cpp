// Expressions and what Python 3.11 prints for them: each line of tests/web/templates/python.txt is what an
// expression makes, and what it should.
#include <coronado/base/strings.hpp>
#include <coronado/web/compiled_template.hpp>

#include <web_pages/python.txt.hpp>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

constexpr std::string_view kMeans = " \u21D2 ";

/// Each line's two sides must be the same.
void expect_as_printed(const std::string& page) {
  const std::vector<std::string_view> lines = split(page, '\n');
  EXPECT_EQ(lines.size(), std::size_t{281} + 1);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const std::size_t mark = lines[i].find(kMeans);
    ASSERT_NE(mark, std::string_view::npos) << lines[i];
    EXPECT_EQ(lines[i].substr(0, mark), lines[i].substr(mark + kMeans.size())) << "case " << i + 1;
  }
}

TEST(TemplateExpressions, MeanWhatTheyMeanInPython) {
  Loader loader("tests/web/templates");
  expect_as_printed(loader.load("python.txt")->generate());
}

TEST(TemplateExpressions, MeanTheSameWhenCompiled) {
  expect_as_printed(web_pages::python_txt.generate());
}

}  // namespace
}  // namespace coronado::web::template_test
