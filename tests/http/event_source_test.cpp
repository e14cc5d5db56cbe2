#include <coronado/http/event_source.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado::client_test {
namespace {

constexpr std::string_view kFields = "Content-Type: text/event-stream; charset=utf-8\r\n";

/// "/events": each connection is given the next of some texts, and then ended; notes what was shown.
struct Feed {
  explicit Feed(Fixture& fix) {
    fix.service.on("/events", [this](HTTPExchange& exchange) -> Task<> {
      const HTTPServerRequest& request = exchange.request();
      ids.emplace_back(request.header("Last-Event-ID").value_or("-"));
      times.push_back(exchange.loop().now());
      accept = request.header("Accept").value_or("");
      const std::size_t index = ids.size() - 1;
      if (index >= texts.size()) co_return exchange.respond({.status = 204}, {});
      exchange.start({.fields = kFields}, std::nullopt);
      for (const char c : texts[index]) {
        exchange.write({&c, 1});
        if (c == '\n') co_await moment();
      }
      if (hang) co_await sleep(24h);
      exchange.finish();
    });
  }
  std::vector<std::string> texts;
  std::vector<std::string> ids;
  std::vector<TimePoint> times;
  std::string accept;
  bool hang = false;
};

Task<std::string> all_of(EventSource& source) {
  std::string all;
  while (const auto event = co_await source.next()) {
    all += "[" + event->event + "/" + event->data + "/" + event->id.value_or("?") + "]";
  }
  co_return all;
}

TEST(EventSource, ReadsEventsAndGoesOnBehindTheLastOne) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    feed.texts = {"id: 1\ndata: a\n\nevent: e\ndata: b\ndata: c\n\nid: 2\ndata: cut",
                  "retry: 500\ndata: d\n\nid: 3\n\n", "data: e\n\nid:\n\n", ": nothing\n\n"};
    EventSource source(fix.client, {.url = "http://server/events"});
    EXPECT_EQ(co_await all_of(source), "[message/a/1][e/b\nc/1][message/d/1][message/e/3]");
    EXPECT_THAT(feed.ids, ::testing::ElementsAre("-", "1", "3", "-", "-"));
    EXPECT_EQ(feed.accept, "text/event-stream");
    EXPECT_EQ(source.connects(), 4U);
    EXPECT_EQ(source.last_event_id(), "");
    EXPECT_EQ((co_await source.next()).has_value(), false);
    // Three seconds, until the server asked for half a one.
    EXPECT_GE(feed.times[1] - feed.times[0], 3s);
    EXPECT_LT(feed.times[1] - feed.times[0], 4s);
    EXPECT_GE(feed.times[2] - feed.times[1], 500ms);
    EXPECT_LT(feed.times[2] - feed.times[1], 1s);
    EXPECT_GE(feed.times[3] - feed.times[2], 500ms);
  });
}

TEST(EventSource, BeginsWhereItIsTold) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    EventSource source(fix.client,
                       {.url = "http://server/events", .headers = {{"Accept", "text/*"}}},
                       {.last_event_id = "41"});
    EXPECT_EQ(co_await all_of(source), "");
    EXPECT_EQ(feed.ids.at(0), "41");
    EXPECT_EQ(feed.accept, "text/*");
  });
}

TEST(EventSource, ALostConnectionIsMadeAgain) {
  with_fixture([](Fixture& fix) -> Task<> {
    int answers = 0;
    Peer peer(fix.host.address(81), [&](IOStream& stream) -> Task<> {
      co_await stream.read_until("\r\n\r\n");
      switch (++answers) {
        case 1: co_return;  // no answer at all
        case 2: co_await stream.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"); break;
        case 3:
          co_await stream.write("HTTP/1.1 200 OK\r\n" + std::string(kFields) +
                                "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
          break;  // cut in the middle of the body
        case 4:
          co_await stream.write("HTTP/1.1 200 OK\r\n" + std::string(kFields) + "\r\ndata: b\n\n");
          break;
        default: co_await stream.write("HTTP/1.1 204 No more\r\n\r\n");
      }
      co_await stream.shutdown();
    });
    const TimePoint begin = IOLoop::current()->now();
    EventSource source(fix.client, {.url = "http://server:81/"}, {.retry = 1s});
    EXPECT_EQ(co_await all_of(source), "[message/a/][message/b/]");
    EXPECT_EQ(answers, 5);
    // Pauses of 1 and 2 after two failures, and 1 after each stream.
    EXPECT_GE(IOLoop::current()->now() - begin, 5s);
    EXPECT_LT(IOLoop::current()->now() - begin, 6s);
    co_await peer.close();
  });
}

TEST(EventSource, PausesGrowToALimitAndAttemptsHaveOne) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::vector<TimePoint> times;
    Peer peer(fix.host.address(81), [&](IOStream& stream) -> Task<> {
      times.push_back(IOLoop::current()->now());
      co_await stream.read_until("\r\n\r\n");
      co_await stream.write("HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n");
    });
    EventSource source(fix.client, {.url = "http://server:81/x"},
                       {.retry = 1s, .longest_retry = 3s, .max_attempts = 5});
    try {
      co_await source.next();
      ADD_FAILURE() << "there was an event";
    } catch (const HTTPClientError& error) {
      EXPECT_EQ(error.code(), 502);
      EXPECT_STREQ(error.what(), "GET http://server:81/x: HTTP 502: Bad");
    }
    EXPECT_EQ(times.size(), 5U);
    const int pauses[] = {1, 2, 3, 3};
    for (std::size_t i = 0; i < 4; ++i) {
      const Duration pause = times.at(i + 1) - times.at(i);
      EXPECT_GE(pause, std::chrono::seconds(pauses[i]));
      EXPECT_LT(pause, std::chrono::seconds(pauses[i]) + 500ms);
    }
    co_await peer.close();
  });
}

