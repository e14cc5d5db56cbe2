// How often the heap is asked for memory while requests are answered. A program of its own, because it
// replaces the global allocation functions.
#include <coronado/base/describe.hpp>
#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/template.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

namespace {

thread_local std::size_t allocations = 0;  // of this thread: another may watch the loop

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace coronado {
namespace {

struct SmallHandler : web::RequestHandler {
  Task<> get() override {
    write("Hello, World!");
    co_return;
  }
};

/// The server's end of a connection whose client is this test: bytes go in and out without memory of
/// their own.
class Wire final : public Transport {
 public:
  explicit Wire(Wire*& registered) { registered = this; }
  void start(TransportHandler& handler) override { handler_ = &handler; }
  void write(std::string_view bytes) override { sent_ += bytes.size(); }
  std::size_t pending() const noexcept override { return 0; }
  void pause_receive() noexcept override {}
  void resume_receive() noexcept override {}
  void shutdown_write() noexcept override {}
  SocketAddress peer() const override { return {}; }
  int native_handle() const noexcept override { return -1; }

  void deliver(std::string& bytes) { handler_->on_receive(bytes); }
  std::size_t sent() const noexcept { return sent_; }

 private:
  TransportHandler* handler_ = nullptr;
  std::size_t sent_ = 0;
};

class Allocation : public ::testing::Test {
 protected:
  Allocation() {
    access_log().set_level(LogLevel::kOff);
    app_.get("/plaintext", [] { return "Hello, World!"; });
    app_.get("/query/{id:int}", [](long id) {
      return id == 7 ? std::string_view("seven") : std::string_view("other");
    });
    app_.get("/task", []() -> Task<std::string_view> { co_return "Hello, World!"; });
    app_.add<SmallHandler>("/handler");
    server_.serve(std::make_unique<Wire>(wire_));
  }
  ~Allocation() override {
    loop_.run_sync(server_.close());
    access_log().set_level(LogLevel::kInfo);
  }

  /// Allocations of 1,000 requests that come one by one, after some to warm up.
  std::size_t count(const std::string& path, int depth = 1) {
    std::string bytes;
    for (int i = 0; i < depth; ++i) {
      bytes += "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: a=b\r\n\r\n";
    }
    std::size_t counted = 0;
    loop_.run_sync([](Wire& wire, std::string& request, std::size_t& result) -> Task<> {
      // Between two turns of the loop, as the reactor does it.
      struct Run {
        Wire& wire;
        std::string& request;
        std::size_t& result;
        void operator()() const {
          for (int i = 0; i < 10; ++i) wire.deliver(request);
          const std::size_t before = allocations;
          for (int i = 0; i < 1000; ++i) wire.deliver(request);
          result = allocations - before;
        }
      };
      IOLoop::current()->post(Run{wire, request, result});
      co_await sleep(std::chrono::seconds(1));
    }(*wire_, bytes, counted));
    EXPECT_GT(wire_->sent(), 100'000U);
    return counted;
  }

  IOLoop loop_{{.reactor = ReactorKind::kSim, .slow_step_threshold = Duration::zero()}};
  web::Application app_;
  HTTPServer server_{loop_, app_, {.idle_timeout = std::chrono::hours(1)}};
  Wire* wire_ = nullptr;
};

TEST_F(Allocation, TheCounterCounts) {
  const std::size_t before = allocations;
  const std::string text(1000, 'x');
  EXPECT_EQ(allocations, before + 1) << text.size();
}

TEST_F(Allocation, FunctionHandlerNeedsNone) {
  EXPECT_EQ(count("/plaintext"), 0U);
  EXPECT_EQ(count("/plaintext", 16), 0U);
}

TEST_F(Allocation, PathParametersNeedNone) { EXPECT_EQ(count("/query/7"), 0U); }

// Under sanitizers coroutine frames and handlers come from the heap one by one.
constexpr std::size_t kFrames = CORONADO_SANITIZED ? 10'000 : 0;

TEST_F(Allocation, CoroutineHandlerNeedsNone) { EXPECT_LE(count("/task"), kFrames); }

TEST_F(Allocation, ClassHandlerNeedsNone) {
  EXPECT_LE(count("/handler"), kFrames);
  EXPECT_LE(count("/handler", 16), 16 * kFrames);
}

struct Row {
  int id;
  double score;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Row, (), (id, score, name))

// One of each kind of node, and of each kind of expression that a page repeats.
TEST_F(Allocation, NoNodeOfATemplateNeedsOne) {
  web::DictLoader loader(
      {{"base.html", "<h1>{% block title %}{% end %}</h1>{% block body %}none{% end %}\n"},
       {"row.html", "<td>{{ row.id }}</td><td title='{{ row.name }}'>{% raw row.name %}</td>"},
       {"page.html",
        "{% extends base.html %}{% block title %}{{ 'a <title>' }}{% end %}{% block body %}"
        "{% set total = 0 %}{% for i, row in enumerate(rows) %}"
        "{% if i % 2 == 0 and row.score > 1 %}even{% elif not row.id %}zero{% else %}odd{% end %}"
        "{% include row.html %}{{ '%5.2f' % row.score }}{{ f'{row.id:>4} {row.name}' }}"
        "{{ row.name[:4] + '...' }}{{ row.name.upper() }}{{ row.id * 2 + 1 if row.id else -1 }}"
        "{% set total += row.id %}{% try %}{{ len(row.name) }}{% finally %}.{% end %}"
        "{{ ', '.join([str(n) for n in range(3) if n in (1, 2)]) }}"
        "{% while total > 1000 %}{% break %}{% end %}{% end %}{{ total }}{% end %}"}});
  const auto page = loader.load("page.html");
  std::string out;
  const auto needed = [&](std::size_t count) {
    const std::vector<Row> rows(count, {7, 2.5, "<text that is not short>"});
    const web::TemplateArgument argument("rows", rows);
    std::size_t before = 0;
    for (int i = 0; i < 4; ++i) {  // the first ones make the memory that is kept
      out.clear();
      before = allocations;
      page->generate_into(out, {&argument, 1});
    }
    return allocations - before;
  };
  EXPECT_LE(needed(1), 1U);  // the stack of open try blocks
  EXPECT_LE(needed(50), 1U);
  EXPECT_NE(out.find("&lt;TEXT"), std::string::npos) << out;
}

}  // namespace
}  // namespace coronado
