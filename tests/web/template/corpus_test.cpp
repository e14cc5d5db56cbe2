// Both engines render the same bytes of every page of the corpus; differential_test asks Tornado as well.
#include "tests/web/template/corpus.hpp"

#include <coronado/web/compiled_template.hpp>

#include <filesystem>
#include <map>

#include <web_pages/corpus/apply.txt.hpp>
#include <web_pages/corpus/attributes.html.hpp>
#include <web_pages/corpus/autoescape.txt.hpp>
#include <web_pages/corpus/autoescape_function.txt.hpp>
#include <web_pages/corpus/autoescape_include.txt.hpp>
#include <web_pages/corpus/base.txt.hpp>
#include <web_pages/corpus/blocks.txt.hpp>
#include <web_pages/corpus/brace_runs.txt.hpp>
#include <web_pages/corpus/braces.txt.hpp>
#include <web_pages/corpus/datetime.txt.hpp>
#include <web_pages/corpus/enumerate.txt.hpp>
#include <web_pages/corpus/escaped.txt.hpp>
#include <web_pages/corpus/expressions.txt.hpp>
#include <web_pages/corpus/extends.txt.hpp>
#include <web_pages/corpus/for_else.txt.hpp>
#include <web_pages/corpus/for_lines.html.hpp>
#include <web_pages/corpus/formats.txt.hpp>
#include <web_pages/corpus/from_import.txt.hpp>
#include <web_pages/corpus/functions.txt.hpp>
#include <web_pages/corpus/grandchild.txt.hpp>
#include <web_pages/corpus/if.txt.hpp>
#include <web_pages/corpus/import.txt.hpp>
#include <web_pages/corpus/include.txt.hpp>
#include <web_pages/corpus/lambdas.txt.hpp>
#include <web_pages/corpus/linkify.txt.hpp>
#include <web_pages/corpus/loop_in_apply.txt.hpp>
#include <web_pages/corpus/middle.txt.hpp>
#include <web_pages/corpus/names.txt.hpp>
#include <web_pages/corpus/pre.html.hpp>
#include <web_pages/corpus/set.txt.hpp>
#include <web_pages/corpus/timedelta.txt.hpp>
#include <web_pages/corpus/try.txt.hpp>
#include <web_pages/corpus/try_in_loop.txt.hpp>
#include <web_pages/corpus/try_nested.txt.hpp>
#include <web_pages/corpus/unpack.txt.hpp>
#include <web_pages/corpus/while.txt.hpp>
#include <web_pages/corpus/while_else.txt.hpp>
#include <web_pages/corpus/whitespace.html.hpp>
#include <web_pages/corpus/whitespace.js.hpp>
#include <web_pages/corpus/whitespace.txt.hpp>
#include <web_pages/corpus/whitespace_directive.html.hpp>
#include <web_pages/corpus/whitespace_single.txt.hpp>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