/// What `next` throws.
template <class Error>
Task<std::string> refusal(EventSource& source) {
  try {
    co_await source.next();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    co_return error.what();
  }
  co_return "";
}

TEST(EventSource, OtherAnswersAreFinal) {
  with_fixture([](Fixture& fix) -> Task<> {
    EventSource missing(fix.client, {.url = "http://server/status?404"});
    EXPECT_EQ(co_await refusal<HTTPClientError>(missing),
              "GET http://server/status?404: HTTP 404: Not Found");
    EventSource text(fix.client, {.url = "http://server/redirect?302+/text"});
    EXPECT_EQ(co_await refusal<HTTPResponseError>(text),
              "GET http://server/text: no event stream: its Content-Type is \"text/plain\"");
    EXPECT_EQ(fix.client.stats().busy, 0U);
    HTTPRequest wrong{.url = "ftp://server/"};
    EXPECT_THROW(EventSource(fix.client, std::move(wrong)), std::invalid_argument);
    EXPECT_THROW(EventSource(fix.client, {.url = "http://server/"}, {.retry = -1s}),
                 std::invalid_argument);
  });
}

TEST(EventSource, NoConnectionAndNoTime) {
  with_fixture([](Fixture& fix) -> Task<> {
    EventSource nobody(fix.client, {.url = "http://server:82/"}, {.max_attempts = 2});
    EXPECT_THAT(co_await refusal<HTTPConnectError>(nobody), HasSubstr("http://server:82/"));
    EventSource slow(fix.client, {.url = "http://server/slow?10", .request_timeout = 1s},
                     {.max_attempts = 1});
    EXPECT_THAT(co_await refusal<HTTPTimeoutError>(slow), HasSubstr("timed out after 1 s"));
  });
}

TEST(EventSource, AnEventThatIsTooLargeIsAnError) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    feed.texts = {"data: a\n\ndata: " + std::string(2000, 'x') + "\n\n"};
    EventSource source(fix.client, {.url = "http://server/events"}, {.max_event_size = 1000});
    EXPECT_EQ((co_await source.next())->data, "a");
    EXPECT_EQ(co_await refusal<HTTPResponseError>(source),
              "GET http://server/events: an event has more than 1000 bytes");
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ((co_await source.next()).has_value(), false);
  });
}

TEST(EventSource, SilenceCountsAsLoss) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    feed.texts = {"data: a\n\n"};
    feed.hang = true;
    EventSource source(fix.client, {.url = "http://server/events", .request_timeout = 1s},
                       {.retry = 1s, .idle_timeout = 30s});
    EXPECT_EQ(co_await all_of(source), "[message/a/]");
    EXPECT_GE(feed.times.at(1) - feed.times.at(0), 31s);
    EXPECT_LT(feed.times.at(1) - feed.times.at(0), 32s);
  });
}

TEST(EventSource, CancellingNextLosesNothing) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    feed.texts = {"data: a\n\n"};
    feed.hang = true;
    EventSource source(fix.client, {.url = "http://server/events"});
    bool timed_out = false;
    try {  // while it connects
      co_await with_timeout(Duration::zero(), source.next());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ((co_await source.next())->data, "a");
    timed_out = false;
    try {  // while it reads
      co_await with_timeout(10s, source.next());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    EXPECT_EQ(source.connects(), 1U);
    source.close();
    EXPECT_EQ((co_await source.next()).has_value(), false);
    co_await sleep(1s);
    EXPECT_EQ(fix.client.stats().busy, 0U);
    EXPECT_EQ(fix.server.connection_count(), 0U);
  });
}

TEST(EventSource, AClosedClientEndsIt) {
  with_fixture([](Fixture& fix) -> Task<> {
    Feed feed(fix);
    feed.texts = {"data: a\n\n"};
    auto client = std::make_unique<HTTPClient>(fix.with_names({}));
    EventSource source(*client, {.url = "http://server/events"});
    EXPECT_EQ((co_await source.next())->data, "a");
    client.reset();
    co_await refusal<ClosedError>(source);
  });
}

}  // namespace
}  // namespace coronado::client_test
