/// Function handlers: what a function may take, and what it may return.
///
///     app.get("/users/{id:int}", [](long id, web::Query<"page", int> page) -> Task<web::Response>
///     {...});
///
/// **Parameters**, each optional, in any order:
///
///     integers, floating point, std::string, std::string_view
///                        the path parameters, in the order of the pattern, percent-decoded (a
///                        string_view is not decoded)
///     Query<"name", T>   an argument of the query; with a std::vector all of that name
///     Header<"Name", T>  a field of the request
///     Cookie<"name", T>  a cookie of the request
///     JsonBody<T>        the body, read into a described struct (<coronado/web/json.hpp>)
///     Form<T>            the fields of a form, the same (<coronado/web/form.hpp>)
///     Extension<T>       what middleware has kept with the request
///     State<T>           what the application keeps (<coronado/web/application.hpp>)
///     const HTTPServerRequest&   the whole request
///     HTTPExchange&      the request and the response, to answer by hand
///     Session&           the values of the browser (<coronado/web/session.hpp>)
///     any T with `static T from_request(const HTTPServerRequest&)`, or `from_exchange(WebExchange&)`
///                        your own extractor; with `static Task<> prepare(WebExchange&)`, that is
///                        awaited before: what it finds is kept with `WebExchange::set_extension`
///
/// With `T` an `std::optional` the argument may be missing; otherwise that is a 400 which names it.
///
/// **Results**: `Response`; text (`std::string`, `std::string_view`, `const char*`: text/plain); a
/// `Json` or a described struct (application/json, with <coronado/web/json.hpp>); a stream or a file
/// (<coronado/web/stream_response.hpp>); a page (`web::page`, <coronado/web/compiled_template.hpp>);
/// nothing (204, unless the function answered through `HTTPExchange`); or a `Task` of any of them. A
/// function that is no coroutine costs no frame.
///
/// A function that throws `HTTPError` is answered with its status, anything else with 500.
///
/// Layer: web.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/web/exchange.hpp>
#include <coronado/web/extractors.hpp>
#include <coronado/web/operation.hpp>
#include <coronado/web/response.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coronado::web {

/// How a result of type `T` is sent; specialise it for types of your own:
/// `static void send(HTTPExchange&, const T&)`, or `static Task<> send_pieces(HTTPExchange&, T)` for
/// one that must wait while it is sent.
template <class T>
struct ResultWriter;

