// A notice board that every browser follows over server-sent events, and a program that follows it:
// what docs/guide/events.md shows.
//
//     events serve [--port=8888]     open http://localhost:8888 in two windows
//     events follow URL              events follow http://localhost:8888/notes
#include <coronado/base/strings.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/http/event_source.hpp>
#include <coronado/web.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace web = coronado::web;
using namespace std::chrono_literals;
using coronado::HTTPExchange, coronado::HTTPServerRequest, coronado::Task;

namespace {

// [board]
struct Board {
  std::vector<std::string> notes;
  coronado::Condition changed;
};

// Sends what the client has not seen, then each new note.
Task<> follow(HTTPExchange& exchange, Board& board) {
  web::EventStream events(exchange);
  const auto seen = coronado::parse_int<std::size_t>(events.last_event_id());
  std::size_t next = seen ? *seen + 1 : 0;
  for (;;) {
    for (; next < board.notes.size(); ++next) {
      co_await events.send({.data = board.notes[next], .id = std::to_string(next)});
    }
    co_await board.changed.wait();
  }
}
// [/board]

// [class]
struct Clock : web::RequestHandler {
  Task<> get() override {
    set_header("Access-Control-Allow-Origin", "*");
    web::EventStream events(*this, {.heartbeat = 5s, .retry = 1s});
    for (int seconds = 0;; seconds += 10) {
      co_await events.send({.event = "tick", .data = std::to_string(seconds)});
      co_await coronado::sleep(10s);
    }
  }
};
// [/class]

constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Notes</title>
<h1>Notes</h1><ol id="notes" aria-live="polite"></ol>
<form><label>Note <input autofocus></label><button>Add</button></form>
<script>
const source = new EventSource('notes');
source.onmessage = (event) => {
  const item = document.createElement('li');
  item.textContent = event.data;
  document.getElementById('notes').append(item);
};
document.querySelector('form').onsubmit = (event) => {
  event.preventDefault();
  const input = document.querySelector('input');
  fetch('notes', {method: 'POST', body: input.value});
  input.value = '';
};
</script>)";

int serve(int argc, char** argv) {
  return web::serve(argc, argv, [] {
    web::Application app;
    app.get("/", [] { return web::html(std::string(kPage)); });
    app.add<Clock>("/clock");
    // [routes]
    auto board = std::make_shared<Board>();  // of this worker
    app.get("/notes", [board](HTTPExchange& exchange) { return follow(exchange, *board); });
    app.post("/notes", [board](const HTTPServerRequest& request) {
      board->notes.emplace_back(request.body());
      board->changed.notify_all();
    });
    // [/routes]
    return app;
  });
}

// [client]
Task<> print_events(std::string url) {
  coronado::HTTPClient client;
  coronado::EventSource events(client, {.url = url});
  while (const auto event = co_await events.next()) {
    std::printf("%s %s: %s\n", event->id->c_str(), event->event.c_str(), event->data.c_str());
    std::fflush(stdout);
  }
}
// [/client]

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "serve") return serve(argc - 1, argv + 1);
  if (verb != "follow" || argc != 3) {
    std::fprintf(stderr, "usage: events serve [--port=N] | events follow URL\n");
    return 2;
  }
  try {
    coronado::IOLoop loop;
    loop.run_sync(print_events(argv[2]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "events: %s\n", error.what());
    return 1;
  }
}
