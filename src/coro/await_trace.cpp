#include <coronado/coro/await_trace.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "coro/source_place.hpp"

namespace coronado {
namespace {

/// What is known about one exception. Fixed in size: it is written while a coroutine unwinds.
struct Noted {
  static constexpr std::size_t kMaxFrames = 32;

  std::exception_ptr error;  // held, so that no later one can have its address
  std::size_t count = 0;     // of coroutines left, also those that no frame is kept of
  std::array<AwaitTraceFrame, kMaxFrames> frames;  // innermost first
};

constinit thread_local bool notes_are_gone = false;  // the thread is ending

class Notes {
 public:
  Notes() = default;
  ~Notes() { notes_are_gone = true; }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  Noted* find(const std::exception_ptr& error) noexcept {
    if (!error) return nullptr;
    const auto found = std::ranges::find(notes_, error, &Noted::error);
    return found != notes_.end() ? found : nullptr;
  }

  /// The note of `error`, instead of the oldest one if it is new.
  Noted& at(const std::exception_ptr& error) noexcept {
    if (Noted* known = find(error)) return *known;
    Noted& noted = notes_[next_];
    next_ = (next_ + 1) % notes_.size();
    noted.count = 0;
    const std::exception_ptr old = std::exchange(noted.error, error);
    return noted;
  }

  void clear() noexcept {
    for (Noted& noted : notes_) forget(noted);
  }

  static void forget(Noted& noted) noexcept {
    // It is destroyed when this ends, which may run code of users.
    const std::exception_ptr old = std::exchange(noted.error, nullptr);
  }

 private:
  std::array<Noted, 8> notes_;
  std::size_t next_ = 0;
};

Notes& notes() noexcept {
  static thread_local Notes notes;
  return notes;
}

}  // namespace

AwaitTrace await_trace(const std::exception_ptr& error) {
  AwaitTrace trace;
  const Noted* noted = notes().find(error);
  if (noted == nullptr) return trace;
  const std::size_t kept = std::min(noted->count, Noted::kMaxFrames);
  trace.left_out = noted->count - kept;
  trace.frames.assign(noted->frames.begin(), noted->frames.begin() + kept);
  std::ranges::reverse(trace.frames);
  return trace;
}

std::string to_text(const AwaitTrace& trace, std::string_view indent) {
  std::string text;
  if (trace.left_out > 0) {
    text.append(indent).append("... ").append(std::to_string(trace.left_out));
    text += " further coroutines\n";
  }
  for (std::size_t i = 0; i < trace.frames.size(); ++i) {
    const auto& [coroutine, site] = trace.frames[i];
    text += indent;
    if (i + 1 < trace.frames.size()) {
      text += "at ";
      detail::append_place(text, site.file_name(), site.line(), coroutine.function_name());
    } else {
      text += "thrown in " + detail::short_function(coroutine.function_name());
      text += site.line() == 0 ? " at " : " at or behind the co_await of ";
      const std::source_location& place = site.line() == 0 ? coroutine : site;
      detail::append_line(text, place.file_name(), place.line());
    }
    text += '\n';
  }
  return text;
}

void forget_await_trace(const std::exception_ptr& error) noexcept {
  if (Noted* noted = notes().find(error)) Notes::forget(*noted);
}

void detail::note_left_coroutine(const std::exception_ptr& error,
                                 const std::source_location& coroutine,
                                 const std::source_location& site) noexcept {
  Noted& noted = notes().at(error);
  if (noted.count < Noted::kMaxFrames) noted.frames[noted.count] = {coroutine, site};
  ++noted.count;
}

void detail::forget_await_traces() noexcept {
  if (!notes_are_gone) notes().clear();
}

}  // namespace coronado
