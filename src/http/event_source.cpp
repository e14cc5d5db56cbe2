#include <coronado/http/event_source.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "http/ascii.hpp"
#include "http/client_fetch.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

constexpr std::string_view kType = "text/event-stream";
constexpr std::size_t kPiece = 16 * 1024;

/// A part of a fetch within its time.   Throws  HTTPTimeoutError
template <class T>
Task<T> within(Duration limit, ClientFetch& fetch, Task<T> part) {
  if (limit == Duration::zero()) co_return co_await std::move(part);
  try {
    co_return co_await with_timeout(limit, std::move(part));
  } catch (const TimeoutError&) {
  }
  throw fetch.out_of_time();
}

}  // namespace

struct EventSource::State {
  State(LocalPtr<ClientCore> shared_core, HTTPRequest asked, EventSourceOptions wanted)
      : core(std::move(shared_core)),
        request(std::move(asked)),
        options(std::move(wanted)),
        parser(options.max_event_size) {}

  Task<> connect();
  Task<> read();
  void check_head();
  void lost(bool failed);
  Duration pause() const noexcept;

  LocalPtr<ClientCore> core;
  HTTPRequest request;
  EventSourceOptions options;
  EventStreamParser parser;
  HTTPClientResponse response;
  std::optional<ClientFetch> fetch;
  std::string received;      // and not read yet
  std::size_t read_to = 0;   // of it
  TimePoint next_attempt{};  // not before
  unsigned failures = 0;     // in a row
  std::uint64_t connects = 0;
  bool connected = false;
  bool closed = false;
};

EventSource::EventSource(HTTPClient& client, HTTPRequest request, EventSourceOptions options)
    : state_(std::make_unique<State>(client.core_, std::move(request), std::move(options))) {
  State& state = *state_;
  for (const Duration span :
       {state.options.retry, state.options.longest_retry, state.options.idle_timeout}) {
    if (span < Duration::zero()) {
      throw std::invalid_argument("EventSourceOptions: a time must not be negative");
    }
  }
  HTTPHeaders& headers = state.request.headers;
  if (!headers.contains("Accept")) headers.set("Accept", kType);
  if (!headers.contains("Cache-Control")) headers.set("Cache-Control", "no-store");
  state.parser.set_last_event_id(state.options.last_event_id);
  const ClientFetch check(*state.core, state.request, ClientFetch::Mode::kHead, state.response);
}

EventSource::~EventSource() = default;

const std::string& EventSource::last_event_id() const noexcept {
  return state_->parser.last_event_id();
}

std::uint64_t EventSource::connects() const noexcept { return state_->connects; }

void EventSource::close() noexcept {
  state_->closed = true;
  state_->connected = false;
  if (state_->fetch) state_->fetch->close();
}

Task<std::optional<ServerSentEvent>> EventSource::next() {
  State& state = *state_;
  for (;;) {
    std::string_view rest = std::string_view(state.received).substr(state.read_to);
    std::optional<ServerSentEvent> event;
    try {
      event = state.parser.next(rest);
    } catch (const std::length_error& error) {
      close();
      state.received.clear();
      state.read_to = 0;
      throw HTTPResponseError(state.request.url, "GET " + state.request.url + ": " + error.what(),
                              HTTPResponseError::Kind::kTooLarge);
    }
    state.read_to = state.received.size() - rest.size();
    if (event) co_return event;
    state.received.clear();
    state.read_to = 0;
    if (state.closed) co_return std::nullopt;
    if (state.connected) {
      co_await state.read();
    } else {
      co_await state.connect();
    }
  }
}

/// Before the next attempt.
Duration EventSource::State::pause() const noexcept {
  const Duration usual = parser.retry().value_or(options.retry);
  const Duration longest = std::max(usual, options.longest_retry);
  Duration pause = usual;
  for (unsigned i = 1; i < failures && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

/// There is no connection any more, or none could be made.
void EventSource::State::lost(bool failed) {
  connected = false;
  fetch.reset();
  failures = failed ? failures + 1 : 0;
  next_attempt = IOLoop::current()->now() + pause();
}

Task<> EventSource::State::connect() {
  const TimePoint present = IOLoop::current()->now();
  if (next_attempt > present) co_await sleep(next_attempt - present);
  parser.restart();
  const std::string& id = parser.last_event_id();
  if (id.empty()) {
    request.headers.erase("Last-Event-ID");
  } else {
    request.headers.set("Last-Event-ID", id);
  }
  response = {};
  fetch.emplace(*core, request, ClientFetch::Mode::kHead, response);
  std::exception_ptr failure;
  try {
    co_await within(request.request_timeout, *fetch, fetch->run());
    check_head();
  } catch (const HTTPResponseError&) {
    fetch.reset();
    throw;
  } catch (const HTTPClientError& error) {
    // RFC 9110 15.6: a server that is ill may become well. 599 is that there was no response.
    if (error.code() < 500) {
      fetch.reset();
      throw;
    }
    failure = std::current_exception();
  }
  if (!failure) co_return;
  lost(true);
  if (failures == options.max_attempts) std::rethrow_exception(failure);
}

/// The head has come: is it a stream?
void EventSource::State::check_head() {
  if (response.code == 204) {  // no more, says the server
    closed = true;
    return;
  }
  const std::string begin = response.method + " " + response.effective_url + ": ";
  if (response.code != 200) {
    throw HTTPClientError(response.code, response.effective_url,
                          begin + "HTTP " + std::to_string(response.code) + ": " + response.reason);
  }
  const std::string type = response.headers.get("Content-Type").value_or("");
  const std::string_view essence = trim(std::string_view(type).substr(0, type.find(';')));
  if (!equals_ignore_case(essence, kType)) {
    throw HTTPResponseError(response.effective_url,
                            begin + "no event stream: its Content-Type is " + quote_for_log(type),
                            HTTPResponseError::Kind::kMalformed);
  }
  connected = true;
  failures = 0;
  ++connects;
}

Task<> EventSource::State::read() {
  bool over = false;
  try {
    received = co_await within(options.idle_timeout, *fetch, fetch->read_some(kPiece));
    over = received.empty();
  } catch (const HTTPTimeoutError&) {
    over = true;
  } catch (const HTTPStreamClosedError&) {
    over = true;
  }
  if (over && !closed) lost(false);
}

}  // namespace coronado