std::map<std::string, std::string> compiled_corpus(const CorpusNames& names) {
  std::map<std::string, std::string> compiled;
  compiled.emplace("apply.txt", web_pages::corpus_apply_txt.generate(names));
  compiled.emplace("attributes.html", web_pages::corpus_attributes_html.generate(names));
  compiled.emplace("autoescape.txt", web_pages::corpus_autoescape_txt.generate(names));
  compiled.emplace("autoescape_function.txt",
                   web_pages::corpus_autoescape_function_txt.generate(names));
  compiled.emplace("autoescape_include.txt",
                   web_pages::corpus_autoescape_include_txt.generate(names));
  compiled.emplace("base.txt", web_pages::corpus_base_txt.generate(names));
  compiled.emplace("blocks.txt", web_pages::corpus_blocks_txt.generate(names));
  compiled.emplace("brace_runs.txt", web_pages::corpus_brace_runs_txt.generate(names));
  compiled.emplace("braces.txt", web_pages::corpus_braces_txt.generate(names));
  compiled.emplace("datetime.txt", web_pages::corpus_datetime_txt.generate(names));
  compiled.emplace("enumerate.txt", web_pages::corpus_enumerate_txt.generate(names));
  compiled.emplace("escaped.txt", web_pages::corpus_escaped_txt.generate(names));
  compiled.emplace("expressions.txt", web_pages::corpus_expressions_txt.generate(names));
  compiled.emplace("extends.txt", web_pages::corpus_extends_txt.generate(names));
  compiled.emplace("for_else.txt", web_pages::corpus_for_else_txt.generate(names));
  compiled.emplace("for_lines.html", web_pages::corpus_for_lines_html.generate(names));
  compiled.emplace("formats.txt", web_pages::corpus_formats_txt.generate(names));
  compiled.emplace("from_import.txt", web_pages::corpus_from_import_txt.generate(names));
  compiled.emplace("functions.txt", web_pages::corpus_functions_txt.generate(names));
  compiled.emplace("grandchild.txt", web_pages::corpus_grandchild_txt.generate(names));
  compiled.emplace("if.txt", web_pages::corpus_if_txt.generate(names));
  compiled.emplace("import.txt", web_pages::corpus_import_txt.generate(names));
  compiled.emplace("include.txt", web_pages::corpus_include_txt.generate(names));
  compiled.emplace("lambdas.txt", web_pages::corpus_lambdas_txt.generate(names));
  compiled.emplace("linkify.txt", web_pages::corpus_linkify_txt.generate(names));
  compiled.emplace("loop_in_apply.txt", web_pages::corpus_loop_in_apply_txt.generate(names));
  compiled.emplace("middle.txt", web_pages::corpus_middle_txt.generate(names));
  compiled.emplace("names.txt", web_pages::corpus_names_txt.generate(names));
  compiled.emplace("pre.html", web_pages::corpus_pre_html.generate(names));
  compiled.emplace("set.txt", web_pages::corpus_set_txt.generate(names));
  compiled.emplace("timedelta.txt", web_pages::corpus_timedelta_txt.generate(names));
  compiled.emplace("try.txt", web_pages::corpus_try_txt.generate(names));
  compiled.emplace("try_in_loop.txt", web_pages::corpus_try_in_loop_txt.generate(names));
  compiled.emplace("try_nested.txt", web_pages::corpus_try_nested_txt.generate(names));
  compiled.emplace("unpack.txt", web_pages::corpus_unpack_txt.generate(names));
  compiled.emplace("while.txt", web_pages::corpus_while_txt.generate(names));
  compiled.emplace("while_else.txt", web_pages::corpus_while_else_txt.generate(names));
  compiled.emplace("whitespace.html", web_pages::corpus_whitespace_html.generate(names));
  compiled.emplace("whitespace.js", web_pages::corpus_whitespace_js.generate(names));
  compiled.emplace("whitespace.txt", web_pages::corpus_whitespace_txt.generate(names));
  compiled.emplace("whitespace_directive.html",
                   web_pages::corpus_whitespace_directive_html.generate(names));
  compiled.emplace("whitespace_single.txt",
                   web_pages::corpus_whitespace_single_txt.generate(names));
  return compiled;
}

TEST(TemplateCorpus, BothEnginesRenderTheSameBytes) {
  const CorpusNames names;
  const std::map<std::string, std::string> compiled = compiled_corpus(names);
  const TemplateNamespace given = detail::context_names(names);
  Loader loader(kCorpus);
  for (const auto& file : std::filesystem::directory_iterator(kCorpus)) {
    const std::string name = file.path().filename().string();
    if (name == kPart) continue;
    const auto found = compiled.find(name);
    ASSERT_NE(found, compiled.end()) << name << " is not compiled by this test";
    EXPECT_EQ(found->second, loader.load(name)->generate(given)) << name;
  }
}

}  // namespace
}  // namespace coronado::web::template_test