namespace detail {

template <class T>
concept WritableResult =
    requires(HTTPExchange& exchange, const T& result) { ResultWriter<T>::send(exchange, result); };

/// A result that is sent by a task.
template <class T>
concept PiecewiseResult = requires(HTTPExchange& exchange, T (*result)()) {
  { ResultWriter<T>::send_pieces(exchange, result()) } -> std::same_as<Task<>>;
};

/// True for what belongs to the request and lives as long: the handler gets a reference.
template <class T>
constexpr bool kLivesWithRequest = false;
template <class T>
  requires requires { T::kLivesWithRequest; }
constexpr bool kLivesWithRequest<T> = T::kLivesWithRequest;

template <class T>
concept ExchangeExtractor = requires(WebExchange& exchange) {
  { T::from_exchange(exchange) } -> std::same_as<T>;
} || (kLivesWithRequest<T> && requires(WebExchange& exchange) {
                              { T::from_exchange(exchange) } -> std::same_as<T&>;
                            });

/// What is awaited before arguments are extracted; null: nothing.
using PrepareArgument = Task<> (*)(WebExchange&);
template <class T>
constexpr PrepareArgument kPrepare = nullptr;
template <class T>
  requires requires(WebExchange& exchange) {
    { T::prepare(exchange) } -> std::same_as<Task<>>;
  }
constexpr PrepareArgument kPrepare<T> = &T::prepare;

template <class T>
concept Extractor = ExchangeExtractor<T> || requires(const HTTPServerRequest& request) {
  { T::from_request(request) } -> std::same_as<T>;
};

template <class T>
constexpr bool kIsPathParameter = std::is_arithmetic_v<T> || std::is_same_v<T, std::string> ||
                                  std::is_same_v<T, std::string_view>;

template <class... Args>
struct ArgumentList {
  using Indexes = std::index_sequence_for<Args...>;
};

/// The parameters and the result of a callable.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... Args>
struct Signature<R (*)(Args...) noexcept> : Signature<R (*)(Args...)> {};
template <class R, class... Args>
struct Signature<R (*)(Args...)> {
  using Result = R;
  using Arguments = ArgumentList<Args...>;
};
template <class C, class R, class... Args>
struct Signature<R (C::*)(Args...)> : Signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct Signature<R (C::*)(Args...) const> : Signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct Signature<R (C::*)(Args...) noexcept> : Signature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct Signature<R (C::*)(Args...) const noexcept> : Signature<R (*)(Args...)> {};

template <class F>
concept PlainCallable = requires { &F::operator(); } || std::is_pointer_v<F>;

template <class T>
struct AwaitedResult {
  using type = T;
  static constexpr bool kIsTask = false;
};
template <class T>
struct AwaitedResult<Task<T>> {
  using type = T;
  static constexpr bool kIsTask = true;
};

template <class T>
constexpr bool kIsResult =
    std::is_void_v<T> || std::is_same_v<T, Response> ||
    std::is_convertible_v<T, std::string_view> || WritableResult<T> || PiecewiseResult<T>;

void send_text(HTTPExchange& exchange, std::string_view text);
void send_response(HTTPExchange& exchange, const Response& response);
void send_nothing(HTTPExchange& exchange);
void send_error(WebExchange& exchange, const std::exception_ptr& error) noexcept;
/// In a handler of exceptions: answers with the one that it has caught, at once.
/// Returns  An empty task: nothing is left to await, or to cancel.
/// Returns An empty task.
/// Throws  Nothing.
/// Cancel  It waits for nothing.
Task<> answer_error(WebExchange& exchange) noexcept;

template <class T>
void send_result(HTTPExchange& exchange, const T& result) {
  if constexpr (std::is_same_v<T, Response>) {
    send_response(exchange, result);
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    send_text(exchange, result);
  } else {
    ResultWriter<T>::send(exchange, result);
  }
}

template <class T>
T path_parameter(const WebExchange& exchange, std::size_t index) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return exchange.parameters()[index];
  } else if constexpr (std::is_same_v<T, std::string>) {
    return to_text(exchange.parameters().decoded(index), "path");
  } else {
    return convert<T>(exchange.parameters()[index], "path");
  }
}

/// The I-th of the arguments, of which `PathIndex` path parameters come before it.
template <class Argument, std::size_t PathIndex>
decltype(auto) extract(WebExchange& exchange) {
  using T = std::remove_cvref_t<Argument>;
  if constexpr (std::is_same_v<T, HTTPServerRequest>) {
    return (exchange.request());
  } else if constexpr (std::is_base_of_v<T, WebExchange>) {
    return static_cast<T&>(exchange);
  } else if constexpr (kIsPathParameter<T>) {
    return path_parameter<T>(exchange, PathIndex);
  } else if constexpr (ExchangeExtractor<T>) {
    return T::from_exchange(exchange);
  } else {
    return T::from_request(exchange.request());
  }
}

/// Adds what a parameter of the function says of itself.
template <class Argument>
void describe_argument(Operation& operation) {
  using T = std::remove_cvref_t<Argument>;
  if constexpr (kIsPathParameter<T>) {
    add_path_parameter(operation, TextSchemaOf<T>::value);
  } else if constexpr (requires { T::describe(operation); }) {
    T::describe(operation);
  }
}

/// The same for its result.
template <class T>
void describe_result(Operation& operation) {
  if constexpr (std::is_void_v<T>) {
    operation.status = 204;
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    set_result(operation, "text/plain");
  } else if constexpr (requires { ResultWriter<T>::describe(operation); }) {
    ResultWriter<T>::describe(operation);
  }
}

/// True for arguments that live as long as the request.
template <class Argument>
constexpr bool kIsOfTheRequest = kLivesWithRequest<std::remove_cvref_t<Argument>> ||
                                 std::is_same_v<std::remove_cvref_t<Argument>, HTTPServerRequest> ||
                                 std::is_base_of_v<std::remove_cvref_t<Argument>, WebExchange>;

template <class Argument>
constexpr bool kIsParameter =
    kIsOfTheRequest<Argument> || kIsPathParameter<std::remove_cvref_t<Argument>> ||
    Extractor<std::remove_cvref_t<Argument>>;

