#include <coronado/ops/serve.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls_context.hpp>
#include <coronado/ops/process.hpp>

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <latch>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "http/forwarded.hpp"
#include "ops/topic_link.hpp"

namespace coronado::web {
namespace {

LogLevel parse_log_level(const std::string& name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (to_string(level) == name) return level;
  }
  throw UsageError("log level \"" + name + "\": expected debug, info, warning, error or off");
}

IOLoopOptions loop_options(const std::string& reactor) {
  IOLoopOptions options;
  if (reactor.empty()) return options;
  if (reactor != "epoll" && reactor != "uring") {
    throw UsageError("reactor \"" + reactor + "\": expected epoll or uring");
  }
  options.reactor = reactor == "uring" ? ReactorKind::kUring : ReactorKind::kEpoll;
  return options;
}

/// The certificates of all workers; null: plain HTTP.
std::shared_ptr<TLSContext> make_tls(const ServeOptions& options) {
  if (options.tls_cert.empty()) {
    if (options.tls_port != 0 && !options.http.tls) {
      throw UsageError("--tls-port: HTTPS needs a certificate, --tls-cert");
    }
    if (options.tls_key.empty()) return nullptr;
    throw UsageError("--tls-key: a key needs its certificate, --tls-cert");
  }
  return TLSContext::server(
      {.identities = {{.certificate_file = options.tls_cert, .key_file = options.tls_key}},
       .alpn = {"http/1.1", "http/1.0"},
       .kernel_tls = options.tls_kernel});
}

void reload(TLSContext& tls) {
  try {
    tls.reload();
    general_log().info("the TLS certificates were read again");
  } catch (const TLSError& error) {
    general_log().error(std::string("the old TLS certificates stay: ") + error.what());
  }
}

const char* name_of(ProxyProtocolOptions::Mode mode) noexcept {
  using Mode = ProxyProtocolOptions::Mode;
  switch (mode) {
    case Mode::kFromTrusted: return "trusted";
    case Mode::kRequired: return "required";
    case Mode::kOff: break;
  }
  return "off";
}

/// What `--proxy-protocol` and `--trusted-proxy` say together.
ProxyProtocolOptions proxy_options(const ServeOptions& options) {
  using Mode = ProxyProtocolOptions::Mode;
  ProxyProtocolOptions proxy = options.http.proxy;
  const std::string& wanted = options.proxy_protocol;
  if (wanted == "off") {
    proxy.mode = Mode::kOff;
  } else if (wanted == "trusted") {
    proxy.mode = Mode::kFromTrusted;
  } else if (wanted == "required") {
    proxy.mode = Mode::kRequired;
  } else if (!wanted.empty()) {
    throw UsageError("PROXY protocol \"" + wanted + "\": expected off, trusted or required");
  }
  for (const std::string& network : proxy.trusted) {
    if (network != "unix" && !IPNetwork::from_text(network)) {
      throw UsageError("--trusted-proxy: \"" + network + "\" is no network, such as 10.0.0.0/8");
    }
  }
  if (proxy.mode == Mode::kFromTrusted && proxy.trusted.empty()) {
    throw UsageError("--proxy-protocol=trusted: name the proxies, by --trusted-proxy");
  }
  if (proxy.mode != Mode::kFromTrusted && !proxy.trusted.empty()) {
    throw UsageError("--trusted-proxy: it needs --proxy-protocol=trusted");
  }
  return proxy;
}

HTTPServerOptions server_options(const ServeOptions& options,
                                 std::shared_ptr<const TLSContext> tls) {
  HTTPServerOptions all = options.http;
  all.proxy = proxy_options(options);
  if (tls) all.tls = std::move(tls);
  if (options.compress_response && !all.compress_response) all.compress_response.emplace();
  return all;
}

/// What one worker accepts on.
struct WorkerSockets {
  std::vector<Socket> main;
  std::vector<Socket> secure;  // of the TLS port, if there is one beside the other
};

/// One loop with its application and its servers.
class Worker {
 public:
  /// Params   drained  Called on the worker's thread when it has nothing left to do.
  Worker(const ServeOptions& options, std::shared_ptr<const TLSContext> tls,
         Application application, Function<void(Worker&)> drained)
      : options_(options),
        drained_(std::move(drained)),
        loop_(loop_options(options.reactor)),
        application_(std::move(application)),
        server_(loop_, application_, main_options(options, tls)) {
    if (options.tls_port != 0) {
      secure_.emplace(loop_, application_, server_options(options, std::move(tls)));
    }
  }

