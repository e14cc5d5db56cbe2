#include <coronado/net/subprocess.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>

#include <signal.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "net/child_process.hpp"
#include "net/spawn.hpp"

namespace coronado {
namespace {

/// Written to a child at a time, so that a large input is not copied at once.
constexpr std::size_t kInputPiece = 64 << 10;

void require_exit_statuses() {
  struct sigaction action{};
  ::sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0) {
    throw std::logic_error("SIGCHLD is ignored: the exit status of a child would be lost");
  }
}

/// Collects what comes out of one pipe.
class OutputCollector final : public TransportHandler {
 public:
  OutputCollector(std::unique_ptr<Transport> pipe, std::size_t limit, Event& changed)
      : limit_(limit), changed_(changed), pipe_(std::move(pipe)) {
    if (pipe_ != nullptr) pipe_->start(*this);
  }

  bool ended() const noexcept { return pipe_ == nullptr; }
  bool exceeded() const noexcept { return exceeded_; }
  std::string take() noexcept { return std::move(collected_); }

  void on_receive(std::span<char> bytes) noexcept override {
    if (bytes.size() > limit_ - collected_.size()) {
      exceeded_ = true;
      pipe_->pause_receive();
      changed_.set();
    } else {
      collected_.append(bytes.data(), bytes.size());
    }
  }
  void on_receive_end(std::error_code) noexcept override { close(); }
  void on_drained() noexcept override {}

 private:
  void close() noexcept {
    pipe_.reset();
    changed_.set();
  }

  std::string collected_;
  std::size_t limit_;
  bool exceeded_ = false;
  Event& changed_;
  std::unique_ptr<Transport> pipe_;
};

/// Feeds the input, and closes it.
class InputFeeder final : public TransportHandler {
 public:
  InputFeeder(std::unique_ptr<Transport> pipe, std::string input, Event& changed)
      : input_(std::move(input)), changed_(changed), pipe_(std::move(pipe)) {
    if (pipe_ == nullptr) return;
    pipe_->start(*this);
    feed();
  }

  bool ended() const noexcept { return pipe_ == nullptr; }

  void on_receive(std::span<char>) noexcept override {}
  /// The child reads no more: it has what it wanted.
  void on_receive_end(std::error_code) noexcept override { close(); }
  void on_drained() noexcept override { feed(); }

 private:
  void feed() noexcept {
    while (pipe_ != nullptr && pipe_->pending() == 0) {
      if (written_ == input_.size()) return close();
      const std::string_view piece = std::string_view(input_).substr(written_, kInputPiece);
      written_ += piece.size();
      pipe_->write(piece);
    }
  }

  void close() noexcept {
    pipe_.reset();
    changed_.set();
  }

  std::string input_;
  std::size_t written_ = 0;
  Event& changed_;
  std::unique_ptr<Transport> pipe_;
};

struct Conversation {
  std::string input;
  CommunicateLimits limits;
  std::array<std::unique_ptr<Transport>, 3> pipes;
};

/// Kills a child that is given up, before its pipes are closed: it must not see a broken one.
class KillOnFailure {
 public:
  explicit KillOnFailure(detail::ChildProcess& child) noexcept : child_(child) {}
  KillOnFailure(const KillOnFailure&) = delete;
  KillOnFailure& operator=(const KillOnFailure&) = delete;
  ~KillOnFailure() {
    if (!done_) child_.kill();
  }
  void done() noexcept { done_ = true; }

 private:
  detail::ChildProcess& child_;
  bool done_ = false;
};

/// Until every pipe has ended.
Task<> talk(detail::ChildProcess& child, Conversation& with, CommunicateResult& result) {
  Event changed;
  InputFeeder input(std::move(with.pipes[0]), std::move(with.input), changed);
  OutputCollector output(std::move(with.pipes[1]), with.limits.max_output, changed);
  OutputCollector error(std::move(with.pipes[2]), with.limits.max_output, changed);
  KillOnFailure guard(child);
  while (!input.ended() || !output.ended() || !error.ended()) {
    co_await changed.wait();
    changed.clear();
    for (const OutputCollector* each : {&output, &error}) {
      if (!each->exceeded()) continue;
      throw StreamLimitError("the " + std::string(each == &output ? "output" : "error") + " of \"" +
                                 child.command() + "\" is longer than " +
                                 std::to_string(with.limits.max_output) + " bytes",
                             with.limits.max_output);
    }
  }
  guard.done();
  result.output = output.take();
  result.error = error.take();
}

Task<ExitStatus> wait_for(std::shared_ptr<detail::ChildProcess> child) {
  co_return co_await Subprocess::Wait(std::move(child));
}

Task<CommunicateResult> converse(std::shared_ptr<detail::ChildProcess> child, Conversation with) {
  CommunicateResult result;
  std::exception_ptr failure;
  try {
    co_await talk(*child, with, result);
    result.status = co_await wait_for(child);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure != nullptr) {
    child->kill();
    co_await shield(wait_for(child));
    std::rethrow_exception(failure);
  }
  co_return result;
}

Task<int> wait_for_success(std::shared_ptr<detail::ChildProcess> child, bool raise_error) {
  const ExitStatus status = co_await wait_for(child);
  if (raise_error && !status.ok()) {
    throw CalledProcessError(child->command(), status.returncode(), to_string(status));
  }
  co_return status.returncode();
}

}  // namespace

