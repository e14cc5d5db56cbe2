/// Runs a program: one rendering of a template.
///
/// The machine has no coroutine and no recursion but for lambdas, so it can stop anywhere: for a
/// value that must be awaited, and when a piece of output is ready.
///
/// Layer: web.
#pragma once

#include <coronado/web/template.hpp>

#include <exception>
#include <limits>
#include <optional>

#include "web/template/evaluator.hpp"
#include "web/template/iteration.hpp"
#include "web/template/program.hpp"

namespace coronado::web::templates {

class Machine final : public Evaluator {
 public:
  Machine(const Program& program, const TemplateLimits& limits, const Names& names,
          TemplateMemory& memory, Output& output);
  /// Runs until the end, an `await`, or a piece of output is ready.
  /// Throws  TemplateError  An error that the template does not handle; HTTPError and what is no
  ///                        std::exception as they were thrown.
  MachineStatus run();

  /// After `kAwait`: what to await; then one of the others.
  Task<TemplateValue>& awaited() noexcept;
  void resume(const TemplateValue& value);
  /// As `run`, which it includes.
  void resume_error(const std::exception_ptr& error);

  /// Stop whenever so much is written. 0: never.
  void set_piece_size(std::size_t size) noexcept { piece_size_ = size == 0 ? kNoPieces : size; }

 private:
  // The steps are its own, in files of their own.
  friend struct OutputSteps;
  friend struct ValueSteps;
  friend struct OperatorSteps;
  friend struct ControlSteps;

  static constexpr std::size_t kNoPieces = std::numeric_limits<std::size_t>::max();

  /// What a site in the code has seen last.
  struct AttributeCache {
    const TemplateType* type = nullptr;
    TemplateValue (*get)(const void* object, TemplateMemory& memory) = nullptr;
    std::ptrdiff_t offset = 0;  // of a member that is read where it stands
    TemplateStorage storage = TemplateStorage::kMade;
  };
  struct Try {
    std::uint32_t handler;
    TemplateValue* stack;
    std::uint32_t captures;
  };

  void bind_names(const Names& names);
  void handle_error(const std::exception_ptr& error);
  [[noreturn]] void throw_error(TemplateErrorClass error_class, const std::string& message,
                                const std::exception_ptr& cause);
  [[noreturn]] void fail_name(std::uint32_t slot) const;

  /// The value of a slot that must have one.
  const TemplateValue& load(std::uint32_t slot) const {
    if (slots_[slot].is_undefined()) [[unlikely]]
      fail_name(slot);
    return slots_[slot];
  }
  /// The same for one whose attribute follows: the error belongs to the name.
  const TemplateValue& load_object(std::uint32_t slot, std::uint32_t site) {
    if (slots_[slot].is_undefined()) [[unlikely]] {
      name_offset_ = program_.site_objects[site];
      fail_name(slot);
    }
    return slots_[slot];
  }
  void attribute_at(const TemplateValue& value, std::uint32_t site, TemplateValue& found) {
    const AttributeCache& cache = caches_[site];
    if (!value.is_object() || cache.type != &value.type()) [[unlikely]]
      return attribute_slow(value, site, found);
    if (!read_in_place(cache, value.pointer(), found)) found = cache.get(value.pointer(), memory_);
  }
  /// A member of `object` that is read where it stands. False: `cache.get` makes its value.
  static bool read_in_place(const AttributeCache& cache, const void* object,
                            TemplateValue& found) noexcept {
    const char* place = static_cast<const char*>(object) + cache.offset;
    switch (cache.storage) {
      case TemplateStorage::kString:
        found = TemplateValue::string(*reinterpret_cast<const std::string*>(place));
        return true;
      case TemplateStorage::kInt:
        found = TemplateValue::integer(*reinterpret_cast<const int*>(place));
        return true;
      case TemplateStorage::kDouble:
        found = TemplateValue::real(*reinterpret_cast<const double*>(place));
        return true;
      case TemplateStorage::kInt64:
        found = TemplateValue::integer(*reinterpret_cast<const std::int64_t*>(place));
        return true;
      case TemplateStorage::kStringView:
        found = TemplateValue::string(*reinterpret_cast<const std::string_view*>(place));
        return true;
      case TemplateStorage::kMade: return false;
    }
    return false;
  }
  void attribute_slow(const TemplateValue& value, std::uint32_t site, TemplateValue& found);
  void push_method(TemplateValue* top, std::uint32_t site);
  TemplateValue call_lambda(const TemplateFunction& function, const TemplateCall& call) override;
  void unpack_reversed(TemplateValue* top, std::size_t count);
  TemplateValue make_lambda(std::uint32_t index);
  bool piece_is_ready() const noexcept {
    return output_.size() >= piece_size_ && captures_.empty() && lambda_depth_ == 0;
  }
  TemplateValue end_capture();

  const Program& program_;
  const Names names_;
  TemplateValue* slots_ = nullptr;
  Cursor* cursors_ = nullptr;
  AttributeCache* caches_ = nullptr;
  // Of the program:
  const Instruction* code_;
  const std::string_view* texts_;
  const EmitSite* emits_;
  const TemplateValue* constants_;
  const MethodSite* methods_;
  const Instruction* next_;                   // where `run` goes on
  TemplateValue* top_ = nullptr;              // and its stack: one behind the last
  const Instruction* current_;                // for the place of an error
  std::optional<std::uint32_t> name_offset_;  // where, if not at `current_`
  std::size_t piece_size_ = kNoPieces;
  std::size_t lambda_depth_ = 0;
  std::vector<TemplateValue*> lambda_stacks_;  // by depth
  std::vector<Try> tries_;
  std::vector<std::size_t> captures_;
  TemplateValue caught_;
};

}  // namespace coronado::web::templates
