/// `web::serve`: a whole server program in one call.
///
///     ServeOptions   port, workers, limits, ...
///     serve          runs an application until SIGTERM or SIGINT
///
/// Layer: ops.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/http/websocket_topic.hpp>
#include <coronado/ops/options.hpp>
#include <coronado/ops/worker_group.hpp>
#include <coronado/web/application.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace coronado::web {

/// What a server program can be told. `define` offers each as an option of the same name.
struct ServeOptions {
  /// 0: any free one.
  std::uint16_t port = 8888;
  /// A name or address; "0.0.0.0" and "::" for every interface. The default serves this machine
  /// only.
  std::string address = "127.0.0.1";
  /// Threads, each with its own loop, application and listening socket. 0: one a core.
  std::uint32_t workers = 1;
  /// Processes, forked before anything else and restarted when they die, each with that many workers;
  /// see `fork_processes`. 0: one a core.
  std::uint32_t processes = 1;
  /// "epoll" or "uring". Empty: what `CORONADO_REACTOR` says, else epoll.
  std::string reactor;
  /// "debug", "info", "warning", "error" or "off".
  std::string log_level = "info";
  /// How long requests in progress may take after SIGTERM before they are cut.
  Duration drain_timeout = std::chrono::seconds(30);
  /// Serve HTTPS with this certificate chain, a PEM file; it is read again at SIGHUP.
  std::string tls_cert;
  /// The private key's PEM file. Empty: it is in `tls_cert`.
  std::string tls_key;
  /// Serve HTTPS on this port, and plain HTTP on the other. 0: there is one port, for HTTPS when
  /// there is a certificate.
  std::uint16_t tls_port = 0;
  /// Let the kernel encrypt what is sent, where it offers that: `TLSServerOptions::kernel_tls`.
  bool tls_kernel = false;
  /// Whether connections begin with the PROXY protocol, by which a load balancer says who the client
  /// is: "off"; "trusted", from `http.proxy.trusted` (option `--trusted-proxy`), while others are
  /// served as they are; or "required", from everybody. Empty: what `http.proxy.mode` says.
  std::string proxy_protocol;
  /// Compress responses for clients that ask for it, as `http.compress_response` says; which turns it
  /// on as well.
  bool compress_response = false;
  /// What is published to these in one process is heard in all of them. They must be made before
  /// `serve` is called, and outlive it. A process that does not take what is sent misses messages, from
  /// 16 MiB on.
  std::vector<WebSocketTopic*> topics = {};
  /// Limits and timeouts. `http.tls` is an alternative to the files above.
  HTTPServerOptions http;

  /// Declares every field as an option.
  void define(OptionParser& parser);
};

/// Makes the application of one worker; called once on each worker's thread.
using ApplicationFactory = Function<Application()>;

/// The same, for applications whose workers talk to each other.
using WorkerApplicationFactory = Function<Application(WorkerGroup&)>;

/// Serves until SIGTERM or SIGINT, then drains: stops accepting, finishes what is in progress within
/// `drain_timeout`. A second signal cuts it short. SIGUSR1 prints the task tree of every worker to
/// stderr; SIGHUP has the TLS certificates read again, and when that fails the old ones stay. Prints
/// "listening PORT" on stdout when all workers accept, and for a TLS port of its own one more line,
/// "listening PORT tls".
///
/// With several processes the first one only looks after the others and passes signals on. One that
/// dies is restarted, and connections that come meanwhile wait; but when one cannot even start, all
/// end.
/// Params   factory  Called from several threads, one after the other.
/// Returns  The exit code: 0 after draining; 1 when the port cannot be bound, a certificate cannot be
///          used or the factory throws, named in one line on stderr.
/// Threads  Call it from the main thread; it becomes the first worker. With several processes there
///          must be no other thread and no loop.
int serve(const ServeOptions& options, ApplicationFactory factory);
int serve(const ServeOptions& options, WorkerApplicationFactory factory);

/// The same with the options of the command line; see `--help`. A bare first argument is the port.
/// Params   defaults  What holds for the options that are not given.
/// Returns  2 for a wrong option, too.
int serve(int argc, char** argv, ApplicationFactory factory, ServeOptions defaults = {});
int serve(int argc, char** argv, WorkerApplicationFactory factory, ServeOptions defaults = {});

}  // namespace coronado::web
