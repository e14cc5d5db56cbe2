#include <coronado/testing/raw_client.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/net/netutil.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace coronado {
namespace {

std::pair<std::string, std::string> split_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) throw HTTPInputError("no colon: " + std::string(line));
  return {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))};
}

std::uint64_t parse_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw HTTPInputError("no number: \"" + std::string(text) + '"');
  }
  return value;
}

}  // namespace

// --- RawResponse ---------------------------------------------------------------------------------

std::string RawResponse::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (equals_ignore_case(key, name)) return value;
  }
  return {};
}

bool RawResponse::has_field(std::string_view name) const { return count(name) != 0; }

std::size_t RawResponse::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields, [&](const auto& field) { return equals_ignore_case(field.first, name); }));
}

// --- RawClient -----------------------------------------------------------------------------------

/// Waits for bytes or the end.
class RawClient::More final : public Suspension {
 public:
  explicit More(RawClient& client) noexcept : client_(client) {}
  bool await_ready() const noexcept { return client_.ended_; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    client_.waiting_ = this;
    return true;
  }
  void await_resume() const { check(); }
  void cancel() noexcept override {
    client_.waiting_ = nullptr;
    cancelled_ = true;
    wake();
  }
  void came() noexcept { wake(); }
  const char* what() const noexcept override { return "reading from the server"; }

 private:
  RawClient& client_;
};

RawClient::RawClient(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {
  transport_->start(*this);
}
RawClient::~RawClient() = default;

void RawClient::send(std::string_view bytes) {
  if (transport_) transport_->write(bytes);
}

void RawClient::close() noexcept {
  transport_.reset();
  on_receive_end({});
}

void RawClient::on_receive(std::span<char> bytes) noexcept {
  received_.append(bytes.data(), bytes.size());
  if (waiting_ != nullptr) std::exchange(waiting_, nullptr)->came();
}

void RawClient::on_receive_end(std::error_code error) noexcept {
  if (std::exchange(ended_, true)) return;
  error_ = error;
  if (waiting_ != nullptr) std::exchange(waiting_, nullptr)->came();
}

Task<> RawClient::more() {
  if (ended_) throw StreamClosedError(error_);
  co_await More(*this);
}

Task<std::string> RawClient::take_line() {
  std::size_t end = 0;
  while ((end = received_.find("\r\n")) == std::string::npos) co_await more();
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  co_return line;
}

Task<RawResponse> RawClient::read_response(RawRequestKind kind) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) co_await more();
  RawResponse response;
  response.head = received_.substr(0, end + 4);
  const std::string line = co_await take_line();
  if (!line.starts_with("HTTP/1.") || line.size() < 13 || line[8] != ' ' || line[12] != ' ') {
    throw HTTPInputError("no status line: \"" + line + '"');
  }
  response.version = line.substr(0, 8);
  response.status = static_cast<int>(parse_number(line.substr(9, 3), 10));
  response.reason = line.substr(13);
  for (std::string field = co_await take_line(); !field.empty(); field = co_await take_line()) {
    response.fields.push_back(split_field(field));
  }
  co_await take_body(response, kind);
  co_return response;
}

Task<> RawClient::take_body(RawResponse& response, RawRequestKind kind) {
  if (kind == RawRequestKind::kHead || response.status < 200 || response.status == 204 ||
      response.status == 304) {
    co_return;
  }
  response.chunked = response.has_field("Transfer-Encoding");
  if (response.chunked) {
    try {
      co_await take_chunks(response);
    } catch (const StreamClosedError&) {
      response.truncated = true;
    }
  } else if (response.has_field("Content-Length")) {
    const std::uint64_t size = parse_number(response.field("Content-Length"), 10);
    response.truncated = !co_await take_bytes(size, response.body);
  } else {
    response.body = co_await read_to_end();
    response.truncated = static_cast<bool>(error_);
  }
}

Task<> RawClient::take_chunks(RawResponse& response) {
  for (;;) {
    const std::uint64_t size = parse_number(co_await take_line(), 16);
    if (size == 0) break;
    if (!co_await take_bytes(size, response.body)) throw StreamClosedError(error_);
    if (!(co_await take_line()).empty()) throw HTTPInputError("no CRLF after a chunk");
  }
  for (std::string field = co_await take_line(); !field.empty(); field = co_await take_line()) {
    response.trailers.push_back(split_field(field));
  }
}

/// False: the connection ended before.
Task<bool> RawClient::take_bytes(std::uint64_t size, std::string& to) {
  while (received_.size() < size && !ended_) co_await more();
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, received_.size()));
  to.append(received_, 0, taken);
  received_.erase(0, taken);
  co_return taken == size;
}

Task<std::string> RawClient::read_to_end() {
  while (!ended_) co_await more();
  co_return std::exchange(received_, {});
}

Task<std::string> RawClient::peek(std::size_t size) {
  while (received_.size() < size) co_await more();
  co_return received_.substr(0, size);
}

std::unique_ptr<Transport> connect_loopback(IOLoop& loop, std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A listening socket of this machine takes the connection at once.
  if (!socket ||
      ::connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::fcntl(socket.fd(), F_SETFL, O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot connect to 127.0.0.1:" + std::to_string(port));
  }
  return loop.reactor().adopt(socket.release());
}

}  // namespace coronado
