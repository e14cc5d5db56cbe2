// A table of a thousand rows and the page of fortunes, with Google Benchmark. `bench/template_compare.py`
// renders the same templates with Tornado and Jinja2 and prints the ratios.
#include <coronado/base/describe.hpp>
#include <coronado/web/template.hpp>

#include <benchmark/benchmark.h>

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

constexpr std::string_view kTable =
    "<table>\n{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.name }}</td>"
    "<td>{{ row.email }}</td></tr>\n{% end %}</table>\n";

void table(benchmark::State& state) {
  const web::Template page{std::string(kTable)};
  std::string out;
  const web::TemplateArgument argument("rows", rows());
  for (auto _ : state) {
    out.clear();
    page.generate_into(out, {&argument, 1});
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(table);

void expressions(benchmark::State& state) {
  const web::Template page(
      "{% for row in rows %}{% if row.id % 2 == 0 and row.score > 10 %}{{ '%.2f' % row.score }} "
      "{{ row.name.upper() }}{% else %}{{ row.id * 2 + 1 }}{% end %}\n{% end %}");
  std::string out;
  const web::TemplateArgument argument("rows", rows());
  for (auto _ : state) {
    out.clear();
    page.generate_into(out, {&argument, 1});
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(expressions);

void compile(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(web::Template{std::string(kTable)});
}
BENCHMARK(compile);

}  // namespace
