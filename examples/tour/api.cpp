// Typed handlers, and the OpenAPI document that is made of them.
#include <coronado/base/describe.hpp>

#include <pages/api.html.hpp>

#include "stops.hpp"

namespace tour {
namespace {

// [order]
struct Line {
  std::string item;
  int count = 1;
};
BOOST_DESCRIBE_STRUCT(Line, (), (item, count))
void describe_rules(web::Rules<Line>& rules) {
  rules.field(&Line::item).length(1, 40).says("What to send");
  rules.field(&Line::count).between(1, 100);
}

struct Order {
  std::string customer;
  std::vector<Line> lines;
};
BOOST_DESCRIBE_STRUCT(Order, (), (customer, lines))
void describe_rules(web::Rules<Order>& rules) {
  rules.field(&Order::customer).matches("[a-z0-9-]{1,20}");
  rules.field(&Order::lines).length(1, 10);
}

struct Receipt {
  std::string customer;
  int pieces = 0;
};
BOOST_DESCRIBE_STRUCT(Receipt, (), (customer, pieces))

Receipt take(web::JsonBody<Order> order) {
  Receipt receipt{.customer = order->customer};
  for (const Line& line : order->lines) receipt.pieces += line.count;
  return receipt;
}
// [/order]

// What the declarations above and below say, for the catalogues.
[[maybe_unused]] constexpr const char* kTexts[] = {
    marked("Coronado tour"),
    marked("Orders"),
    marked("Takes an order"),
    marked("What to send"),
};

}  // namespace

void add_api(web::Application& app, const SharedSite& site) {
  app.add<SimplePage<pages::api_html>>("/api", site);
  // [document]
  const web::OperationDocs docs{.summary = "Takes an order", .tags = {"Orders"}};
  app.post("/api/orders", take, {.docs = docs});
  for (const std::string& language : site->locales->supported()) {
    web::add_openapi(app, {.title = "Coronado tour",
                           .version = EXAMPLE_VERSION,
                           .document_path = "/openapi." + language + ".json",
                           .page_path = "/docs/" + language,
                           .language = language});
  }
  // [/document]
}

}  // namespace tour
