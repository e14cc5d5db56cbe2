// The same templates by Debian's Tornado, when it is installed: every byte must be the same. What it
// answers is also in the tables of tornado_test.cpp and python_test.cpp, which need no Python.
#include <coronado/base/json_typed.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/compiled_template.hpp>

#include <filesystem>
#include <random>

#include "tests/web/template/corpus.hpp"
#include "tests/web/template/template_fixture.hpp"
#include "tests/web/tornado.hpp"

namespace coronado::web::template_test {
namespace {

/// What Tornado refuses, and so must we.
const char* const kRefused[] = {
    "{% if 1 %}",
    "{% end %}",
    "{{ }}",
    "{% %}",
    "{% nope x %}",
    "{{ n",
    "{# n",
    "{% if n",
    "{% extends %}",
    "{% include %}",
    "{% block %}{% end %}",
    "{% apply %}{% end %}",
    "{% set %}",
    "{% import %}",
    "{% else %}",
    "{% for x in xs %}{% elif x %}{% end %}",
    "{% while 0 %}{% except %}{% end %}",
    "{% break %}",
    "{% continue %}",
    "{% for x in xs %}{% apply str %}{% break %}{% end %}{% end %}",
    "{{ nope }}",
    "{{ 1 + 'a' }}",
    "{{ await n }}",
    "{{ (lambda: await n)() }}",
    "{% include 'missing' %}",
    "{% whitespace nope %}",
    "{{ xs[9] }}",
    "{{ '%d' % name }}",
    "{{ '{:d}'.format(f) }}",
};

/// Numbers by many specifications, in one page.
std::string random_formats() {
  std::mt19937 random(3);
  std::string page;
  for (int i = 0; i < 400; ++i) {
    const auto integer = static_cast<std::int64_t>(random()) >> (random() % 30);
    const std::string number =
        i % 2 == 0 ? std::to_string(random() % 2 == 0 ? integer : -integer)
                   : std::to_string(integer) + "." + std::to_string(random() % 100'000);
    const std::string precision = "." + std::to_string(random() % 6);
    const std::string width = std::to_string(1 + random() % 14);
    const bool real = i % 2 != 0;
    const char* aligns[] = {"", "<", ">", "^", "=", "*^", "0"};
    const std::string align = aligns[random() % 7];
    const std::string type =
        real ? precision + "feg"[random() % 3] : std::string(1, "dxb,"[random() % 4]);
    page += "{% set v = " + number + " %}{% raw f'{v:" + align + width + type + "}' %}|{% raw '%" +
            (align == "<"   ? "-"
             : align == "0" ? "0"
                            : "") +
            width + (real ? precision + "f" : "d") + "' % v %}|{% raw v %}\n";
  }
  return page;
}

std::string hex(std::string_view text) {
  std::string out;
  append_hex(out, text);
  return out;
}

struct Page {
  std::string name;
  std::string text;  // empty: that of the corpus
};

std::vector<Page> all_pages() {
  std::vector<Page> pages;
  for (const auto& file : std::filesystem::directory_iterator(kCorpus)) {
    pages.push_back({file.path().filename().string(), ""});
  }
  pages.push_back({"formats.txt", random_formats()});
  for (const char* text : kRefused) pages.push_back({"refused.txt", text});
  return pages;
}

/// What Tornado makes of them; "error" where it refuses.
Json::Array ask_tornado(const std::vector<Page>& pages, const CorpusNames& names) {
  Json::Array sent;
  for (const Page& page : pages) sent.push_back(Json{{"name", page.name}, {"text", page.text}});
  const std::string code =
      "import json\nfrom tornado.template import Loader, Template\n"
      "pages = json.loads(bytes.fromhex('" +
      hex(json_encode(Json(std::move(sent)))) +
      "'))\n"
      "names = bytes.fromhex('" +
      hex(json_encode(names)) +
      "')\n"
      "loader = Loader('" +
      kCorpus +
      "')\n"
      "out = []\n"
      "for page in pages:\n"
      "  try:\n"
      "    template = (Template(page['text'], page['name'], loader) if page['text']\n"
      "                else loader.load(page['name']))\n"
      "    text = template.generate(**json.loads(names)).decode()\n"
      "  except BaseException:\n"
      "    text = 'error'\n"
      "  out.append(text)\n"
      "print(json.dumps(out).encode().hex())\n";
  return json_decode(parse_hex(web_test::run_python(code)).value_or("")).as_array();
}

TEST(TemplateDifferential, TornadoRendersTheSameBytes) {
  if (!web_test::has_tornado()) GTEST_SKIP() << "python3-tornado is not installed";
  const std::vector<Page> pages = all_pages();
  const CorpusNames names;
  const Json::Array theirs = ask_tornado(pages, names);
  ASSERT_EQ(theirs.size(), pages.size());
  const TemplateNamespace given = detail::context_names(names);
  Loader loader(kCorpus);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    std::string ours;
    std::string error;
    try {
      ours = pages[i].text.empty() ? loader.load(pages[i].name)->generate(given)
                                   : Template(pages[i].text, loader, pages[i].name).generate(given);
    } catch (const std::exception& thrown) {
      ours = "error";
      error = thrown.what();
    }
    // Until 6.3 Tornado wrote the apostrophe in decimal.
    std::string wanted = theirs[i].as_string();
    for (std::size_t at = 0; (at = wanted.find("&#39;", at)) != std::string::npos;) {
      wanted.replace(at, 5, "&#x27;");
    }
    EXPECT_EQ(ours, wanted) << error << pages[i].name << pages[i].text.substr(0, 500);
    const bool refused = pages[i].name == "refused.txt" || pages[i].name == kPart;
    EXPECT_EQ(ours == "error", refused) << pages[i].name << pages[i].text;
  }
}

}  // namespace
}  // namespace coronado::web::template_test