/// False for a Query or Header of a type that no text becomes.
template <class T>
constexpr bool kIsReadable = true;
template <class T>
  requires requires { T::kConvertible; }
constexpr bool kIsReadable<T> = T::kConvertible;

/// A reference through which the function would change what nobody looks at.
template <class Argument>
constexpr bool kIsMutableReference =
    std::is_lvalue_reference_v<Argument> && !std::is_const_v<std::remove_reference_t<Argument>> &&
    !kIsOfTheRequest<Argument>;

template <class Arguments>
struct Parameters;
template <class... Args>
struct Parameters<ArgumentList<Args...>> {
  static constexpr bool kKnown = (kIsParameter<Args> && ...);
  static constexpr bool kReadable = (kIsReadable<std::remove_cvref_t<Args>> && ...);
  static constexpr bool kMutable = (kIsMutableReference<Args> || ...);
  static constexpr bool kOutliveTheCall =
      ((!std::is_reference_v<Args> || kIsOfTheRequest<Args>) && ...);
};

// Named so that a failed assertion is not followed by why.
template <class F>
constexpr bool kIsPlainCallable = PlainCallable<F>;

/// True for a function that can be a handler. Otherwise one message says what is wrong, and the
/// caller goes no further.
template <class F>
constexpr bool check_handler() {
  constexpr bool plain = kIsPlainCallable<F>;
  static_assert(plain, "a handler is a function or a lambda with one, non-template call operator");
  if constexpr (plain) {
    using Awaited = AwaitedResult<typename Signature<F>::Result>;
    using Taken = Parameters<typename Signature<F>::Arguments>;
    constexpr bool result = kIsResult<typename Awaited::type>;
    constexpr bool safe = !Awaited::kIsTask || Taken::kOutliveTheCall;
    static_assert(result,
                  "a handler returns web::Response, text, a described struct or Json (include "
                  "<coronado/web/json.hpp>), web::stream or web::file (include "
                  "<coronado/web/stream_response.hpp>), void, or a Task of one of these");
    static_assert(Taken::kKnown,
                  "a handler's parameter is a path parameter (a number or string), Query, Header, "
                  "Cookie, JsonBody, Form, State, Extension, Session&, const HTTPServerRequest&, "
                  "HTTPExchange&, or a type with "
                  "static T from_request(const HTTPServerRequest&); see "
                  "<coronado/web/function_handler.hpp>");
    static_assert(Taken::kReadable,
                  "an argument is a bool, a number or a std::string (or an std::optional of one; "
                  "of the query also a std::vector)");
    static_assert(
        safe,
        "a handler that returns a Task takes its arguments by value: they are gone when "
        "the Task runs (only the request, the exchange and the session may be references)");
    static_assert(!Taken::kMutable || !safe,
                  "a handler takes its arguments by value or const reference");
    return result && Taken::kKnown && Taken::kReadable && safe && !Taken::kMutable;
  } else {
    return false;
  }
}

/// Awaits what the arguments of a handler need, then runs what `call` does.
/// Throws  Nothing but Cancelled: errors become responses.
/// Cancel  Passed on to both.
Task<> prepare_and_call(WebExchange& exchange, const PrepareArgument* prepares, std::size_t count,
                        HTTPEndpoint& endpoint, Task<> (*call)(HTTPEndpoint&, WebExchange&));

/// A handler's task, whatever it returns. Awaited, it gives its promise, which has what it returned.
class HandlerTask {
 public:
  explicit HandlerTask(PromiseBase* promise) noexcept : promise_(promise) {}
  HandlerTask(HandlerTask&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  HandlerTask& operator=(HandlerTask&&) = delete;
  ~HandlerTask();

  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    return static_cast<PromiseBase&>(awaiting.promise()).start(*promise_);
  }
  /// Throws  What the handler threw.
  PromiseBase& await_resume() const {
    promise_->rethrow();
    return *promise_;
  }

 private:
  PromiseBase* promise_;
};

/// Sends what the task returned that ended with this promise.
using SendReturned = void (*)(HTTPExchange&, PromiseBase&);

