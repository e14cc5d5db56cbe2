/// What the tests of templates share.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/web/template.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado::web::template_test {

/// The text that a template makes.
inline std::string render(std::string text,
                          std::initializer_list<TemplateArgument> arguments = {}) {
  return Template(std::move(text)).generate(arguments);
}

/// The value of an expression, as `str` shows it.
inline std::string value_of(const std::string& expression,
                            std::initializer_list<TemplateArgument> arguments = {}) {
  return render("{% raw " + expression + " %}", arguments);
}

/// What the parser, or the rendering, says is wrong.
inline std::string error_of(std::string text,
                            std::initializer_list<TemplateArgument> arguments = {}) {
  try {
    return "no error: " + Template(std::move(text)).generate(arguments);
  } catch (const std::exception& error) {
    return error.what();
  }
}

inline std::string value_error(const std::string& expression,
                               std::initializer_list<TemplateArgument> arguments = {}) {
  const std::string error = error_of("{% raw " + expression + " %}", arguments);
  return error.substr(0, error.find(" at <string>"));
}

struct User {
  std::string name;
  int age = 0;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(User, (), (name, age, tags))

}  // namespace coronado::web::template_test
