/// Where in an HTML page a value is put, and whether escaping protects it there.
///
/// Layer: web.   Spec  HTML 13.2.5, as far as it tells text, tags, attributes and scripts apart.
#pragma once

#include <string>
#include <string_view>

#include "web/template/linker.hpp"

namespace coronado::web::templates {

/// Follows the text of a page; between its pieces stand values.
class HTMLContext {
 public:
  void read(std::string_view text);
  /// What is wrong with an escaped value at this place; empty: nothing.
  std::string problem(const Expression& value) const;
  /// A value stands here.
  void skip_value();

  /// Whether a template of that name is a page of HTML.
  static bool is_html(std::string_view name) noexcept;
  /// Goes on over a node that is text or a value, and adds what is wrong with it.
  void follow(const Node& node, const ParsedFile& file, const std::vector<Origin>& origins,
              const OriginPlace& place, std::vector<TemplateWarning>& warnings);

 private:
  enum class State {
    kText,
    kTagOpen,
    kTagName,
    kInTag,
    kAttributeName,
    kBeforeValue,
    kValue,
    kRawText,  // script and style
    kComment,
  };

  void read_character(char c, std::string_view rest);
  void read_tag(char c);
  void read_attribute(char c);
  void end_tag();
  std::string attribute_problem(const Expression& value) const;

  State state_ = State::kText;
  std::string tag_;
  std::string attribute_;
  std::string value_;  // so far
  char quote_ = '\0';  // '\0': a value without quotes
  bool closing_ = false;
};

}  // namespace coronado::web::templates
