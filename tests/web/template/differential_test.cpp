// The same templates by Debian's Tornado, when it is installed: every byte must be the same. What it
// answers is also in the tables of tornado_test.cpp and python_test.cpp, which need no Python.
#include <coronado/base/json.hpp>
#include <coronado/base/strings.hpp>

#include <random>

#include "tests/web/template/template_fixture.hpp"
#include "tests/web/tornado.hpp"

namespace coronado::web::template_test {
namespace {

const char* const kNames = R"({
  "html": "<b> & \"'", "name": "Ada", "n": 7, "big": 1234567, "neg": -42, "f": 2.5, "tiny": 0.000123,
  "xs": [3, 1, 2], "empty": [], "none": null, "yes": true, "words": ["b", "a", "c"],
  "d": {"k": "v", "x": 1}, "pairs": [[1, "a"], [2, "b"]], "people": [{"name": "Ann", "age": 30},
  {"name": "Bob", "age": 17}], "text": "  some  text \n with   lines  "
})";

// The file's name says how white space is treated.
struct Page {
  std::string name;
  std::string text;
};

std::vector<Page> corpus() {
  std::vector<Page> pages = {
      {"a.html", "<p>\n  {{ name }}  {{ n }}\n\n\n  <b>\t x </b>\n</p>\n"},
      {"a.txt", "<p>\n  {{ name }}  {{ n }}\n\n\n  <b>\t x </b>\n</p>\n"},
      {"a.js", "var  x =  {{ n }};\n\n\n\tvar y;"},
      {"a.html", "<pre>\n  a   b </pre>  {{ n }}   c \n  d"},
      {"a.html",
       "{% whitespace all %}a   b\n\n c{% whitespace oneline %}a   b\n\n c{% whitespace "
       "single %}a   b\n\n c"},
      {"a.txt", "{% whitespace single %} a \n b {% whitespace all %}  c  {% raw '  d  ' %}"},
      {"a.html", "{% for x in xs %}\n  {{ x }}\n{% end %}\n"},
      {"a.txt", "{{! x }} {%! y %} {#! z #} {# gone #}{% comment gone too %}|"},
      {"a.txt", "{{{n}} {{{{n}} } }} %} #}"},
      {"a.txt", "{% if n > 5 and not empty %}big{% elif n %}small{% else %}none{% end %}"},
      {"a.txt", "{% for a, b in pairs %}{{ a }}={{ b }};{% else %}done{% end %}"},
      {"a.txt",
       "{% for i, p in enumerate(people) %}{{ i }} {{ p['name'] }}{% if p['age'] < 18 %} "
       "minor{% end %}\n{% end %}"},
      {"a.txt",
       "{% set i = 0 %}{% while True %}{% set i += 1 %}{% if i == 2 %}{% continue %}{% end "
       "%}{% if i > 4 %}{% break %}{% end %}{{ i }}{% end %}"},
      {"a.txt",
       "{% try %}{{ d['no'] }}{% except KeyError as e %}no {{ e }}{% else %}x{% finally "
       "%}!{% end %}"},
      {"a.txt",
       "{% set a, b = pairs[0] %}{{ a }}{{ b }}{% set e = {} %}{% set e['new'] = 5 %}{{ e['new'] "
       "}}"},
      {"a.txt", "{% apply xhtml_escape %}<{{ name }}>{% end %}"},
      {"a.txt", "{{ html }}{% raw html %}{% autoescape None %}{{ html }}"},
      {"a.txt", "{% autoescape url_escape %}{{ html }}"},
      {"a.txt", "{% block a %}x{% block b %}y{% end %}{% end %}"},
      {"a.txt", "{% extends 'base' %}gone{% block title %}T{{ n }}{% end %}"},
      {"a.txt", "{% set inner = 'seen' %}{% include 'part' %}{% include 'part' %}"},
      {"a.txt",
       "{{ squeeze(text) }}|{{ url_escape('a b/c?') }}|{% raw json_encode(d['k']) %}|{{ "
       "escape('<') }}"},
      {"a.txt", "{% raw linkify('see http://a.com/x?y=1&z=2 and www.b.org.') %}"},
      {"a.txt",
       "{% import datetime %}{{ datetime.date(2024, 2, 29) + datetime.timedelta(days=1) }}"},
      {"a.txt", "{{ datetime.datetime(2024, 2, 9, 13, 5, 7).strftime('%d.%m.%y %H:%M %b %j') }}"},
      {"a.txt", "{{ datetime.timedelta(hours=-30) }} {{ datetime.timedelta(days=2, seconds=5) }}"},
      // What Tornado refuses.
      {"a.txt", "{% if 1 %}"},
      {"a.txt", "{% end %}"},
      {"a.txt", "{{ }}"},
      {"a.txt", "{% %}"},
      {"a.txt", "{% nope x %}"},
      {"a.txt", "{{ n"},
      {"a.txt", "{# n"},
      {"a.txt", "{% if n"},
      {"a.txt", "{% extends %}"},
      {"a.txt", "{% include %}"},
      {"a.txt", "{% block %}{% end %}"},
      {"a.txt", "{% apply %}{% end %}"},
      {"a.txt", "{% set %}"},
      {"a.txt", "{% import %}"},
      {"a.txt", "{% else %}"},
      {"a.txt", "{% for x in xs %}{% elif x %}{% end %}"},
      {"a.txt", "{% while 0 %}{% except %}{% end %}"},
      {"a.txt", "{% break %}"},
      {"a.txt", "{% continue %}"},
      {"a.txt", "{% for x in xs %}{% apply str %}{% break %}{% end %}{% end %}"},
      {"a.txt", "{{ nope }}"},
      {"a.txt", "{{ 1 + 'a' }}"},
      {"a.txt", "{{ await n }}"},
      {"a.txt", "{{ (lambda: await n)() }}"},
      {"a.txt", "{% include 'missing' %}"},
      {"a.txt", "{% whitespace nope %}"},
      {"a.txt", "{{ xs[9] }}"},
      {"a.txt", "{{ '%d' % name }}"},
      {"a.txt", "{{ '{:d}'.format(f) }}"},
  };
  for (const char* expression :
       {"sorted(xs)",
        "sorted(words, reverse=True)",
        "[x * 2 for x in xs if x > 1]",
        "{p['name']: p['age'] for p in people}",
        "', '.join(words)",
        "len(text)",
        "text.split()",
        "text.strip()[:4]",
        "name.ljust(6) + '|'",
        "name.center(8, '*')",
        "max(xs), min(xs), sum(xs)",
        "n // 2, n % 3, -n // 2, -n % 3, n / 2, n ** 2",
        "f * 2, f // 1, f % 1, -f",
        "n if n > 3 else f",
        "none or name",
        "yes and n",
        "not yes",
        "n in xs",
        "'d' in name",
        "xs + [4]",
        "xs * 2",
        "xs[::-1]",
        "xs[-1]",
        "list(zip(xs, words))",
        "dict(a=1)",
        "str(f)",
        "repr(html)",
        "[html, none, yes, f]",
        "range(3)",
        "list(range(0, 10, 4))",
        "divmod(neg, 5)",
        "abs(neg)",
        "round(f), round(3.5), round(2.675, 2)",
        "int('12') + int(f)",
        "float('1e3')",
        "d.get('k'), d.get('z', 0)",
        "list(d.items())",
        "any(xs), all(empty)",
        "1 < n < 10",
        "none is None",
        "html.upper()",
        "'a,b,c'.split(',', 1)",
        "words.index('c')",
        "n, ",
        "[]",
        "{}",
        "f'{n:>5}|{f:.3f}|{big:,}|{name!r:>8}|{neg:+}|{n:05d}|{f:e}|{f:g}|{n:x}|{n:#b}|'",
        "'%5.1f|%-6s|%+d|%05d|%x|%e|%g|%r|%s|%%' % (f, name, n, neg, big, f, tiny, html, xs)",
        "'{} {:.2f} {:>6} {:,}'.format(name, f, n, big)",
        "'{0} {1} {0}'.format(n, f)",
        "'{a:>4}'.format(a=n)",
        "'%(k)s' % d",
        "tiny",
        "big / 3",
        "1e16, 1e15, 1e-5, 0.1 + 0.2"}) {
    pages.push_back({"a.txt", "{% raw " + std::string(expression) + " %}"});
    pages.push_back({"a.txt", "{{ " + std::string(expression) + " }}"});
  }
  return pages;
}

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

