// A file as the body of a response, or as a part of it.
#include <coronado/coro/timeout.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/loop/file.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <algorithm>
#include <stdexcept>

namespace coronado {
namespace {

/// So much leaves before the others have their turn.
constexpr std::size_t kSentPiece = 1024 * 1024;
/// The same where it passes through the program.
constexpr std::size_t kCopiedPiece = 64 * 1024;

[[noreturn]] void throw_short(std::uint64_t missing) {
  throw std::runtime_error("a file ended " + std::to_string(missing) +
                           " bytes too early while it was sent");
}

}  // namespace

Task<> HTTPExchange::write_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset,
                                std::uint64_t count) {
  if (!started_ || finished_) {
    throw std::logic_error(started_ ? "the response is finished" : "the response is not started");
  }
  if (body_forbidden_) co_return;
  bool direct = !encoded_ && !transformed_ && !chunked_;
  if (direct && length_known_ && body_sent_ + count > promised_) too_much();
  std::string copy;
  while (count != 0) {
    if (client_gone_) throw StreamClosedError();
    const auto piece = static_cast<std::size_t>(
        std::min<std::uint64_t>(count, direct ? kSentPiece : kCopiedPiece));
    if (!file->in_memory(offset, piece)) {
      const auto job = [&] { file->load(offset, piece); };
      co_await offload(job);
      if (client_gone_) throw StreamClosedError();
    }
    std::size_t done = 0;
    if (direct) {
      const auto sent = sink_->send_file(file->native_handle(), offset, piece);
      direct = sent.has_value();
      if (!direct) continue;
      done = *sent;
      body_sent_ += done;
      if (done < piece) {
        if (done == 0 && sink_->pending() == 0) throw_short(count);
        co_await Drain(*this, 0);
      }
    } else {
      copy.resize(piece);
      done = file->read(offset, copy);
      if (done == 0) throw_short(count);
      write(std::string_view(copy).substr(0, done));
      co_await drain();
    }
    offset += done;
    count -= done;
    if (count != 0) co_await moment();
  }
}

}  // namespace coronado
