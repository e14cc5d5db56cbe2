/// Runs a program: one rendering of a template.
///
/// The machine has no coroutine and no recursion but for lambdas, so it can stop anywhere: for a
/// value that must be awaited, and when a piece of output is ready.
///
/// Layer: web.
#pragma once

#include <coronado/web/template.hpp>

#include <exception>
#include <map>
#include <span>

#include "web/template/iteration.hpp"
#include "web/template/output.hpp"
#include "web/template/program.hpp"

namespace coronado::web::templates {

/// What a loader gives its templates.
struct LoaderNames {
  TemplateNamespace names;
  std::map<std::string, std::unique_ptr<TemplateNamespace>, std::less<>> modules;
};

/// Where names without a slot of their own come from, in this order.
struct Names {
  std::span<const TemplateArgument> arguments = {};
  const TemplateScope* scope = nullptr;
  /// Null: the template has no loader.
  const LoaderNames* loader = nullptr;
};

class Machine {
 public:
  Machine(const Program& program, const TemplateLimits& limits, const Names& names,
          TemplateMemory& memory, Output& output);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  enum class Status : std::uint8_t { kDone, kAwait, kPiece };

  /// Runs until the end, an `await`, or a piece of output is ready.
  /// Throws  TemplateError  An error that the template does not handle; HTTPError and what is no
  ///                        std::exception as they were thrown.
  Status run();

  /// After `kAwait`: what to await; then one of the others.
  Task<TemplateValue>& awaited() noexcept;
  void resume(const TemplateValue& value);
  /// As `run`, which it includes.
  void resume_error(const std::exception_ptr& error);

  /// Stop whenever so much is written. 0: never.
  void set_piece_size(std::size_t size) noexcept { piece_size_ = size; }

  /// Calls a function value; for natives that take functions.
  TemplateValue call(const TemplateValue& callee, std::span<const TemplateValue> arguments);

  /// Counts steps.   Throws  TemplateFault  The limit is reached.
  void charge(std::uint64_t steps) {
    if (steps > steps_left_) fail_steps();
    steps_left_ -= steps;
  }

 private:
  /// What a site in the code has seen last.
  struct AttributeCache {
    const TemplateType* type;
    TemplateValue (*get)(const void* object, TemplateMemory& memory);
  };
  struct Try {
    std::uint32_t handler;
    TemplateValue* stack;
    std::uint32_t captures;
  };

  void bind_names(const Names& names);
  Status execute();
  void handle_error(const std::exception_ptr& error);
  [[noreturn]] void throw_error(TemplateErrorClass error_class, const std::string& message,
                                const std::exception_ptr& cause);
  [[noreturn]] void fail_steps();
  [[noreturn]] void fail_name(std::uint32_t slot) const;

  TemplateValue attribute(const TemplateValue& value, std::uint32_t site) {
    if (value.is_object()) {
      const AttributeCache& cache = caches_[site];
      if (cache.type == &value.type()) [[likely]]
        return cache.get(value.pointer(), memory_);
    }
    return attribute_slow(value, site);
  }
  TemplateValue attribute_slow(const TemplateValue& value, std::uint32_t site);
  bool find_member(const TemplateValue& value, std::uint32_t site, TemplateValue& found);
  void push_method(TemplateValue*& top, std::uint32_t site);
  void emit_escaped(const TemplateValue& value, const TemplateValue& function);
  void emit_with(const TemplateValue& value, const TemplateValue& function);
  void emit_raw(const TemplateValue& value);
  TemplateValue call_site(TemplateValue* base, std::size_t count, const CallSite& site);
  TemplateValue call_function(const TemplateFunction& function, const TemplateValue& self,
                              const TemplateCall& call);
  TemplateValue call_lambda(const TemplateFunction& function, const TemplateCall& call);
  void unpack(TemplateValue*& top, std::size_t count);
  TemplateValue build_dict(std::span<const TemplateValue> pairs);
  TemplateValue join(std::span<const TemplateValue> parts);
  TemplateValue format(const TemplateValue& value, const TemplateValue& spec, char conversion);
  TemplateValue import_module(std::string_view name);
  bool matches(const TemplateValue& classes, const TemplateFailure& failure);
  TemplateValue end_capture();

  const Program& program_;
  const Names names_;
  TemplateMemory& memory_;
  Output& output_;
  TemplateValue* slots_ = nullptr;
  Cursor* cursors_ = nullptr;
  AttributeCache* caches_ = nullptr;
  const Instruction* next_ = nullptr;     // where `execute` goes on
  TemplateValue* top_ = nullptr;          // and its stack: one behind the last
  const Instruction* current_ = nullptr;  // for the place of an error
  std::uint64_t steps_left_;
  const std::uint64_t step_limit_;
  std::size_t piece_size_ = 0;
  std::size_t lambda_depth_ = 0;
  std::vector<TemplateValue*> lambda_stacks_;  // by depth
  std::vector<Try> tries_;
  std::vector<std::size_t> captures_;
  TemplateValue caught_;
};

}  // namespace coronado::web::templates