  IOLoop& loop() noexcept { return loop_; }

  void add_sockets(WorkerSockets sockets) {
    server_.add_sockets(std::move(sockets.main));
    if (secure_) secure_->add_sockets(std::move(sockets.secure));
  }

  void run() {
    loop_.run();
    loop_.run_sync(server_.close());
    if (secure_) loop_.run_sync(secure_->close());
    loop_.close();  // detached tasks end while the application they refer to still stands
  }

  /// Begins to drain; the second call cuts it short.   Threads  Any.
  void shut_down() {
    loop_.post([this] {
      if (draining_) {
        draining_.cancel();
      } else {
        draining_ = loop_.spawn(drain(), "drain");
      }
    });
  }

  /// Threads  Any.
  void dump() {
    loop_.post([this] {
      const std::string text = dump_tasks(loop_);
      std::fprintf(stderr, "%s", text.c_str());
    });
  }

 private:
  /// Without TLS, where that has a port of its own.
  static HTTPServerOptions main_options(const ServeOptions& options,
                                        std::shared_ptr<const TLSContext> tls) {
    HTTPServerOptions all = server_options(options, std::move(tls));
    if (options.tls_port != 0) all.tls = nullptr;
    return all;
  }

  Task<> drain() {
    struct AtTheEnd {
      Worker& worker;
      ~AtTheEnd() { worker.drained_(worker); }
    } at_the_end{*this};
    const TimePoint deadline = loop_.now() + options_.drain_timeout;
    bool clean = true;
    if (secure_) {
      const std::tuple<bool, bool> both =
          co_await multi(server_.drain(deadline), secure_->drain(deadline));
      clean = std::get<0>(both) && std::get<1>(both);
    } else {
      clean = co_await server_.drain(deadline);
    }
    if (!clean) {
      general_log().warning("requests were still in progress when the drain timeout passed");
    }
  }

  const ServeOptions& options_;
  Function<void(Worker&)> drained_;
  IOLoop loop_;
  Application application_;
  HTTPServer server_;
  std::optional<HTTPServer> secure_;
  TaskHandle<> draining_;
};

/// The sockets of every worker of every process.
struct Listening {
  std::vector<WorkerSockets> sockets;
  std::uint16_t port = 0;
  std::uint16_t tls_port = 0;  // 0: none beside the other
};

Listening bind_all(const ServeOptions& options, std::uint32_t count) {
  BindOptions bind;
  bind.address = options.address;
  bind.reuse_port = count > 1;
  Listening listening;
  listening.port = options.port;
  listening.tls_port = options.tls_port;
  for (std::uint32_t i = 0; i < count; ++i) {
    WorkerSockets& sockets = listening.sockets.emplace_back();
    sockets.main = bind_sockets(listening.port, bind);
    listening.port = local_port(sockets.main.front());
    if (listening.tls_port != 0) sockets.secure = bind_sockets(listening.tls_port, bind);
  }
  return listening;
}

void announce(std::uint16_t port, std::uint16_t tls_port) {
  std::printf("listening %u\n", static_cast<unsigned>(port));
  if (tls_port != 0) std::printf("listening %u tls\n", static_cast<unsigned>(tls_port));
  std::fflush(stdout);
}

/// The workers of one process.
class Workers {
 public:
  /// Params   tls        Null: plain HTTP.
  ///          sockets    Those of each worker: as many workers.
  ///          accepting  Called when all of them accept.
  Workers(const ServeOptions& options, WorkerApplicationFactory& factory,
          std::shared_ptr<TLSContext> tls, std::vector<WorkerSockets> sockets,
          Function<void()> accepting)
      : options_(options),
        factory_(factory),
        accepting_(std::move(accepting)),
        tls_(std::move(tls)),
        count_(static_cast<std::uint32_t>(sockets.size())),
        sockets_(std::move(sockets)),
        ready_(static_cast<std::ptrdiff_t>(count_)),
        unfinished_(count_),
        group_(count_) {}
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { group_.end(); }

