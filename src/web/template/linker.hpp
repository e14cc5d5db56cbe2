/// Puts a template together from its files: inheritance, blocks and includes, for both engines.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_error.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/tree.hpp"

namespace coronado::web::templates {

/// Where the linker finds the files that a template extends and includes.
class FileSource {
 public:
  /// The file `name` as `parent` means it.
  /// Throws  ParseError          It cannot be parsed.
  ///         std::runtime_error  It cannot be found; the message says why.
  virtual std::shared_ptr<const ParsedFile> find(std::string_view name,
                                                 std::string_view parent) = 0;

 protected:
  ~FileSource() = default;
};

/// Deepest nesting of includes and inheritance.
inline constexpr std::size_t kMaxIncludeDepth = 50;

/// Where code comes from: a file, and what led to it.
struct Origin {
  const SourceFile* file;
  std::int32_t parent = -1;         // the index of another
  std::uint32_t parent_offset = 0;  // of the directive there
};

/// A place in a file that is reached as an origin says.
struct OriginPlace {
  std::uint32_t offset;
  std::uint32_t origin;
};

/// The place in words, with what led there.
TemplatePlace make_place(const std::vector<Origin>& origins, const OriginPlace& place);

/// The place that an engine is at, going through the files.
class PlaceTracker {
 public:
  explicit PlaceTracker(std::vector<Origin>& origins) : origins_(origins) {}

  void set_offset(std::uint32_t offset) noexcept { place_.offset = offset; }
  const OriginPlace& place() const noexcept { return place_; }
  void set_place(const OriginPlace& place) noexcept { place_ = place; }
  void set_origin(std::uint32_t origin) noexcept { place_.origin = origin; }
  /// A file that the directive at the current place leads to; a root has no such directive.
  std::uint32_t add_origin(const SourceFile& file, bool is_root);
  const std::vector<Origin>& origins() const noexcept { return origins_; }
  /// Throws  ParseError, always: of the current place.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  std::vector<Origin>& origins_;
  OriginPlace place_{};
};

/// The files of one template.
class Linker {
 public:
  /// Params  files   Keeps them alive.
  ///         source  Null: nothing can be included.
  Linker(PlaceTracker& places, std::vector<std::shared_ptr<const ParsedFile>>& files,
         FileSource* source)
      : places_(places), files_(files), source_(source) {}

  /// Finds what `file` extends, and all blocks. Afterwards the outermost file is the current one.
  /// Returns  The body to begin with.
  /// Throws   ParseError  A file is missing or malformed, or the limits are exceeded.
  const Body& link(std::shared_ptr<const ParsedFile> file);

  /// The file that is being walked through.
  const ParsedFile& file() const noexcept { return *file_; }

  /// Another file, for as long as this lives; then back to where it was entered.
  class Entered {
   public:
    Entered(Linker& linker, const ParsedFile& file);
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered();

   private:
    Linker& linker_;
    const ParsedFile* file_;
    OriginPlace place_;
  };

  /// Walks through what a `{% block %}` stands for: calls `visit(body)` in the block's own file.
  template <class Visit>
  void visit_block(const Node& block, Visit&& visit) {
    const BlockDefinition definition = blocks_.find(block.text)->second;
    if (definition.file == file_) return visit(definition.node->branches[0].body);
    const Entered entered(*this, *definition.file);
    visit(definition.node->branches[0].body);
  }
  /// The same for an `{% include %}`.
  template <class Visit>
  void visit_include(const Node& include, Visit&& visit) {
    const std::shared_ptr<const ParsedFile> file = load(include.text);
    const Entered entered(*this, *file);
    visit(file->body);
  }

 private:
  /// A block that is defined somewhere, and in which file.
  struct BlockDefinition {
    const Node* node;
    const ParsedFile* file;
  };

  std::shared_ptr<const ParsedFile> load(const std::string& name);
  void add_blocks(const Body& body, const ParsedFile& file, std::size_t depth);

  PlaceTracker& places_;
  std::vector<std::shared_ptr<const ParsedFile>>& files_;
  FileSource* source_;
  const ParsedFile* file_ = nullptr;
  std::map<std::string, BlockDefinition, std::less<>> blocks_;
  std::size_t depth_ = 0;
};

}  // namespace coronado::web::templates
