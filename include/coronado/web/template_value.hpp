/// What expressions of a template work on: Python's values, and views of C++ objects.
///
///     TemplateValue    one value: None, bool, int, float, str, list, tuple, dict, a C++ object, ...
///     TemplateType     how a template sees a C++ type: members, elements, keys, call
///     TemplateMemory   where values made while a template renders live
///     TemplateCall     the arguments of one call, for functions that want them as they come
///
/// Most programs need none of this: `<coronado/web/template.hpp>` takes C++ values as they are, and
/// `<coronado/web/template_binding.hpp>` says how each type looks to a template.
///
/// Layer: web.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coronado::web {

class TemplateCall;
class TemplateMemory;
class TemplateValue;
struct TemplateType;

namespace detail {
struct TemplateList;
struct TemplateDict;
struct TemplateRange;
struct TemplateFunction;
struct TemplateMethod;
struct TemplateFailure;
struct TemplateAwaitable;
}  // namespace detail

/// What a value is. `kUndefined` is a name without a value, which no expression ever yields.
enum class TemplateKind : std::uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kRange,
  kObject,     ///< a C++ object
  kFunction,   ///< a function of the engine, or a lambda
  kMethod,     ///< a method with its object: `name.upper`
  kFailure,    ///< what `{% except ... as e %}` binds
  kAwaitable,  ///< what a coroutine returned; only `await` takes it
};

/// The classes of errors that a template can tell apart: `{% except KeyError %}`.
enum class TemplateErrorClass : std::uint8_t {
  kException,  ///< thrown by C++ code that the template called
  kAttributeError,
  kIndexError,
  kKeyError,
  kNameError,
  kOverflowError,
  kTypeError,
  kValueError,
  kZeroDivisionError,
  kLimit,  ///< a limit of the engine; `{% except %}` does not catch it
};

/// What stands between values, or before one.
enum class TemplateOperator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
  kNegate,
  kPlus,
  kInvert,
  kNot,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kIs,
  kIsNot,
};

/// An error inside an expression, before the engine adds the place: what functions that a template
/// calls may throw to be told apart by `{% except %}`.
class TemplateFault : public std::runtime_error {
 public:
  TemplateFault(TemplateErrorClass error_class, const std::string& message)
      : std::runtime_error(message), error_class_(error_class) {}
  TemplateErrorClass error_class() const noexcept { return error_class_; }

 private:
  TemplateErrorClass error_class_;
};

/// One value, or a view of one: 24 bytes, copied freely, owning nothing.
///
/// Lifetime  Text, containers and objects are views. What a template makes lives until the
///           rendering ends; what a program hands in must live as long.
class TemplateValue {
 public:
  constexpr TemplateValue() noexcept = default;  // None

  static constexpr TemplateValue undefined() noexcept {
    return TemplateValue(TemplateKind::kUndefined);
  }
  static constexpr TemplateValue boolean(bool value) noexcept {
    TemplateValue made(TemplateKind::kBool);
    made.payload_.integer = value ? 1 : 0;
    return made;
  }
  static constexpr TemplateValue integer(std::int64_t value) noexcept {
    TemplateValue made(TemplateKind::kInt);
    made.payload_.integer = value;
    return made;
  }
  static constexpr TemplateValue real(double value) noexcept {
    TemplateValue made(TemplateKind::kFloat);
    made.payload_.real = value;
    return made;
  }
  static constexpr TemplateValue string(std::string_view text) noexcept {
    TemplateValue made(TemplateKind::kString);
    made.payload_.text = text.data();
    made.extra_.size = text.size();
    return made;
  }
  static constexpr TemplateValue object(const void* object, const TemplateType& type) noexcept {
    TemplateValue made(TemplateKind::kObject);
    made.payload_.object = object;
    made.extra_.type = &type;
    return made;
  }
  static TemplateValue list(detail::TemplateList& list) noexcept {
    return of(TemplateKind::kList, &list);
  }
  static TemplateValue tuple(detail::TemplateList& list) noexcept {
    return of(TemplateKind::kTuple, &list);
  }
  static TemplateValue dict(detail::TemplateDict& dict) noexcept {
    return of(TemplateKind::kDict, &dict);
  }
  /// A value of one of the engine's own kinds.
  static TemplateValue of(TemplateKind kind, const void* object) noexcept {
    TemplateValue made(kind);
    made.payload_.object = object;
    return made;
  }