  /// Starts the other threads and runs the first worker here.
  void run() {
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i < count_; ++i) threads.emplace_back([this, i] { run_worker(i); });
    run_worker(0);
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run_worker(std::uint32_t index) {
    bool counted = false;
    try {
      Worker& worker = make_worker(index);
      counted = true;
      ready_.arrive_and_wait();
      if (index == 0 && !failed()) begin(worker.loop());
      if (failed()) return;
      worker.run();
    } catch (...) {
      {
        std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
      if (!counted) ready_.count_down();
      shut_down_all();
    }
    if (index != 0) finish_one();
  }

  /// The first worker's loop hears the signals: it runs until all the others have finished.
  void finish_one() {
    if (unfinished_.fetch_sub(1) == 1) first_->loop().stop();
  }

  Worker& make_worker(std::uint32_t index) {
    std::lock_guard lock(mutex_);
    Worker& worker =
        workers_.emplace_back(options_, tls_, factory_(group_), [this, index](Worker& drained) {
          if (index == 0) {
            finish_one();
          } else {
            drained.loop().stop();
          }
        });
    if (index == 0) first_ = &worker;
    worker.add_sockets(std::move(sockets_[index]));
    group_.start(index, worker.loop());
    return worker;
  }

  /// All accept; the signals come here.
  void begin(IOLoop& loop) {
    for (const int signal : {SIGTERM, SIGINT}) {
      loop.add_signal_handler(signal, [this] { shut_down_all(); });
    }
    loop.add_signal_handler(SIGUSR1, [this] {
      std::lock_guard lock(mutex_);
      for (Worker& worker : workers_) worker.dump();
    });
    // A process that was forked gets every SIGHUP that its parent gets: no reason to end.
    if (tls_ || task_id()) {
      loop.add_signal_handler(SIGHUP, [this] {
        if (tls_) reload(*tls_);
      });
    }
    accepting_();
  }

  void shut_down_all() {
    std::lock_guard lock(mutex_);
    for (Worker& worker : workers_) worker.shut_down();
  }

  bool failed() {
    std::lock_guard lock(mutex_);
    return failure_ != nullptr;
  }

  const ServeOptions& options_;
  WorkerApplicationFactory& factory_;
  Function<void()> accepting_;
  const std::shared_ptr<TLSContext> tls_;
  std::uint32_t count_;
  std::vector<WorkerSockets> sockets_;
  std::latch ready_;
  std::atomic<std::uint32_t> unfinished_;
  Worker* first_ = nullptr;  // set before it is counted as ready
  WorkerGroup group_;
  std::mutex mutex_;
  std::deque<Worker> workers_;  // guarded by mutex_
  std::exception_ptr failure_;  // guarded by mutex_
};

/// What forked processes know of each other: which of them accept. Shared memory.
class StartBoard {
 public:
  explicit StartBoard(std::uint32_t processes) : processes_(processes) {
    void* place =
        ::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::system_error(errno, std::system_category(), "mmap");
    count_ = ::new (place) std::atomic<std::uint32_t>[processes + 1] {};  // all, then each
  }
  StartBoard(const StartBoard&) = delete;
  StartBoard& operator=(const StartBoard&) = delete;
  ~StartBoard() { ::munmap(count_, size()); }

  /// Says that this process accepts; true when it is the last one to say so.
  bool sign(std::uint32_t id) noexcept {
    if (count_[1 + id].exchange(1) != 0) return false;  // it was restarted
    return count_[0].fetch_add(1) + 1 == processes_;
  }