/// Awaits a handler's task and sends what it returned. One coroutine for all of them: one for each
/// type of result would cost who compiles them.
/// Throws  Nothing but Cancelled: errors become responses.
/// Cancel  Passed on to the handler.
Task<> answer(WebExchange& exchange, HandlerTask task, SendReturned send);

template <class T>
void send_returned(HTTPExchange& exchange, PromiseBase& promise) {
  if constexpr (std::is_void_v<T>) {
    send_nothing(exchange);
  } else {
    send_result<T>(exchange, static_cast<typename Task<T>::promise_type&>(promise).value());
  }
}

/// The same for results that are sent by a task.
/// Throws  What the handler, or sending, throws.
/// Cancel  Passed on to both.
template <class T>
Task<> send_pieces_of(WebExchange& exchange, Task<T> task) {
  co_await ResultWriter<T>::send_pieces(exchange, co_await std::move(task));
}

/// `answer` for a task of that type.
/// Throws  Nothing but Cancelled.
/// Cancel  Passed on to the handler.
template <class T>
Task<> answer_with(WebExchange& exchange, Task<T> task) {
  if constexpr (PiecewiseResult<T>) {
    return answer(exchange, HandlerTask(send_pieces_of(exchange, std::move(task)).release()),
                  nullptr);
  } else {
    return answer(exchange, HandlerTask(task.release()), &send_returned<T>);
  }
}

/// A function as an endpoint; `Result`, the arguments and their indexes are those of `F`.
template <class F, class Result, class Arguments, class Indexes>
class SignedFunctionEndpoint;

template <class F, class Result, class... Args, std::size_t... I>
class SignedFunctionEndpoint<F, Result, ArgumentList<Args...>, std::index_sequence<I...>> final
    : public HTTPEndpoint {
  using Awaited = AwaitedResult<Result>;

  static constexpr std::size_t path_parameters_before(std::size_t end) {
    return (std::size_t{0} + ... + (I < end && kIsPathParameter<std::remove_cvref_t<Args>>));
  }
  static constexpr bool kPrepares = ((kPrepare<std::remove_cvref_t<Args>> != nullptr) || ...);
  static constexpr bool kPiecewise = !std::is_void_v<Result> && PiecewiseResult<Result>;

 public:
  static constexpr std::size_t kPathParameters = path_parameters_before(sizeof...(Args));

  explicit SignedFunctionEndpoint(F function) : function_(std::move(function)) {
    suspends_ = Awaited::kIsTask || kPrepares || kPiecewise;
  }

  [[gnu::cold]] static void describe_operation(Operation& operation) {
    (describe_argument<Args>(operation), ...);
    describe_result<typename Awaited::type>(operation);
  }

  Task<> handle(HTTPExchange& base) override {
    auto& exchange = static_cast<WebExchange&>(base);
    if constexpr (kPrepares) {
      static constexpr PrepareArgument kEach[] = {kPrepare<std::remove_cvref_t<Args>>...};
      return prepare_and_call(exchange, kEach, sizeof...(Args), *this,
                              [](HTTPEndpoint& self, WebExchange& of) {
                                return static_cast<SignedFunctionEndpoint&>(self).call(of);
                              });
    } else {
      return call(exchange);
    }
  }

 private:
  // In the place of its one call: it would be optimised there once more.
  [[gnu::always_inline]] Task<> call([[maybe_unused]] WebExchange& exchange) {
    try {
      if constexpr (Awaited::kIsTask) {
        return answer_with(exchange,
                           function_(extract<Args, path_parameters_before(I)>(exchange)...));
      } else if constexpr (kPiecewise) {
        return answer_with(
            exchange,
            ResultWriter<Result>::send_pieces(
                exchange, function_(extract<Args, path_parameters_before(I)>(exchange)...)));
      } else if constexpr (std::is_void_v<Result>) {
        function_(extract<Args, path_parameters_before(I)>(exchange)...);
        send_nothing(exchange);
      } else {
        send_result(exchange, function_(extract<Args, path_parameters_before(I)>(exchange)...));
      }
    } catch (...) {
      return answer_error(exchange);
    }
    return {};
  }

  F function_;
};

template <class F, class S = Signature<F>>
using FunctionEndpoint = SignedFunctionEndpoint<F, typename S::Result, typename S::Arguments,
                                                typename S::Arguments::Indexes>;

}  // namespace detail

}  // namespace coronado::web
