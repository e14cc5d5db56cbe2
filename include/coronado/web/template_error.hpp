/// What is wrong with a template, and where.
///
///     ParseError      the text is no template
///     TemplateError   it is, but rendering it failed
///
/// Layer: web.   Tornado  `template.ParseError`.
#pragma once

#include <coronado/web/template_value.hpp>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

/// A place in a template, and how the engine came there.
struct TemplatePlace {
  std::string file;
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< from 1, in bytes
  /// The directives that lead to the file, innermost first: "base.html:12".
  std::vector<std::string> via = {};
};

/// "page.html:3:7 (via base.html:12)".
std::string to_string(const TemplatePlace& place);

/// Something that is allowed, but dangerous: a value where escaping does not protect it.
struct TemplateWarning {
  std::string message;
  TemplatePlace place;
};

/// A template cannot be parsed, or one it extends or includes cannot be loaded.
///
/// `what()` is "Empty expression at page.html:3:7".
class ParseError : public std::runtime_error {
 public:
  ParseError(std::string message, TemplatePlace place);
  const std::string& message() const noexcept { return message_; }
  const TemplatePlace& place() const noexcept { return place_; }

 private:
  std::string message_;
  TemplatePlace place_;
};

/// An expression failed while a template was rendered, or a limit was reached.
///
/// `what()` is "NameError: name 'user' is not defined at page.html:3:7".
class TemplateError : public std::runtime_error {
 public:
  TemplateError(TemplateErrorClass error_class, std::string message, TemplatePlace place,
                std::exception_ptr cause = nullptr);
  TemplateErrorClass error_class() const noexcept { return error_class_; }
  const std::string& message() const noexcept { return message_; }
  const TemplatePlace& place() const noexcept { return place_; }
  /// What C++ code threw that the template had called; else null.
  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  TemplateErrorClass error_class_;
  std::string message_;
  TemplatePlace place_;
  std::exception_ptr cause_;
};

/// "KeyError", "Exception", ...
std::string_view template_error_name(TemplateErrorClass error_class) noexcept;

}  // namespace coronado::web
