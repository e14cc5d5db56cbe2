/// Directives of a template to statements of C++: the body of the function that renders it.
///
/// Layer: web.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "web/template/cpp_expressions.hpp"
#include "web/template/cpp_generator.hpp"
#include "web/template/cpp_names.hpp"
#include "web/template/linker.hpp"

namespace coronado::web::templates {

/// A node where it stands in the whole template.
struct CppItem {
  const Node* node;
  OriginPlace place;
  const ParsedFile* file;
  std::vector<std::vector<CppItem>>
      bodies;  // of its branches; of what a block or include stands for
};

class CppStatements {
 public:
  CppStatements(PlaceTracker& places, const CppOptions& options);

  /// Makes the body; what `places` is at is the template's own file.
  /// Throws  ParseError  The template has what cannot become C++.
  void write(const std::vector<CppItem>& items);
  /// What was made.
  /// Params  in_pieces  Output is written whenever a piece is ready: the function is a coroutine.
  std::string text(bool in_pieces) const;
  bool awaits() const noexcept { return expressions_.awaits(); }
  /// The places that errors come from, by their numbers in the text.
  const std::vector<OriginPlace>& sites() const noexcept { return sites_; }
  /// Definitions of the constants that the text uses.
  const std::vector<std::string>& constants() const noexcept { return expressions_.constants(); }

 private:
  /// How a loop is left from inside.
  struct Frame {
    bool is_loop;
    std::string name;  // of the flag that a loop with an else has, or of the label of a finally
    bool used = false;
  };

  static void find_assigned(const Expression& target, std::set<std::string, std::less<>>& names);
  static void find_assigned(const std::vector<CppItem>& items,
                            std::set<std::string, std::less<>>& names);
  std::string site(std::uint32_t offset);
  void line(std::uint32_t offset, const std::string& code);
  void code(const std::string& text) { out_ += text + "\n"; }

  void body(const std::vector<CppItem>& items);
  void block(const std::vector<CppItem>& items);
  void statement(const CppItem& item);
  void emit(const CppItem& item, const std::string& before);
  void set(const Node& node);
  void augment(const Node& node);
  void branches(const CppItem& item);
  void loop(const CppItem& item);
  void leave(const Node& node);
  void attempt(const CppItem& item);
  void handlers(const CppItem& item);
  void apply(const CppItem& item);
  void imports(const Node& node);
  std::string names_of_outside() const;

  const CppOptions& options_;
  PlaceTracker& places_;
  CppNames names_;
  CppExpressions expressions_;
  std::size_t attempts_ = 0;  // `try` statements around
  std::vector<Frame> frames_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> site_numbers_;
  std::vector<OriginPlace> sites_;
  std::string head_;
  std::string out_;
};

}  // namespace coronado::web::templates