std::string to_string(const ExitStatus& status) {
  if (status.signal == 0) return "exited with code " + std::to_string(status.code);
  std::string text = "was killed by signal " + std::to_string(status.signal);
  if (const char* name = ::sigdescr_np(status.signal)) text += " (" + std::string(name) + ')';
  return text;
}

std::vector<std::string> shell_command(std::string line) {
  return {"/bin/sh", "-c", std::move(line)};
}

// --- Subprocess ----------------------------------------------------------------------------------

/// Our ends, until they are taken.
struct Subprocess::Pipes {
  std::array<OwnedDescriptor, 3> ends;
};

Subprocess::Subprocess(std::vector<std::string> argv, SubprocessOptions options)
    : pipes_(std::make_unique<Pipes>()) {
  auto& loop = static_cast<IOLoop&>(Executor::require_current());
  require_exit_statuses();
  ChildStreams streams = open_child_streams(options);
  const pid_t pid = spawn_process(argv, options, streams);
  child_ = std::make_shared<detail::ChildProcess>(loop, pid, options.new_group, command_text(argv));
  child_->watch();
  pipes_->ends = std::move(streams.ours);
}

Subprocess::Subprocess(Subprocess&&) noexcept = default;

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  std::swap(child_, other.child_);
  std::swap(pipes_, other.pipes_);
  return *this;
}

Subprocess::~Subprocess() {
  if (child_ != nullptr) child_->kill_unless_detached();
}

int Subprocess::pid() const noexcept { return child_->pid(); }
std::optional<ExitStatus> Subprocess::status() const noexcept { return child_->status(); }

std::unique_ptr<Transport> Subprocess::take(int index) {
  OwnedDescriptor& end = pipes_->ends[static_cast<std::size_t>(index)];
  if (end.get() < 0) return nullptr;
  return child_->loop().reactor().adopt(end.release());
}

std::unique_ptr<Transport> Subprocess::take_input() { return take(0); }
std::unique_ptr<Transport> Subprocess::take_output() { return take(1); }
std::unique_ptr<Transport> Subprocess::take_error() { return take(2); }

Subprocess::Wait Subprocess::wait() noexcept { return Wait(child_); }

Task<int> Subprocess::wait_for_exit(bool raise_error) {
  return wait_for_success(child_, raise_error);
}

Task<CommunicateResult> Subprocess::communicate(std::string input, CommunicateLimits limits) {
  if (!input.empty() && pipes_->ends[0].get() < 0) {
    throw std::logic_error("communicate has input for \"" + child_->command() +
                           "\", but its standard input is no pipe, or was taken");
  }
  return converse(child_, {std::move(input), limits, {take_input(), take_output(), take_error()}});
}

void Subprocess::send_signal(int signal) { child_->send_signal(signal); }
void Subprocess::terminate() { send_signal(SIGTERM); }
void Subprocess::kill() { send_signal(SIGKILL); }

void Subprocess::set_exit_callback(Function<void(ExitStatus)> callback) {
  child_->set_exit_callback(std::move(callback));
}

void Subprocess::detach() noexcept { child_->detach(); }

// --- Wait ----------------------------------------------------------------------------------------

bool Subprocess::Wait::await_ready() const noexcept { return child_->status().has_value(); }

bool Subprocess::Wait::begin(PromiseBase& promise) {
  if (!park(promise)) return false;
  child_->add_waiter(*this);
  return true;
}

ExitStatus Subprocess::Wait::await_resume() const {
  check();
  return *child_->status();
}

void Subprocess::Wait::cancel() noexcept {
  unlink();
  cancelled_ = true;
  wake();
}

}  // namespace coronado
