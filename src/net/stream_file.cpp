// A file as a part of a stream.
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/file.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <algorithm>
#include <stdexcept>

#include "net/stream_core.hpp"

namespace coronado {
namespace {

/// So much leaves before the others have their turn.
constexpr std::size_t kSentPiece = 1024 * 1024;
/// The same where it passes through the program.
constexpr std::size_t kCopiedPiece = 64 * 1024;

/// While it lives, nobody else writes.
class FileTurn {
 public:
  explicit FileTurn(detail::StreamCore& core) : core_(core) {
    core_.require_no_write();
    core_.sending_file = true;
  }
  ~FileTurn() { core_.sending_file = false; }
  FileTurn(const FileTurn&) = delete;
  FileTurn& operator=(const FileTurn&) = delete;

 private:
  detail::StreamCore& core_;
};

Task<> send(std::shared_ptr<detail::StreamCore> core, std::shared_ptr<const OpenFile> file,
            std::uint64_t offset, std::uint64_t count) {
  const FileTurn turn(*core);
  bool direct = true;
  std::string copy;
  while (count != 0) {
    const auto piece = static_cast<std::size_t>(
        std::min<std::uint64_t>(count, direct ? kSentPiece : kCopiedPiece));
    if (!file->in_memory(offset, piece)) {
      const auto job = [&] { file->load(offset, piece); };
      co_await offload(job);
    }
    std::size_t done = 0;
    if (direct) {
      const auto sent = core->send_file(file->native_handle(), offset, piece);
      direct = sent.has_value();
      if (!direct) continue;
      done = *sent;
    } else {
      copy.resize(piece);
      done = file->read(offset, copy);
      core->write(std::string_view(copy).substr(0, done));
    }
    offset += done;
    count -= done;
    if (done == 0 && (!direct || core->sent_to(0))) {
      throw std::runtime_error("a file ended " + std::to_string(count) +
                               " bytes too early while it was sent");
    }
    // Where the channel takes the file by itself, the next piece is asked for when it has room.
    const bool waits = direct && count != 0;
    co_await detail::StreamWrite(*core, waits ? 0 : core->options.high_water_mark);
    if (count != 0) co_await moment();
  }
}

}  // namespace

Task<> IOStream::send_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset,
                           std::uint64_t count) {
  return send(core_, std::move(file), offset, count);
}

}  // namespace coronado
