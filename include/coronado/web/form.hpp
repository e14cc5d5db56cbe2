/// `Form<T>`: the fields of a form, read into a described struct.
///
///     struct Profile {
///       std::string name;
///       std::optional<int> age;
///       bool newsletter = false;          // a check box: not sent when it is not checked
///       std::vector<std::string> topics;  // all fields of that name
///       std::optional<HTTPFile> picture;  // a file of a multipart form
///     };
///     BOOST_DESCRIBE_STRUCT(Profile, (), (name, age, newsletter, topics, picture))
///
///     app.post("/profile", [](web::Form<Profile> form) { return "Hello, " + form->name; });
///
/// Members are numbers, strings, `bool`, `HTTPFile`, and std::optional or std::vector of them.
///
/// Layer: web.
#pragma once

#include <coronado/base/json_typed.hpp>
#include <coronado/http/multipart.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/schema.hpp>
#include <coronado/web/validation.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado {
/// In the OpenAPI document: bytes.
Json json_schema_of(std::type_identity<HTTPFile>);
}  // namespace coronado

namespace coronado::web {

namespace detail {

/// A form's fields by name, and what is wrong with them.
class FormReader {
 public:
  /// Throws  HTTPError(415)  The body is no form.
  ///         ValidationError(400)  It is malformed.
  explicit FormReader(const HTTPServerRequest& request);

  template <class M>
  void read(std::string_view name, M& member) {
    if constexpr (IsVector<M>::value) {
      using Element = typename M::value_type;
      if constexpr (std::is_same_v<Element, HTTPFile>) {
        member = files(name);
      } else {
        for (const std::string& text : all(name)) {
          Element element{};
          if (convert_to(element, text, name)) member.push_back(std::move(element));
        }
      }
    } else if constexpr (IsOptional<M>::value) {
      if (has(name)) read(name, member.emplace());
    } else if constexpr (std::is_same_v<M, HTTPFile>) {
      std::vector<HTTPFile> found = files(name);
      if (found.empty()) return note(name, "missing");
      member = std::move(found.back());
    } else {
      std::vector<std::string> texts = all(name);
      if (!texts.empty()) {
        convert_to(member, texts.back(), name);
      } else if constexpr (!std::is_same_v<M, bool>) {
        note(name, "missing");
      }
    }
  }

  std::vector<JsonFieldError> errors() && { return std::move(errors_); }

 private:
  template <class M>
  bool convert_to(M& member, const std::string& text, std::string_view name) {
    static_assert(kIsConvertible<M>,
                  "a form's field is a bool, a number, a std::string or an HTTPFile (or an "
                  "std::optional or std::vector of one)");
    try {
      member = convert<M>(text, name);
      return true;
    } catch (const ValidationError& error) {
      note(name, error.errors().front().message);
    }
    return false;
  }
  /// An empty text field counts as not sent, as browsers send all of them.
  bool has(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  std::vector<HTTPFile> files(std::string_view name) const;
  void note(std::string_view name, std::string message);

  const HTTPServerRequest& request_;
  std::vector<JsonFieldError> errors_;
};

/// Reads a form into `value`, and checks it.   Throws  As `Form::from_request`.
void read_form(const HTTPServerRequest& request, void* value,
               void (*read)(FormReader& reader, void* value), Validate validate);

template <class T, class... D>
void read_form_members(FormReader& reader, T& value, JsonMemberList<D...>) {
  (reader.read(D::name, value.*D::pointer), ...);
}
template <class T>
void read_form_into(FormReader& reader, void* value) {
  read_form_members(reader, *static_cast<T*>(value), typename JsonMembers<T>::type());
}

}  // namespace detail

/// The fields of a form, urlencoded or multipart, as a `T`.
template <class T>
struct Form {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  HTTPError(415)   The body is no form.
  ///         ValidationError  400: the form is malformed or exceeds a limit. 422: fields are missing,
  ///                          of another type, or break their rules; all of them are named.
  [[gnu::noinline]] static Form from_request(const HTTPServerRequest& request) {
    static_assert(JsonDescribed<T>,
                  "Form<T>: describe T with BOOST_DESCRIBE_STRUCT and include "
                  "<coronado/base/describe.hpp>");
    Form form{};
    detail::read_form(request, &form.value, detail::read_form_into<T>, detail::kValidate<T>);
    return form;
  }
  static void describe(Operation& operation) {
    constexpr bool has_files = []<class... D>(JsonMemberList<D...>) {
      return (is_file(std::type_identity<
                      std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>>()) ||
              ...);
    }(typename JsonMembers<T>::type());
    detail::set_body(operation,
                     has_files ? "multipart/form-data" : "application/x-www-form-urlencoded",
                     json_schema<T>);
  }

 private:
  template <class M>
  static constexpr bool is_file(std::type_identity<M>) {
    return std::is_same_v<M, HTTPFile> || std::is_same_v<M, std::optional<HTTPFile>> ||
           std::is_same_v<M, std::vector<HTTPFile>>;
  }
};

}  // namespace coronado::web
