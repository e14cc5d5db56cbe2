#include "web/template/linker.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::size_t kMaxFiles = 10'000;  // each include counts, also of the same file

std::string nested_too_deeply(const std::string& name) {
  return "includes nested too deeply: does '" + name + "' include itself?";
}

}  // namespace

TemplatePlace make_place(const std::vector<Origin>& origins, const OriginPlace& place) {
  TemplatePlace made;
  const Origin* at = &origins[place.origin];
  const LineColumn where = at->file->place_of(place.offset);
  made.file = at->file->name;
  made.line = where.line;
  made.column = where.column;
  while (at->parent >= 0) {
    const std::uint32_t parent_offset = at->parent_offset;
    at = &origins[static_cast<std::size_t>(at->parent)];
    made.via.push_back(at->file->name + ":" +
                       std::to_string(at->file->place_of(parent_offset).line));
  }
  return made;
}

std::uint32_t PlaceTracker::add_origin(const SourceFile& file, bool is_root) {
  Origin origin{.file = &file};
  if (!is_root) {
    origin.parent = static_cast<std::int32_t>(place_.origin);
    origin.parent_offset = place_.offset;
  }
  origins_.push_back(origin);
  return static_cast<std::uint32_t>(origins_.size() - 1);
}

void PlaceTracker::fail(const std::string& message) const {
  throw ParseError(message, make_place(origins_, place_));
}

Linker::Entered::Entered(Linker& linker, const ParsedFile& file)
    : linker_(linker), file_(linker.file_), place_(linker.places_.place()) {
  if (linker.depth_ >= kMaxIncludeDepth) {
    linker.places_.fail(nested_too_deeply(file.source.name));
  }
  linker.places_.set_origin(linker.places_.add_origin(file.source, false));
  ++linker.depth_;
  linker.file_ = &file;
}

Linker::Entered::~Entered() {
  --linker_.depth_;
  linker_.file_ = file_;
  linker_.places_.set_place(place_);
}

/// Loads a file that a directive at the current place names, and keeps it.
std::shared_ptr<const ParsedFile> Linker::load(const std::string& name) {
  if (source_ == nullptr) places_.fail("cannot load '" + name + "': the template has no loader");
  if (files_.size() >= kMaxFiles) {
    places_.fail("the template includes more than " + std::to_string(kMaxFiles) + " files");
  }
  try {
    files_.push_back(source_->find(name, file_->source.name));
    return files_.back();
  } catch (const ParseError& error) {
    TemplatePlace place = error.place();
    TemplatePlace here = make_place(places_.origins(), places_.place());
    place.via.push_back(here.file + ":" + std::to_string(here.line));
    place.via.insert(place.via.end(), here.via.begin(), here.via.end());
    throw ParseError(error.message(), std::move(place));
  } catch (const std::runtime_error& error) {
    places_.fail(error.what());
  }
}

/// Blocks of files that come later win: children after parents, and what a file includes counts.
void Linker::add_blocks(const Body& body, const ParsedFile& file, std::size_t depth) {
  for (const auto& node : body) {
    if (node->kind == NodeKind::kBlock) {
      blocks_.insert_or_assign(node->text, BlockDefinition{node.get(), &file});
    }
    if (node->kind == NodeKind::kInclude) {
      places_.set_offset(node->offset);
      if (depth > kMaxIncludeDepth) places_.fail(nested_too_deeply(node->text));
      const std::shared_ptr<const ParsedFile> included = load(node->text);
      const Entered entered(*this, *included);
      add_blocks(included->body, *included, depth + 1);
    }
    for (const Branch& branch : node->branches) add_blocks(branch.body, file, depth);
  }
}

const Body& Linker::link(std::shared_ptr<const ParsedFile> file) {
  files_.push_back(file);
  std::vector<const ParsedFile*> chain = {file.get()};
  std::vector<std::uint32_t> origins = {places_.add_origin(file->source, true)};
  for (std::size_t i = 0; i < chain.size(); ++i) {
    file_ = chain[i];
    places_.set_origin(origins[i]);
    for (const auto& node : chain[i]->body) {
      if (node->kind != NodeKind::kExtends) continue;
      places_.set_offset(node->offset);
      if (chain.size() > kMaxIncludeDepth) {
        places_.fail("inheritance nested too deeply: does '" + node->text + "' extend itself?");
      }
      const std::shared_ptr<const ParsedFile> parent = load(node->text);
      chain.push_back(parent.get());
      origins.push_back(places_.add_origin(parent->source, false));
      break;
    }
  }
  for (std::size_t i = chain.size(); i-- > 0;) {
    file_ = chain[i];
    places_.set_origin(origins[i]);
    add_blocks(chain[i]->body, *chain[i], 0);
  }
  file_ = chain.back();
  places_.set_origin(origins.back());
  return chain.back()->body;
}

}  // namespace coronado::web::templates