  constexpr TemplateKind kind() const noexcept { return kind_; }
  constexpr bool is_undefined() const noexcept { return kind_ == TemplateKind::kUndefined; }
  constexpr bool is_none() const noexcept { return kind_ == TemplateKind::kNone; }
  constexpr bool is_string() const noexcept { return kind_ == TemplateKind::kString; }
  constexpr bool is_int() const noexcept { return kind_ == TemplateKind::kInt; }
  constexpr bool is_object() const noexcept { return kind_ == TemplateKind::kObject; }

  // What is inside. The caller has looked at the kind.
  constexpr bool as_bool() const noexcept { return payload_.integer != 0; }
  constexpr std::int64_t as_int() const noexcept { return payload_.integer; }
  constexpr double as_float() const noexcept { return payload_.real; }
  constexpr std::string_view as_string() const noexcept { return {payload_.text, extra_.size}; }
  constexpr const void* pointer() const noexcept { return payload_.object; }
  constexpr const TemplateType& type() const noexcept { return *extra_.type; }
  template <class T>
  T& as() const noexcept {
    return *static_cast<T*>(const_cast<void*>(payload_.object));
  }

 private:
  constexpr explicit TemplateValue(TemplateKind kind) noexcept : kind_(kind) {}

  TemplateKind kind_ = TemplateKind::kNone;
  union Payload {
    std::int64_t integer;
    double real;
    const char* text;
    const void* object;
  } payload_ = {.integer = 0};
  union Extra {
    std::size_t size;
    const TemplateType* type;
  } extra_ = {.size = 0};
};

static_assert(sizeof(TemplateValue) == 24 && std::is_trivially_copyable_v<TemplateValue>);

/// What a member is that is read where it stands.
enum class TemplateStorage : std::uint8_t {
  kMade,  ///< something else: `get` makes the value
  kInt,
  kInt64,
  kDouble,
  kString,
  kStringView,
};

/// A member of a C++ type.
struct TemplateMember {
  std::string_view name;
  TemplateValue (*get)(const void* object, TemplateMemory& memory);
  TemplateStorage storage = TemplateStorage::kMade;
  /// The member's place; null for `kMade`.
  const void* (*place)(const void* object) = nullptr;
};

/// How a template sees the objects of one C++ type. What a type cannot do is null.
struct TemplateType {
  /// For messages: "list", "Fortune".
  std::string_view name;
  std::span<const TemplateMember> members = {};
  /// A member that is found by name while rendering; false: there is none.
  bool (*attribute)(const void* object, std::string_view name, TemplateMemory& memory,
                    TemplateValue& found) = nullptr;
  std::size_t (*size)(const void* object) = nullptr;
  /// The element at `index`, which is below `size`. A type with it is a sequence.
  TemplateValue (*item)(const void* object, std::size_t index, TemplateMemory& memory) = nullptr;
  /// Of a sequence whose elements are objects that stand one behind the other: the first one, how
  /// far it is from each to the next, and their type.
  const void* (*data)(const void* object) = nullptr;
  std::size_t stride = 0;
  const TemplateType* element = nullptr;
  /// The value of a key; false: there is none. A type with it is a mapping.
  bool (*find)(const void* object, const TemplateValue& key, TemplateMemory& memory,
               TemplateValue& found) = nullptr;
  /// A walk over the elements, or over keys and values: `iterate` makes it, `next` takes a step.
  void* (*iterate)(const void* object, TemplateMemory& memory) = nullptr;
  bool (*next)(void* walk, TemplateMemory& memory, TemplateValue& key,
               TemplateValue& value) = nullptr;
  TemplateValue (*call)(const void* object, TemplateCall& call) = nullptr;
  /// `str(value)`.
  std::string (*text)(const void* object) = nullptr;
  /// `a op b`, where one of them is of this type; false: there is no such operation.
  bool (*operate)(TemplateOperator op, const TemplateValue& a, const TemplateValue& b,
                  TemplateMemory& memory, TemplateValue& result) = nullptr;
  /// Whether `a` is less than `b` (-1), equal (0) or greater (1); false: they cannot be compared.
  bool (*order)(const void* a, const void* b, int& result) = nullptr;
};