  bool complete() const noexcept { return count_[0].load() == processes_; }

 private:
  std::size_t size() const noexcept {
    return sizeof(std::atomic<std::uint32_t>) * (processes_ + 1);
  }

  std::uint32_t processes_;
  std::atomic<std::uint32_t>* count_;
};

/// The exit code of a process that could not start when none of the others had been at work: to
/// restart it would be of no use.
constexpr int kCouldNotStart = 3;

void serve_here(const ServeOptions& options, WorkerApplicationFactory& factory,
                std::shared_ptr<TLSContext> tls, std::uint32_t workers) {
  Listening listening = bind_all(options, workers);
  Workers(options, factory, std::move(tls), std::move(listening.sockets), [&listening] {
    announce(listening.port, listening.tls_port);
  }).run();
}

int serve_in_processes(const ServeOptions& options, WorkerApplicationFactory& factory,
                       std::shared_ptr<TLSContext> tls, std::uint32_t workers,
                       std::uint32_t processes) {
  // Bound before the fork: the sockets outlive a process that dies, and what comes waits in them.
  Listening listening = bind_all(options, workers * processes);
  StartBoard board(processes);
  const ProcessSockets channels(options.topics.empty() ? 0 : processes);
  ForkOptions forking;
  forking.fatal_exit_code = kCouldNotStart;
  forking.on_stop = [&] { listening.sockets.clear(); };  // so that who comes now is refused
  const std::optional<int> id = fork_processes(static_cast<int>(processes), std::move(forking));
  if (!id) return 0;
  const auto mine = static_cast<std::uint32_t>(*id);
  std::vector<WorkerSockets> sockets;
  for (std::uint32_t i = 0; i < workers; ++i) {
    sockets.push_back(std::move(listening.sockets[mine * workers + i]));
  }
  listening.sockets.clear();
  try {
    std::optional<TopicLink> link;
    if (!options.topics.empty()) link.emplace(options.topics, channels, mine);
    Workers(options, factory, std::move(tls), std::move(sockets), [&] {
      if (board.sign(mine)) announce(listening.port, listening.tls_port);
    }).run();
    return 0;
  } catch (const std::exception& error) {
    if (board.complete()) throw;
    std::fprintf(stderr, "%s\n", error.what());
    return kCouldNotStart;
  }
}

}  // namespace

void ServeOptions::define(OptionParser& parser) {
  parser.define("--port", port, "Port to listen on; 0 for any free one");
  parser.define("--address", address, "Name or address to listen on");
  parser.define("--workers", workers, "Worker threads; 0 for one a core");
  parser.define("--processes", processes, "Forked processes; 0 for one a core");
  parser.define("--reactor", reactor, {"epoll", "uring"}, "How the loop talks to the system");
  parser.define("--log-level", log_level, {"debug", "info", "warning", "error", "off"},
                "The least important lines that are logged");
  parser.define("--drain-timeout", drain_timeout, "Time for requests in progress at shutdown");
  parser.define("--tls-cert", tls_cert, "Certificate chain, PEM: serve HTTPS");
  parser.define("--tls-key", tls_key, "Its private key, PEM; empty when it is in the same file");
  parser.define("--tls-port", tls_port, "Port for HTTPS; 0: the port is for HTTPS or for HTTP");
  parser.define("--tls-kernel", tls_kernel, "Let the kernel encrypt (kTLS), where it offers that");
  parser.define("--tls-handshake-timeout", http.tls_handshake_timeout, "Time for a TLS handshake");
  if (proxy_protocol.empty()) proxy_protocol = name_of(http.proxy.mode);
  parser.define("--proxy-protocol", proxy_protocol, {"off", "trusted", "required"},
                "Who begins with the PROXY protocol: nobody, trusted proxies or everybody");
  parser.define("--trusted-proxy", http.proxy.trusted,
                "Address or network of a proxy, such as 10.0.0.0/8; may be given several times");
  parser.define("--proxy-timeout", http.proxy.timeout, "Time for the PROXY header");
  parser.define("--max-request-line", http.limits.max_request_line, "Bytes");
  parser.define("--max-header-size", http.limits.max_header_size, "Bytes");
  parser.define("--max-header-count", http.limits.max_header_count, "Fields");
  parser.define("--max-body-size", http.limits.max_body_size, "Bytes");
  parser.define("--max-chunk-line", http.limits.max_chunk_line, "Bytes before one chunk");
  parser.define("--max-trailer-size", http.limits.max_trailer_size, "Bytes");
  parser.define("--max-parts", http.limits.max_parts, "Parts of a multipart form");
  parser.define("--max-part-header-size", http.limits.max_part_header_size, "Bytes");
  parser.define("--max-part-size", http.limits.max_part_size, "Bytes of one part; 0 for no limit");
  parser.define("--compress-response", compress_response, "Compress responses");
  parser.define("--decompress-request", http.decompress_request, "Decompress requests' bodies");
  parser.define("--max-decompression-ratio", http.limits.max_decompression_ratio,
                "Bytes that one byte may become by decompressing; 0 for no limit");
  parser.define("--trust-forwarded", http.trust_forwarded,
                "Network of proxies whose Forwarded and X-Forwarded fields are believed; may be "
                "given several times");
  parser.define("--trust-forwarded-host", http.trust_forwarded_host,
                "Believe them also the host that the client has asked for");
  parser.define("--max-connections", http.max_connections, "Connections at a time, each worker");
  parser.define("--max-connections-per-peer", http.max_connections_per_peer,
                "Connections at a time from one address, each worker; 0 for no limit");
  parser.define("--max-request-rate", http.max_request_rate, "Requests a second and connection");
  parser.define("--idle-timeout", http.idle_timeout, "Wait for a request on an idle connection");
  parser.define("--header-timeout", http.header_timeout, "Time for a request's head");
  parser.define("--body-timeout", http.body_timeout, "Pause between pieces of a request's body");
  parser.define("--min-body-rate", http.min_body_rate,
                "Bytes a second of a request's body at least; 0 for no limit");
  parser.define("--body-grace-period", http.body_grace_period,
                "Time for a request's body to come up to that");
  parser.define("--write-timeout", http.write_timeout, "Time a client may take nothing");
}

int serve(const ServeOptions& options, WorkerApplicationFactory factory) {
  try {
    const LogLevel level = parse_log_level(options.log_level);
    for (Logger* logger : {&access_log(), &app_log(), &general_log()}) logger->set_level(level);
    const auto cores = static_cast<std::uint32_t>(cpu_count());
    const std::uint32_t workers = options.workers != 0 ? options.workers : cores;
    const std::uint32_t processes = options.processes != 0 ? options.processes : cores;
    loop_options(options.reactor);  // what is wrong is told here, once
    proxy_options(options);
    TrustedProxies(options.http.trust_forwarded);
    // Made before a fork: the processes then resume each other's sessions.
    const std::shared_ptr<TLSContext> tls = make_tls(options);
    if (processes > 1) return serve_in_processes(options, factory, tls, workers, processes);
    serve_here(options, factory, tls, workers);
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

int serve(const ServeOptions& options, ApplicationFactory factory) {
  return serve(options, WorkerApplicationFactory(
                            [make = std::move(factory)](WorkerGroup&) mutable { return make(); }));
}

int serve(int argc, char** argv, WorkerApplicationFactory factory, ServeOptions options) {
  OptionParser parser("A Coronado server.");
  options.define(parser);
  parser.define("PORT", options.port, "The same as --port");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  return serve(options, std::move(factory));
}

int serve(int argc, char** argv, ApplicationFactory factory, ServeOptions options) {
  return serve(argc, argv,
               WorkerApplicationFactory(
                   [make = std::move(factory)](WorkerGroup&) mutable { return make(); }),
               std::move(options));
}

}  // namespace coronado::web