TEST(TemplateDifferential, TornadoRendersTheSameBytes) {
  if (!web_test::has_tornado()) GTEST_SKIP() << "python3-tornado is not installed";
  std::vector<Page> pages = corpus();
  pages.push_back({"a.txt", random_formats()});
  Json::Array sent;
  for (const Page& page : pages) sent.push_back(Json{{"name", page.name}, {"text", page.text}});
  const std::string code =
      "import json\nfrom tornado.template import DictLoader\n"
      "pages = json.loads(bytes.fromhex('" +
      hex(json_encode(Json(std::move(sent)))) +
      "'))\n"
      "names = bytes.fromhex('" +
      hex(kNames) +
      "')\n"
      "files = {'base': '[{% block title %}t{% end %}]', 'part': '({{ inner }})'}\n"
      "out = []\n"
      "for page in pages:\n"
      "  try:\n"
      "    text = DictLoader({**files, page['name']: page['text']}).load(page['name'])"
      ".generate(**json.loads(names)).decode()\n"
      "  except BaseException:\n"
      "    text = 'error'\n"
      "  out.append(text)\n"
      "print(json.dumps(out).encode().hex())\n";
  const Json::Array theirs =
      json_decode(parse_hex(web_test::run_python(code)).value_or("")).as_array();
  ASSERT_EQ(theirs.size(), pages.size());
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const Json names = json_decode(kNames);
    TemplateNamespace given;
    for (const auto& [name, value] : names.as_object()) given.set(name, value);
    std::string ours = "error";
    try {
      DictLoader loader({{pages[i].name, pages[i].text},
                         {"base", "[{% block title %}t{% end %}]"},
                         {"part", "({{ inner }})"}});
      ours = loader.load(pages[i].name)->generate(given);
    } catch (const std::exception&) {
      ours = "error";
    }
    // Until 6.3 Tornado wrote the apostrophe in decimal.
    std::string wanted = theirs[i].as_string();
    for (std::size_t at = 0; (at = wanted.find("&#39;", at)) != std::string::npos;) {
      wanted.replace(at, 5, "&#x27;");
    }
    EXPECT_EQ(ours, wanted) << pages[i].text.substr(0, 500);
  }
}

}  // namespace
}  // namespace coronado::web::template_test