/// Memory for what is made while one template renders; all of it is freed at the end.
class TemplateMemory {
 public:
  /// Params  limit  Most bytes; more is a `TemplateFault` of class `kLimit`.
  explicit TemplateMemory(std::size_t limit = std::size_t{64} * 1024 * 1024) noexcept
      : limit_(limit) {}
  TemplateMemory(const TemplateMemory&) = delete;
  TemplateMemory& operator=(const TemplateMemory&) = delete;
  ~TemplateMemory();

  /// Uninitialised bytes, aligned to 8 or, for larger types, to 16.
  void* allocate(std::size_t size) {
    size = (size + kAlignment - 1) & ~(kAlignment - 1);
    if (static_cast<std::size_t>(end_ - cursor_) < size) [[unlikely]]
      return allocate_block(size);
    return std::exchange(cursor_, cursor_ + size);
  }
  template <class T>
  T* allocate_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
    check_count(count, sizeof(T));
    return static_cast<T*>(allocate(count * sizeof(T)));
  }

  /// A `T` that lives until the end, when its destructor runs.
  template <class T, class... Args>
  T& make(Args&&... arguments) {
    static_assert(alignof(T) <= kAlignment);
    if constexpr (std::is_trivially_destructible_v<T>) {
      return *::new (allocate(sizeof(T))) T{std::forward<Args>(arguments)...};
    } else {
      auto* owner = static_cast<Owner*>(allocate(sizeof(Owner)));
      T* object = ::new (allocate(sizeof(T))) T{std::forward<Args>(arguments)...};
      *owner = {owners_, object, [](void* place) noexcept { static_cast<T*>(place)->~T(); }};
      owners_ = owner;
      return *object;
    }
  }

  /// A copy of `text`.
  std::string_view copy(std::string_view text);

  /// Frees everything, and keeps the largest block that is not too large for the next rendering.
  void clear() noexcept;
  /// Before anything is allocated.
  void set_limit(std::size_t limit) noexcept {
    limit_ = limit;
    if (static_cast<std::size_t>(end_ - cursor_) > limit) end_ = cursor_ + limit;
  }

 private:
  static constexpr std::size_t kAlignment = 16;
  struct Block {
    Block* next;
    std::size_t size;
  };
  struct Owner {
    Owner* next;
    void* object;
    void (*destroy)(void*) noexcept;
  };

  void* allocate_block(std::size_t size);
  void check_count(std::size_t count, std::size_t size) const;
  void destroy_owned() noexcept;

  char* cursor_ = nullptr;
  char* end_ = nullptr;
  Block* blocks_ = nullptr;
  Owner* owners_ = nullptr;
  std::size_t used_ = 0;
  std::size_t limit_;
};

/// One call: the function's own name, its arguments, and where to put the result.
class TemplateCall {
 public:
  TemplateCall(TemplateMemory& memory, std::string_view function,
               std::span<const TemplateValue> arguments, std::span<const std::string_view> names)
      : memory_(memory), function_(function), arguments_(arguments), names_(names) {}

  TemplateMemory& memory() const noexcept { return memory_; }
  /// What the template calls it, for messages.
  std::string_view function() const noexcept { return function_; }
  /// How many arguments came without a name; `argument(i)` for each.
  std::size_t size() const noexcept { return arguments_.size() - names_.size(); }
  const TemplateValue& argument(std::size_t index) const noexcept { return arguments_[index]; }
  /// The arguments that came with a name.
  std::size_t keyword_count() const noexcept { return names_.size(); }
  std::string_view keyword_name(std::size_t index) const noexcept { return names_[index]; }
  const TemplateValue& keyword(std::size_t index) const noexcept {
    return arguments_[size() + index];
  }

  /// Puts the arguments in the order of `parameters`; those not given are `kUndefined`.
  /// Throws  TemplateFault  Too many or too few, an unknown name, or the same one twice.
  void bind(std::span<const std::string_view> parameters, std::size_t required,
            TemplateValue* bound) const;

 private:
  TemplateMemory& memory_;
  std::string_view function_;
  std::span<const TemplateValue> arguments_;
  std::span<const std::string_view> names_;
};

/// The name of a value's type as Python has it: "str", "list", "NoneType"; a C++ type's own.
std::string_view template_type_name(const TemplateValue& value) noexcept;

/// `str(value)`.
/// Throws  TemplateFault  It nests too deeply, or is an awaitable.
std::string template_to_string(const TemplateValue& value);

}  // namespace coronado::web
