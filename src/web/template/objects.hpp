/// The engine's own containers and functions, which live in a `TemplateMemory`.
///
/// Layer: web.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/web/template_value.hpp>

#include <exception>
#include <span>
#include <string_view>

namespace coronado::web::templates {

class Evaluator;
struct LambdaCode;

/// One call of a function of the engine.
struct NativeCall {
  const TemplateCall& call;
  const TemplateValue& self;  // of a method; else undefined
  Evaluator& evaluator;

  TemplateMemory& memory() const noexcept { return call.memory(); }
  std::size_t size() const noexcept { return call.size(); }
  const TemplateValue& operator[](std::size_t index) const noexcept { return call.argument(index); }
};

using Native = TemplateValue (*)(const NativeCall& call);
/// A method of text without arguments.
using TextMethod = TemplateValue (*)(std::string_view text, TemplateMemory& memory);

}  // namespace coronado::web::templates

namespace coronado::web::detail {

/// A list or a tuple.
struct TemplateList {
  TemplateValue* data = nullptr;
  std::size_t size = 0;
  std::size_t capacity = 0;

  std::span<const TemplateValue> values() const noexcept { return {data, size}; }
  void reserve(std::size_t wanted, TemplateMemory& memory);
  void append(const TemplateValue& value, TemplateMemory& memory) {
    if (size == capacity) reserve(size + 1, memory);
    data[size++] = value;
  }
};

/// Keys and values in the order they came; searched one by one up to 8, by hash beyond.
struct TemplateDict {
  struct Entry {
    TemplateValue key;
    TemplateValue value;
  };
  Entry* entries = nullptr;
  std::size_t size = 0;
  std::size_t capacity = 0;
  std::uint32_t* index = nullptr;  // positions + 1, by hash; 0 is free
  std::size_t index_size = 0;      // a power of two

  std::span<Entry> all() const noexcept { return {entries, size}; }
  /// Null if there is none.   Throws  TemplateFault  The key cannot be one.
  Entry* find(const TemplateValue& key) const;
  void put(const TemplateValue& key, const TemplateValue& value, TemplateMemory& memory);
  bool erase(const TemplateValue& key, TemplateMemory& memory);

 private:
  void rebuild(TemplateMemory& memory);
  void note(std::size_t position);
};

struct TemplateRange {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  std::int64_t step = 1;
  std::uint64_t size = 0;
};

struct TemplateFunction {
  std::string_view name;
  templates::Native native = nullptr;
  const templates::LambdaCode* lambda = nullptr;
  /// A class of errors: what `{% except %}` compares.
  const TemplateErrorClass* error_class = nullptr;
  /// The same as `native`, for methods of text that take no arguments.
  templates::TextMethod of_text = nullptr;
};

struct TemplateMethod {
  const TemplateFunction* function;
  TemplateValue self;
};

struct TemplateFailure {
  TemplateErrorClass error_class;
  std::string_view message;
  std::exception_ptr error;  // to throw it again
  const void* instruction;   // where it was thrown first
};

struct TemplateAwaitable {
  Task<TemplateValue> task;
};

}  // namespace coronado::web::detail

namespace coronado::web::templates {

using detail::TemplateAwaitable;
using detail::TemplateDict;
using detail::TemplateFailure;
using detail::TemplateFunction;
using detail::TemplateList;
using detail::TemplateMethod;
using detail::TemplateRange;

/// Throws  TemplateFault, always.
[[noreturn]] void fail(TemplateErrorClass error_class, const std::string& message);
[[noreturn]] void fail_type(const std::string& message);
[[noreturn]] void fail_value(const std::string& message);

TemplateValue new_list(std::span<const TemplateValue> values, TemplateMemory& memory);
TemplateValue new_tuple(std::span<const TemplateValue> values, TemplateMemory& memory);
TemplateValue new_pair(const TemplateValue& first, const TemplateValue& second,
                       TemplateMemory& memory);
TemplateValue new_string(std::string_view text, TemplateMemory& memory);

}  // namespace coronado::web::templates
