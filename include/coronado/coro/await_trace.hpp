/// Which coroutines an exception has left: what a stack trace would show, had they not unwound.
///
///     AwaitTrace     the way of one exception, from the root to the coroutine that threw
///     await_trace    that of an exception that somebody has caught
///     to_text        the same in lines, for a log or an error page
///
///     try {
///       co_await load_page();
///     } catch (const std::exception&) {
///       log(to_text(await_trace(std::current_exception())));
///     }
///
/// Each coroutine that an exception leaves is noted, with the line of the `co_await` at which it
/// stood; coroutines that run to their end cost nothing. A thread remembers the last eight
/// exceptions, and holds them as long: until later ones take their place, `forget_await_trace` is
/// called, or its loop is gone.
///
/// Threads  Each thread knows the exceptions that left coroutines on it.
/// Layer: coro.
#pragma once

#include <cstddef>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// A coroutine that an exception has left.
struct AwaitTraceFrame {
  std::source_location coroutine;  ///< where it begins
  std::source_location site;       ///< its last `co_await`; line 0: it had reached none
};

/// The way of an exception.
struct AwaitTrace {
  std::vector<AwaitTraceFrame> frames;  ///< the coroutine that threw comes last
  std::size_t left_out = 0;             ///< further ones around the first of them
};

/// The coroutines that `error` has left so far; empty if there were none, or it is forgotten.
AwaitTrace await_trace(const std::exception_ptr& error);

/// A line for each coroutine, the one that threw last, as Python's tracebacks have it:
///
///     at pages.cpp:40 get()
///     at pages.cpp:17 load_page()
///     thrown in parse() at pages.cpp:8
///
/// A coroutine that threw by itself has no line for the very `throw`: it is behind the last
/// `co_await` that the coroutine had reached, whose line is named instead.
/// Params   indent  In front of each line.
/// Returns  Lines that end in "\n"; empty for an empty trace.
std::string to_text(const AwaitTrace& trace, std::string_view indent = {});

/// Lets go of what is known about `error`, once it has been reported.
void forget_await_trace(const std::exception_ptr& error) noexcept;

namespace detail {
/// `error` leaves a coroutine that begins at `coroutine` and was last suspended at `site`.
void note_left_coroutine(const std::exception_ptr& error, const std::source_location& coroutine,
                         const std::source_location& site) noexcept;
void forget_await_traces() noexcept;
}  // namespace detail

}  // namespace coronado
