// What the errors of a fetch say.
#include <coronado/base/strings.hpp>
#include <coronado/loop/ioloop.hpp>

#include "http/client_fetch.hpp"
#include "net/connect_race.hpp"

namespace coronado {
namespace {

const char* doing(HTTPPhase phase) noexcept {
  switch (phase) {
    case HTTPPhase::kQueue: return "waiting for one of the client's places";
    case HTTPPhase::kConnect: return "connecting";
    case HTTPPhase::kSend: return "sending the request to ";
    case HTTPPhase::kWait: return "waiting for the response from ";
    case HTTPPhase::kReceive: return "receiving the body from ";
  }
  return "";
}

}  // namespace

std::string ClientFetch::describe(const std::string& what) const {
  return response_.method + " " + url().to_string() + ": " + what;
}

std::string ClientFetch::failure() const {
  std::string text = "HTTP " + std::to_string(response_.code);
  text += ": " + (response_.reason.empty() ? reason_phrase(response_.code) : response_.reason);
  if (is_redirect(response_.code) && response_.redirects != 0 &&
      response_.redirects == request_.max_redirects) {
    text += " (after " + std::to_string(response_.redirects) + " redirects)";
  }
  return describe(text);
}

void ClientFetch::on_timeout(TimePoint until) const {
  if (IOLoop::current()->now() < until) throw;
  throw out_of_time();
}

HTTPTimeoutError ClientFetch::out_of_time() const {
  std::string text = "timed out after " + describe_span(request_.request_timeout) + " while ";
  const HTTPPhase phase = transfer_ == nullptr ? phase_ : transfer_->phase();
  text += doing(phase);
  if (phase == HTTPPhase::kConnect) {
    text += " to " + url().authority();
  } else if (transfer_ != nullptr) {
    text += url().authority();
  } else if (phase != HTTPPhase::kQueue && connection_ != nullptr) {
    text += to_string(connection_->transport().peer());
  }
  return {url().to_string(), describe(text), phase};
}

void ClientFetch::fail(const WireError& error) const {
  const std::string peer = to_string(connection_->transport().peer());
  std::string text = error.what();
  if (error.kind() == WireError::Kind::kClosed) {
    if (error.code()) text += " (" + error.code().message() + ")";
    text += std::string(" while ") + doing(phase_) + peer;
    throw HTTPStreamClosedError(url().to_string(), describe(text), phase_, error.code());
  }
  const bool large = error.kind() == WireError::Kind::kTooLarge;
  throw HTTPResponseError(
      url().to_string(),
      describe((large ? "the response from " : "no valid HTTP response from ") + peer +
               (large ? " exceeds a limit: " : ": ") + text),
      large ? HTTPResponseError::Kind::kTooLarge : HTTPResponseError::Kind::kMalformed);
}

}  // namespace coronado
