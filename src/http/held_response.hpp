/// A whole response that is kept back until what must happen before its head has been awaited.
#pragma once

#include <coronado/http/exchange.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace coronado {

/// Stands before the real sink while a response is kept: `finish` is not passed on.
class HTTPExchange::Held final : public ResponseSink {
 public:
  /// Copies what was given, and keeps `sink` for later.
  void keep(ResponseSink& sink, const ResponseHead& head, std::uint64_t length,
            std::string_view body);
  bool full() const noexcept { return sink_ != nullptr; }
  bool aborted() const noexcept { return aborted_; }
  ResponseSink& sink() const noexcept { return *sink_; }

  ResponseHead head() const noexcept;
  std::uint64_t length() const noexcept { return length_; }
  const std::string& body() const noexcept { return body_; }
  const std::string& trailers() const noexcept { return trailers_; }

  // ResponseSink
  void send_interim(const ResponseHead& head) override { sink_->send_interim(head); }
  void start(HTTPExchange& exchange, const ResponseHead& head, std::optional<std::uint64_t> length,
             std::string_view first) override {
    sink_->start(exchange, head, length, first);
  }
  void write(HTTPExchange& exchange, std::string_view) override { take_more(exchange); }
  std::optional<std::size_t> send_file(int, std::uint64_t, std::size_t count) override {
    return bodiless_ ? std::optional(count) : std::nullopt;
  }
  void finish(HTTPExchange&, std::string_view trailers) override { trailers_ = trailers; }
  void abort(HTTPExchange& exchange) noexcept override {
    aborted_ = true;
    sink_->abort(exchange);
  }
  std::size_t pending() const noexcept override { return sink_->pending(); }
  bool draining() const noexcept override { return sink_->draining(); }
  void want_body(HTTPExchange& exchange) override { sink_->want_body(exchange); }
  void receive_now() noexcept override { sink_->receive_now(); }
  void task_finished(HTTPExchange& exchange, TaskOutcome outcome,
                     const std::exception_ptr& error) noexcept override {
    sink_->task_finished(exchange, outcome, error);
  }

 private:
  void take_more(HTTPExchange& exchange) const;

  ResponseSink* sink_ = nullptr;  // null: nothing is kept
  int status_ = 0;
  std::string reason_;
  std::string fields_;
  std::string body_;
  std::string trailers_;
  std::uint64_t length_ = 0;
  bool bodiless_ = false;  // the answer to HEAD: its length is that of a body which is not sent
  bool has_date_ = false;
  bool has_server_ = false;
  bool aborted_ = false;
};

}  // namespace coronado
