#include <coronado/ops/serve.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls_context.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

namespace coronado::web {
namespace {

LogLevel parse_log_level(const std::string& name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (to_string(level) == name) return level;
  }
  throw UsageError("log level \"" + name + "\": expected debug, info, warning, error or off");
}

/// The certificates of all workers; null: plain HTTP.
std::shared_ptr<TLSContext> make_tls(const ServeOptions& options) {
  if (options.tls_cert.empty()) {
    if (options.tls_key.empty()) return nullptr;
    throw UsageError("--tls-key: a key needs its certificate, --tls-cert");
  }
  return TLSContext::server(
      {.identities = {{.certificate_file = options.tls_cert, .key_file = options.tls_key}},
       .alpn = {"http/1.1"}});
}

void reload(TLSContext& tls) {
  try {
    tls.reload();
    general_log().info("the TLS certificates were read again");
  } catch (const TLSError& error) {
    general_log().error(std::string("the old TLS certificates stay: ") + error.what());
  }
}

HTTPServerOptions with_tls(HTTPServerOptions options, std::shared_ptr<const TLSContext> tls) {
  if (tls) options.tls = std::move(tls);
  return options;
}

/// One loop with its application and server.
class Worker {
 public:
  /// Params   drained  Called on the worker's thread when it has nothing left to do.
  Worker(const ServeOptions& options, std::shared_ptr<const TLSContext> tls,
         Application application, Function<void(Worker&)> drained)
      : options_(options),
        drained_(std::move(drained)),
        application_(std::move(application)),
        server_(loop_, application_, with_tls(options.http, std::move(tls))) {}

  IOLoop& loop() noexcept { return loop_; }

  void add_sockets(std::vector<Socket> sockets) { server_.add_sockets(std::move(sockets)); }

  void run() {
    loop_.run();
    loop_.run_sync(server_.close());
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
  Task<> drain() {
    struct AtTheEnd {
      Worker& worker;
      ~AtTheEnd() { worker.drained_(worker); }
    } at_the_end{*this};
    if (!co_await server_.drain(loop_.now() + options_.drain_timeout)) {
      general_log().warning("requests were still in progress when the drain timeout passed");
    }
  }

  const ServeOptions& options_;
  Function<void(Worker&)> drained_;
  IOLoop loop_;
  Application application_;
  HTTPServer server_;
  TaskHandle<> draining_;
};

/// The workers of one program.
class Workers {
 public:
  Workers(const ServeOptions& options, ApplicationFactory& factory)
      : options_(options),
        factory_(factory),
        tls_(make_tls(options)),
        count_(options.workers != 0 ? options.workers
                                    : std::max(1U, std::thread::hardware_concurrency())),
        ready_(static_cast<std::ptrdiff_t>(count_)),
        unfinished_(count_) {}

  /// Binds, starts the other threads and runs the first worker here.
  void run() {
    bind();
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i < count_; ++i) threads.emplace_back([this, i] { run_worker(i); });
    run_worker(0);
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void bind() {
    BindOptions bind;
    bind.address = options_.address;
    bind.reuse_port = count_ > 1;
    port_ = options_.port;
    for (std::uint32_t i = 0; i < count_; ++i) {
      sockets_.push_back(bind_sockets(port_, bind));
      port_ = local_port(sockets_.back().front());
    }
  }

  void run_worker(std::uint32_t index) {
    bool counted = false;
    try {
      Worker& worker = make_worker(index);
      counted = true;
      ready_.arrive_and_wait();
      if (index == 0 && !failed()) announce(worker.loop());
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
        workers_.emplace_back(options_, tls_, factory_(), [this, index](Worker& drained) {
          if (index == 0) {
            finish_one();
          } else {
            drained.loop().stop();
          }
        });
    if (index == 0) first_ = &worker;
    worker.add_sockets(std::move(sockets_[index]));
    return worker;
  }

  void announce(IOLoop& loop) {
    for (const int signal : {SIGTERM, SIGINT}) {
      loop.add_signal_handler(signal, [this] { shut_down_all(); });
    }
    loop.add_signal_handler(SIGUSR1, [this] {
      std::lock_guard lock(mutex_);
      for (Worker& worker : workers_) worker.dump();
    });
    if (tls_) loop.add_signal_handler(SIGHUP, [this] { reload(*tls_); });
    std::printf("listening %u\n", static_cast<unsigned>(port_));
    std::fflush(stdout);
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
  ApplicationFactory& factory_;
  const std::shared_ptr<TLSContext> tls_;
  std::uint32_t count_;
  std::uint16_t port_ = 0;
  std::vector<std::vector<Socket>> sockets_;
  std::latch ready_;
  std::atomic<std::uint32_t> unfinished_;
  Worker* first_ = nullptr;  // set before it is counted as ready
  std::mutex mutex_;
  std::deque<Worker> workers_;  // guarded by mutex_
  std::exception_ptr failure_;  // guarded by mutex_
};

}  // namespace

void ServeOptions::define(OptionParser& parser) {
  parser.define("--port", port, "Port to listen on; 0 for any free one");
  parser.define("--address", address, "Name or address to listen on");
  parser.define("--workers", workers, "Worker threads; 0 for one a core");
  parser.define("--reactor", reactor, {"epoll"}, "How the loop waits for the system");
  parser.define("--log-level", log_level, {"debug", "info", "warning", "error", "off"},
                "The least important lines that are logged");
  parser.define("--drain-timeout", drain_timeout, "Time for requests in progress at shutdown");
  parser.define("--tls-cert", tls_cert, "Certificate chain, PEM: serve HTTPS");
  parser.define("--tls-key", tls_key, "Its private key, PEM; empty when it is in the same file");
  parser.define("--tls-handshake-timeout", http.tls_handshake_timeout, "Time for a TLS handshake");
  parser.define("--max-request-line", http.limits.max_request_line, "Bytes");
  parser.define("--max-header-size", http.limits.max_header_size, "Bytes");
  parser.define("--max-header-count", http.limits.max_header_count, "Fields");
  parser.define("--max-body-size", http.limits.max_body_size, "Bytes");
  parser.define("--max-chunk-line", http.limits.max_chunk_line, "Bytes before one chunk");
  parser.define("--max-trailer-size", http.limits.max_trailer_size, "Bytes");
  parser.define("--max-parts", http.limits.max_parts, "Parts of a multipart form");
  parser.define("--max-part-header-size", http.limits.max_part_header_size, "Bytes");
  parser.define("--max-connections", http.max_connections, "Connections at a time, each worker");
  parser.define("--max-connections-per-peer", http.max_connections_per_peer,
                "Connections at a time from one address, each worker; 0 for no limit");
  parser.define("--max-request-rate", http.max_request_rate, "Requests a second and connection");
  parser.define("--idle-timeout", http.idle_timeout, "Wait for a request on an idle connection");
  parser.define("--header-timeout", http.header_timeout, "Time for a request's head");
  parser.define("--body-timeout", http.body_timeout, "Pause between pieces of a request's body");
  parser.define("--write-timeout", http.write_timeout, "Time a client may take nothing");
}

int serve(const ServeOptions& options, ApplicationFactory factory) {
  try {
    const LogLevel level = parse_log_level(options.log_level);
    for (Logger* logger : {&access_log(), &app_log(), &general_log()}) logger->set_level(level);
    Workers(options, factory).run();
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

int serve(int argc, char** argv, ApplicationFactory factory, ServeOptions options) {
  OptionParser parser("A Coronado server.");
  options.define(parser);
  parser.define("PORT", options.port, "The same as --port");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  return serve(options, std::move(factory));
}

}  // namespace coronado::web
