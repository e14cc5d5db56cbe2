#include <coronado/net/iostream.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "net/stream_core.hpp"

namespace coronado {

IOStream::IOStream(IOLoop& loop, std::unique_ptr<Transport> transport, IOStreamOptions options)
    : core_(std::make_shared<detail::StreamCore>(loop, std::move(transport), options)) {
  core_->start();
}

IOStream::IOStream(IOStream&&) noexcept = default;

IOStream& IOStream::operator=(IOStream&& other) noexcept {
  if (this == &other) return *this;
  if (core_ != nullptr) core_->abandon();
  core_ = std::move(other.core_);
  return *this;
}

IOStream::~IOStream() {
  if (core_ != nullptr) core_->abandon();
}

// --- reading -------------------------------------------------------------------------------------

using Mode = detail::BytesRead::Mode;

detail::BytesRead IOStream::read_some(std::size_t max_bytes) {
  core_->require_no_read();
  if (max_bytes == 0) throw std::logic_error("read_some: max_bytes is 0");
  return {*core_, max_bytes, Mode::kSome};
}

detail::BytesRead IOStream::read_bytes(std::size_t size) {
  core_->require_no_read();
  if (size > core_->options.max_buffer_size) {
    throw StreamLimitError("read_bytes(" + std::to_string(size) + ") asks for more than " +
                               "max_buffer_size (" +
                               std::to_string(core_->options.max_buffer_size) + ")",
                           core_->options.max_buffer_size);
  }
  return {*core_, size, Mode::kExact};
}

detail::BytesRead IOStream::read_bytes_partial(std::size_t size) {
  core_->require_no_read();
  return {*core_, size, Mode::kPartial};
}

detail::IntoRead IOStream::read_into(std::span<char> into) {
  core_->require_no_read();
  return {*core_, into, Mode::kSome};
}

detail::IntoRead IOStream::read_into_exactly(std::span<char> into) {
  core_->require_no_read();
  return {*core_, into, Mode::kExact};
}

detail::UntilRead IOStream::read_until(std::string_view delimiter, std::size_t max_bytes) {
  core_->require_no_read();
  if (delimiter.empty()) throw std::logic_error("read_until: the delimiter is empty");
  return {*core_, delimiter, max_bytes};
}

detail::RegexRead IOStream::read_until_regex(std::string_view pattern, std::size_t max_bytes) {
  core_->require_no_read();
  return {*core_, core_->compile(pattern), max_bytes};
}

detail::CloseRead IOStream::read_until_close(std::size_t max_bytes) {
  core_->require_no_read();
  return {*core_, max_bytes};
}

bool IOStream::reading() const noexcept { return core_->reading(); }
std::size_t IOStream::buffered() const noexcept { return core_->buffer.size(); }

std::string IOStream::take_buffered() {
  core_->require_no_read();
  return core_->buffer.take_all();
}

// --- writing -------------------------------------------------------------------------------------

detail::StreamWrite IOStream::write(std::string_view bytes) {
  core_->require_no_write();
  core_->write(bytes);
  return {*core_, core_->options.high_water_mark};
}

void IOStream::write_nowait(std::string_view bytes) {
  core_->require_no_file();
  core_->write(bytes);
}

detail::StreamWrite IOStream::drain() {
  core_->require_no_write();
  return {*core_, 0};
}

detail::StreamWrite IOStream::shutdown() {
  core_->require_no_write();
  core_->shutdown();
  return {*core_, 0};
}

std::size_t IOStream::pending() const noexcept {
  const Transport* transport = core_->transport();
  return transport != nullptr ? transport->pending() : 0;
}

// --- the end -------------------------------------------------------------------------------------

void IOStream::close() noexcept {
  // Where the end of a stream can be told from a break (TLS), this is an end.
  Transport* const channel = core_->transport();
  if (channel != nullptr && channel->pending() == 0) channel->say_farewell();
  core_->close(std::make_error_code(std::errc::operation_canceled));
}

bool IOStream::closed() const noexcept { return core_->transport() == nullptr; }
bool IOStream::ended() const noexcept { return core_->ended(); }
std::error_code IOStream::error() const noexcept { return core_->error(); }

void IOStream::set_close_callback(Function<void()> callback) {
  core_->set_close_callback(std::move(callback));
}

// --- beneath -------------------------------------------------------------------------------------

Transport& IOStream::transport() const {
  if (core_->transport() == nullptr) throw StreamClosedError(core_->error());
  return *core_->transport();
}

std::unique_ptr<Transport> IOStream::release_transport() { return core_->release_transport(); }

IOLoop& IOStream::loop() const noexcept { return core_->loop; }
const IOStreamOptions& IOStream::options() const noexcept { return core_->options; }

// --- TCPStream -----------------------------------------------------------------------------------

SocketAddress TCPStream::peer() const { return closed() ? SocketAddress{} : transport().peer(); }
SocketAddress TCPStream::local() const { return closed() ? SocketAddress{} : transport().local(); }

void TCPStream::set_nodelay(bool on) noexcept {
  if (!closed()) transport().set_nodelay(on);
}

// --- PipeIOStream and pairs ----------------------------------------------------------------------

namespace {

std::unique_ptr<Transport> adopt_pipe(IOLoop& loop, int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    const int error = errno;
    if (flags >= 0) ::close(fd);
    throw std::system_error(error, std::system_category(),
                            "fd " + std::to_string(fd) + " cannot be a stream");
  }
  return loop.reactor().adopt(fd);
}

std::system_error no_pair(const char* what) {
  return std::system_error(errno, std::system_category(), what);
}

}  // namespace

PipeIOStream::PipeIOStream(IOLoop& loop, int fd, IOStreamOptions options)
    : IOStream(loop, adopt_pipe(loop, fd), options) {}

std::pair<TCPStream, TCPStream> stream_pair(IOLoop& loop, IOStreamOptions options) {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    throw no_pair("cannot make a pair of sockets");
  }
  std::unique_ptr<Transport> first = loop.reactor().adopt(fds[0]);
  std::unique_ptr<Transport> second = loop.reactor().adopt(fds[1]);
  return {TCPStream(loop, std::move(first), options), TCPStream(loop, std::move(second), options)};
}

std::pair<PipeIOStream, PipeIOStream> pipe_pair(IOLoop& loop, IOStreamOptions options) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) != 0) throw no_pair("cannot make a pipe");
  return {PipeIOStream(loop, fds[0], options), PipeIOStream(loop, fds[1], options)};
}

}  // namespace coronado
