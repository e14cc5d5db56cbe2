// Templates: whatever the text, it parses or says where it does not, and renders within its limits.
// A template that renders once renders again with the same result. It also becomes C++, or the place is said that cannot.

#include <coronado/base/error.hpp>
#include <coronado/base/json.hpp>
#include <coronado/web/template.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/cpp_generator.hpp"
#include "web/template/template_parser.hpp"

namespace {

using namespace coronado;
using namespace coronado::web;

void require(bool holds) {
  if (!holds) std::abort();
}

const Json& data() {
  static const Json value = json_decode(
      R"({"name": "A<b>", "n": 3, "xs": [1, 2.5, null, "x", [true]], "d": {"k": "v", "e": {}}})");
  return value;
}

std::string render(const Template& page, bool& failed) {
  try {
    return page.generate({{"name", data()["name"]},
                          {"n", data()["n"]},
                          {"xs", data()["xs"]},
                          {"d", data()["d"]},
                          {"f", [](std::int64_t number) { return number ^ 1; }}});
  } catch (const TemplateError& error) {
    require(error.place().line > 0 && error.place().column > 0);
    failed = true;
    return error.what();
  } catch (const UsageError&) {
    failed = true;
    return "awaits";
  }
}

/// What parses is C++ too, or it is said why not.
void generate(const std::string& text) {
  try {
    std::vector<TemplateWarning> warnings;
    const std::string code = templates::generate_cpp(
        templates::parse_file("page.html", text, {}), nullptr,
        {.name = "page.html", .directory = "/d", .space = "pages"}, warnings);
    require(code.find("struct PageHtmlPage") != std::string::npos);
  } catch (const ParseError& error) {
    require(error.place().line > 0 && error.place().column > 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 4000) return 0;
  std::string text(reinterpret_cast<const char*>(bytes), size);
  generate(text);
  const TemplateLimits limits{.steps = 2000, .output = 200'000, .memory = 1'000'000};
  try {
    DictLoader loader(
        {{"page", text}, {"base", "<{% block a %}base{% end %}>"}, {"part", "{{ n }}"}},
        {.limits = limits});
    const auto page = loader.load("page");
    bool failed = false;
    const std::string first = render(*page, failed);
    bool failed_again = false;
    require(render(*page, failed_again) == first && failed == failed_again);
  } catch (const ParseError& error) {
    require(error.place().line > 0 && error.place().column > 0 && !error.message().empty());
  }
  return 0;
}
