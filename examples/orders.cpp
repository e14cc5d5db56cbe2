// A small API: typed handlers, rules for what they take, middleware around them, and the document and page that
// come from their declarations: what docs/guide/middleware.md and docs/guide/openapi.md show.
//
//     orders [--port=8888]     open http://localhost:8888/docs
#include <coronado/base/describe.hpp>
#include <coronado/base/log.hpp>
#include <coronado/web.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace web = coronado::web;
using namespace std::chrono_literals;
using coronado::HTTPError, coronado::Task;

namespace {

// [rules]
struct Line {
  std::string item;
  int count = 1;
};
BOOST_DESCRIBE_STRUCT(Line, (), (item, count))
void describe_rules(web::Rules<Line>& rules) {
  rules.field(&Line::item).length(1, 80).says("What to send");
  rules.field(&Line::count).between(1, 100);
}

struct Order {
  std::string customer;
  std::vector<Line> lines;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Order, (), (customer, lines, note))
void describe_rules(web::Rules<Order>& rules) {
  rules.field(&Order::customer).matches("[a-z0-9-]{1,20}");
  rules.field(&Order::lines).length(1, 10);
}
// [/rules]

struct Stored {
  long id = 0;
  Order order;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (id, order))

// [state]
struct Orders {
  std::map<long, Order> by_id;
  long next = 1;
};

Stored take(web::State<Orders> orders, web::JsonBody<Order> order) {
  const long id = orders->next++;
  orders->by_id[id] = *order;
  return {id, *order};
}
// [/state]

Stored find(web::State<Orders> orders, long id) {
  const auto found = orders->by_id.find(id);
  if (found == orders->by_id.end()) throw HTTPError(404);
  return {id, found->second};
}

std::vector<Stored> list(web::State<Orders> orders,
                         web::Query<"customer", std::optional<std::string>> customer) {
  std::vector<Stored> all;
  for (const auto& [id, order] : orders->by_id) {
    if (!customer.value || order.customer == *customer.value) all.push_back({id, order});
  }
  return all;
}

// [user]
struct Clerk {
  std::string name;
};

Task<std::optional<Clerk>> check_clerk(std::string name, std::string password) {
  if (name != "ada" || password != "lovelace") co_return std::nullopt;
  co_return Clerk{name};
}

void cancel(web::State<Orders> orders, web::Extension<Clerk> clerk, long id) {
  if (orders->by_id.erase(id) == 0) throw HTTPError(404);
  coronado::app_log().info(clerk->name + " has cancelled order " + std::to_string(id));
}
// [/user]

// [transform]
/// Ends JSON with a new line, for those who read it in a terminal.
class NewLine final : public web::OutputTransform {
 public:
  bool transform_first_chunk(int& status, coronado::HeaderBlock& headers, std::string& chunk,
                             bool finishing) override {
    const auto type = headers.find("Content-Type").value_or("");
    if (!type.starts_with("application/json")) return false;  // it is not called again
    return OutputTransform::transform_first_chunk(status, headers, chunk, finishing);
  }
  void transform_chunk(std::string& chunk, bool finishing) override {
    if (finishing) chunk += '\n';
  }
};
// [/transform]

web::Application make_app() {
  web::Application app;
  app.set_state(std::make_shared<Orders>());
  // [use]
  app.use(web::request_id())
      .use("/orders", web::cors({.origins = {"https://shop.example.com"}}))
      .use("/orders", web::rate_limit({.tokens = 100, .span = 1s}))
      .use("/orders", web::time_limit(5s));
  // [/use]
  // [own]
  app.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
    const coronado::TimePoint begin = coronado::Clock::now();
    co_await next(exchange);
    if (coronado::Clock::now() - begin > 1s) {
      coronado::app_log().warning("slow: " + std::string(exchange.request().path()));
    }
  });
  // [/own]
  app.use("/orders", web::output_transform<NewLine>());
  // [routes]
  app.post("/orders", take, {.docs = {.summary = "Takes an order", .tags = {"Orders"}}});
  app.get("/orders", list, {.docs = {.summary = "Lists orders", .tags = {"Orders"}}});
  app.get("/orders/{id:int}", find,
          {.docs = {.summary = "Finds an order",
                    .tags = {"Orders"},
                    .responses = {{404, "No such order"}}}});
  app.del("/orders/{id:int}", cancel,
          {.docs = {.summary = "Cancels an order",
                    .tags = {"Clerks"},
                    .responses = {{404, "No such order"}}},
           .middleware = {web::basic_auth("clerks", check_clerk)}});
  web::add_openapi(app, {.title = "Orders",
                         .version = "1.0",
                         .description = "An example: it forgets all when it ends."});
  // [/routes]
  return app;
}

}  // namespace

int main(int argc, char** argv) { return web::serve(argc, argv, make_app); }
