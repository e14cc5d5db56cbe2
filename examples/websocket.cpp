// A chat room over WebSocket, and a client that visits it: what docs/guide/websocket.md shows.
//
//     websocket serve [--port=8888]     open http://localhost:8888 in two windows
//     websocket say URL TEXT...         websocket say ws://localhost:8888/chat hello
//     websocket follow URL              prints what is said there, until it is over
#include <coronado/base/error.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/web.hpp>
#include <coronado/websocket.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace web = coronado::web;
using namespace std::chrono_literals;
using coronado::PreparedMessage, coronado::Task, coronado::WebSocket, coronado::WebSocketMessage,
    coronado::WebSocketOptions, coronado::WebSocketTopic;

namespace {

// [class]
class ChatSocket : public web::WebSocketHandler {
 public:
  explicit ChatSocket(WebSocketTopic* room) : room_(*room) {}

  Task<> open() override {
    subscription_ = subscribe(room_);
    return {};
  }

  Task<> on_message(const WebSocketMessage& message) override {
    room_.publish(PreparedMessage(message));
    return {};
  }

  const WebSocketOptions& websocket_options() const override {
    static const WebSocketOptions options{
        .max_message_size = 4096,
        .max_buffered = 1024 * 1024,
        .overflow = coronado::WebSocketOverflow::kClose,  // who does not keep up, leaves
        .ping_interval = 30s,
    };
    return options;
  }

 private:
  WebSocketTopic& room_;
  WebSocketTopic::Subscription subscription_;
};
// [/class]

// [function]
Task<> count_down(WebSocket& socket, int from) {
  for (int i = from; i > 0; --i) {
    co_await socket.send(std::to_string(i));
    co_await coronado::sleep(1s);
  }
}
// [/function]

constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Chat</title>
<h1>Chat</h1><ol id="said" aria-live="polite"></ol>
<form><label>Say <input autofocus></label><button>Send</button></form>
<script>
const socket = new WebSocket(location.href.replace(/^http/, 'ws') + 'chat');
socket.onmessage = (event) => {
  const item = document.createElement('li');
  item.textContent = event.data;
  document.getElementById('said').append(item);
};
document.querySelector('form').onsubmit = (event) => {
  event.preventDefault();
  const input = document.querySelector('input');
  socket.send(input.value);
  input.value = '';
};
</script>)";

int serve(int argc, char** argv) {
  WebSocketTopic room;  // shared by the workers
  web::ServeOptions options;
  options.topics = {&room};  // and by the processes, if there are several
  const auto make_app = [&room] {
    web::Application app;
    app.get("/", [] { return web::html(std::string(kPage)); });
    // [routes]
    app.add<ChatSocket>("/chat", &room);
    app.get("/countdown/{from:int}", web::websocket(count_down));
    // [/routes]
    return app;
  };
  return web::serve(argc, argv, make_app, options);
}

// [client]
Task<> say(std::string url, std::string text) {
  WebSocket socket = co_await coronado::websocket_connect({.url = url});
  co_await socket.send(text);
  if (const auto answer = co_await socket.read()) {
    std::printf("%.*s\n", static_cast<int>(answer->data.size()), answer->data.data());
  }
  socket.close(1000, "that was all");
  co_await socket.closed();
}
// [/client]

// [reconnect]
Task<> follow(std::string url) {
  coronado::ReconnectingWebSocket feed(
      std::move(url), {.on_connect = [](WebSocket& socket) -> Task<> {  // with each connection
        co_await socket.send(R"({"subscribe": "prices"})");
      }});
  while (const auto message = co_await feed.read()) {
    std::printf("%.*s\n", static_cast<int>(message->data.size()), message->data.data());
  }
}
// [/reconnect]

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "serve") return serve(argc - 1, argv + 1);
  const bool follows = verb == "follow" && argc == 3;
  if (!follows && (verb != "say" || argc != 4)) {
    std::fprintf(stderr,
                 "usage: websocket serve [--port=N] | websocket say URL TEXT | "
                 "websocket follow URL\n");
    return 2;
  }
  try {
    coronado::IOLoop loop;
    loop.run_sync(follows ? follow(argv[2]) : say(argv[2], argv[3]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "websocket: %s\n", error.what());
    return 1;
  }
}
