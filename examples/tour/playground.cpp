#include "playground.hpp"

#include <coronado/web/template.hpp>

#include <chrono>

namespace tour {
namespace {

namespace web = coronado::web;

// What a visitor's template may use of this process.
constexpr web::TemplateLimits kLimits = {
    .steps = 200'000, .output = 256 * 1024, .memory = 4 * 1024 * 1024};

constexpr const char* kLayout =
    "<!doctype html>\n<title>{% block title %}Layout{% end %}</title>\n"
    "<main>{% block body %}{% end %}</main>\n";

/// The members of the context as the names of the template.
class ContextScope final : public web::TemplateScope {
 public:
  explicit ContextScope(const coronado::Json& context) : context_(context) {}
  bool find(std::string_view name, web::TemplateMemory&, web::TemplateValue& found) const override {
    const coronado::Json* member = context_.as_object().find(name);
    if (member == nullptr) return false;
    found = web::template_value(*member);
    return true;
  }

 private:
  const coronado::Json& context_;
};

PlaygroundProblem problem(const std::string& message, const web::TemplatePlace& place) {
  const bool elsewhere = place.file != "page.html";
  return {.where = "template",
          .message = elsewhere ? message + " (in " + place.file + ")" : message,
          .line = elsewhere ? 0 : place.line,
          .column = elsewhere ? 0 : place.column};
}

}  // namespace

PlaygroundResult render_playground(const PlaygroundWanted& wanted) {
  PlaygroundResult result;
  try {
    const coronado::Json context = coronado::json_decode(wanted.context);
    if (!context.is_object()) {
      result.error = {"context", "the context is an object: {\"name\": value, ...}", 1, 1};
      return result;
    }
    const auto start = std::chrono::steady_clock::now();
    // [render]
    web::DictLoader loader({{"page.html", wanted.text}, {"layout.html", kLayout}},
                           {.limits = kLimits});
    const auto page = loader.load("page.html");
    for (const web::TemplateWarning& warning : page->warnings()) {
      result.warnings.push_back(problem(warning.message, warning.place));
    }
    const ContextScope scope(context);
    page->generate_into(result.output, {}, &scope);
    // [/render]
    result.microseconds =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  } catch (const coronado::JsonError& error) {
    result.error = {"context", error.what(), error.line(), error.column()};
  } catch (const web::ParseError& error) {
    result.error = problem(error.message(), error.place());
  } catch (const web::TemplateError& error) {
    result.error =
        problem(std::string(web::template_error_name(error.error_class())) + ": " + error.message(),
                error.place());
  } catch (const coronado::UsageError& error) {  // an await, which nothing here could answer
    result.error = {"template", error.what(), 0, 0};
  }
  return result;
}

}  // namespace tour
