// A table of a thousand rows, plain, with expressions and with numbers in columns, by both engines, with Google Benchmark. `bench/template_compare.py`
// renders the same templates with Tornado and Jinja2 and prints the ratios.
#include <coronado/base/describe.hpp>
#include <coronado/web/compiled_template.hpp>

#include <benchmark/benchmark.h>

#include <bench_pages/expressions.html.hpp>
#include <bench_pages/numbers.html.hpp>
#include <bench_pages/table.html.hpp>
#include <string>
#include <vector>

namespace {

using namespace coronado;

struct Row {
  int id;
  std::string name;
  std::string email;
  double score;
};
BOOST_DESCRIBE_STRUCT(Row, (), (id, name, email, score))

const std::vector<Row>& rows() {
  static const std::vector<Row> made = [] {
    std::vector<Row> all;
    for (int i = 0; i < 1000; ++i) {
      all.push_back({i, "Name <" + std::to_string(i) + ">",
                     "user" + std::to_string(i) + "@example.com", i / 4.0});
    }
    return all;
  }();
  return made;
}

struct Page {
  const std::vector<Row>& rows;
};

/// The run-time engine.
void interpret(benchmark::State& state, const char* name) {
  static web::Loader loader(BENCH_DIR "/templates");
  const auto page = loader.load(name);
  std::string out;
  const web::TemplateArgument argument("rows", rows());
  for (auto _ : state) {
    out.clear();
    page->generate_into(out, {&argument, 1});
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK_CAPTURE(interpret, table, "table.html");
BENCHMARK_CAPTURE(interpret, expressions, "expressions.html");
BENCHMARK_CAPTURE(interpret, numbers, "numbers.html");

/// The same pages, built in.
template <class Built>
void compiled(benchmark::State& state, const Built& page) {
  const Page context{rows()};
  std::string out;
  for (auto _ : state) {
    out.clear();
    page.generate_into(out, context);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK_CAPTURE(compiled, table, bench_pages::table_html);
BENCHMARK_CAPTURE(compiled, expressions, bench_pages::expressions_html);
BENCHMARK_CAPTURE(compiled, numbers, bench_pages::numbers_html);

void parse(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(web::Template(
        "<table>\n{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.name }}</td>"
        "</tr>\n{% end %}</table>\n"));
  }
}
BENCHMARK(parse);

}  // namespace
