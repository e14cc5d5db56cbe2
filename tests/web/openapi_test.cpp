#include <coronado/web/openapi.hpp>

#include <coronado/base/describe.hpp>
#include <coronado/testing/temp_folder.hpp>
#include <coronado/web/form.hpp>
#include <coronado/web/json.hpp>
#include <coronado/web/locale.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Item {
  std::string name;
  int price = 0;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, price))
void describe_rules(web::Rules<Item>& rules) {
  rules.field(&Item::price).at_least(1).says("The price");
}

struct Page : web::RequestHandler {
  Task<> get() override { co_return; }
};

void add_routes(web::Application& app) {
  app.get(
      "/items/{id:int}",
      [](long, web::Query<"lang", std::optional<std::string>>, web::Header<"X-Key">) -> Task<Item> {
        co_return Item{};
      },
      {.docs = {
           .summary = "Finds an item", .tags = {"items"}, .responses = {{404, "no such item"}}}});
  app.post("/items", [](web::JsonBody<Item> item) { return std::vector<Item>{*item}; });
  app.put("/items/{name}", [](std::string, web::Form<Item>) {}, {.docs = {.deprecated = true}});
  app.get("/tags",
          [](web::Query<"tag", std::vector<int>>, web::Cookie<"session">) { return "text"; });
  app.get("/internal", [] {}, {.docs = {.hidden = true}});
  app.get(re("/old/([0-9]+)"), [](int) {});
  app.add<Page>("/page");
  app.add<Page>("/told/{x:uuid}", web::RouteOptions{.docs = {.summary = "A class"}});
}

TEST(OpenAPI, SaysWhatTheDeclarationsSay) {
  web::Application app;
  add_routes(app);
  const Json document = web::openapi_document(
      app, {.title = "Shop", .version = "2", .servers = {"https://api.example.com"}});
  EXPECT_EQ(document["openapi"], Json("3.1.0"));
  EXPECT_EQ(json_encode(document["info"]), R"({"title":"Shop","version":"2"})");
  EXPECT_EQ(document["servers"][0]["url"], Json("https://api.example.com"));
  std::vector<std::string> paths;
  for (const auto& [path, operations] : document["paths"].as_object()) paths.push_back(path);
  EXPECT_EQ(paths, (std::vector<std::string>{"/items/{id}", "/items", "/items/{name}", "/tags",
                                             "/told/{x}"}));

  const Json& find = document["paths"]["/items/{id}"]["get"];
  EXPECT_EQ(find["summary"], Json("Finds an item"));
  EXPECT_EQ(
      json_encode(find["parameters"]),
      R"([{"name":"id","in":"path","required":true,"schema":{"type":"integer","format":"int64"}},)"
      R"({"name":"lang","in":"query","required":false,"schema":{"type":"string"}},)"
      R"({"name":"X-Key","in":"header","required":true,"schema":{"type":"string"}}])");
  EXPECT_EQ(json_encode(find["responses"]["200"]),
            R"({"description":"OK","content":{"application/json":)"
            R"({"schema":{"$ref":"#/components/schemas/Item"}}}})");
}

TEST(OpenAPI, BodiesFormsAndResults) {
  web::Application app;
  add_routes(app);
  const Json document = web::openapi_document(app);
  const Json& paths = document["paths"];
  EXPECT_EQ(paths["/items"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"],
            Json("#/components/schemas/Item"));
  EXPECT_EQ(
      paths["/items"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]["type"],
      Json("array"));
  EXPECT_TRUE(paths["/items"]["post"]["responses"].contains("422"));
  const Json& put = paths["/items/{name}"]["put"];
  EXPECT_TRUE(put["requestBody"]["content"].contains("application/x-www-form-urlencoded"));
  EXPECT_TRUE(put["responses"].contains("204"));
  EXPECT_EQ(put["deprecated"], Json(true));
  EXPECT_EQ(put["operationId"], Json("put_items_name"));
  const Json& tags = paths["/tags"]["get"]["parameters"];
  EXPECT_EQ(json_encode(tags[0]["schema"]),
            R"({"type":"array","items":{"type":"integer","format":"int32"}})");
  EXPECT_EQ(tags[0]["required"], Json(false));
  EXPECT_EQ(tags[1]["in"], Json("cookie"));
  EXPECT_EQ(paths["/told/{x}"]["get"]["parameters"][0]["schema"]["format"], Json("uuid"));
  EXPECT_EQ(document["components"]["schemas"]["Item"]["properties"]["price"]["minimum"], Json(1));
  EXPECT_TRUE(document["components"]["schemas"].contains("Problem"));
}

TEST(OpenAPI, IsServedWithItsPage) {
  WebBench bench;
  web::Application app;
  web::add_openapi(app, {.title = "Shop <1>", .page_path = "/help"});
  add_routes(app);             // after it: they are in the document all the same
  bench.app = std::move(app);  // as when a function returns it
  const RawResponse document = bench.get("/openapi.json");
  EXPECT_EQ(document.field("Content-Type"), "application/json");
  EXPECT_EQ(json_decode(document.body), web::openapi_document(bench.app, {.title = "Shop <1>"}));
  bench.app.get("/later", [] { return "later"; });  // the text that is kept is made anew
  EXPECT_TRUE(json_decode(bench.get("/openapi.json").body)["paths"].contains("/later"));
  const RawResponse page = bench.get("/help");
  EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("<h1>Shop &lt;1&gt;</h1>"), std::string::npos);
  EXPECT_EQ(bench.get("/help/docs.js").field("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(bench.get("/help/docs.css").status, 200);
  EXPECT_EQ(bench.get("/help/docs.svg").field("Content-Type"), "image/svg+xml");
  EXPECT_EQ(bench.get("/docs").status, 404);
}

TEST(OpenAPI, InTheLanguageThatIsAskedFor) {
  TempFolder folder;
  folder.write("de_AT.csv",
               "Shop,Laden\nVersion,Fassung\nParameters,Parameter\nFinds an item,Findet etwas\n"
               "items,Dinge\nno such item,nichts dergleichen\nItem,Ding\nThe price,Der Preis\n");
  auto locales = std::make_shared<web::Locales>("en");
  locales->load_csv(folder.path());
  WebBench bench;
  bench.app.set_locales(locales);
  add_routes(bench.app);
  web::add_openapi(bench.app, {.title = "Shop"});
  web::add_openapi(bench.app, {.title = "Shop",
                               .document_path = "/openapi.de.json",
                               .page_path = "/hilfe",
                               .language = "de_AT"});
  web::add_openapi(bench.app, {.title = "Shop", .page_path = "/aide", .language = "fr"});

  const std::string english = bench.get("/docs").body;
  EXPECT_NE(english.find("<html lang=\"en\">"), std::string::npos);
  EXPECT_NE(english.find("<h1>Shop</h1>"), std::string::npos);
  EXPECT_NE(english.find("data-words=\"{}\""), std::string::npos);
  const std::string german = bench.get("/hilfe").body;
  EXPECT_NE(german.find("<html lang=\"de-AT\">"), std::string::npos);
  EXPECT_NE(german.find("<h1>Laden</h1>"), std::string::npos);
  EXPECT_NE(german.find("Fassung 1"), std::string::npos);
  EXPECT_NE(german.find("data-words=\"{&quot;Parameters&quot;:&quot;Parameter&quot;}\""),
            std::string::npos)
      << german;
  const std::string french = bench.get("/aide").body;  // there is no catalogue of it
  EXPECT_NE(french.find("<html lang=\"fr\">"), std::string::npos);
  EXPECT_NE(french.find("<h1>Shop</h1>"), std::string::npos);

  const Json document = json_decode(bench.get("/openapi.de.json").body);
  EXPECT_EQ(document["info"]["title"], Json("Laden"));
  const Json& find = document["paths"]["/items/{id}"]["get"];
  EXPECT_EQ(find["summary"], Json("Findet etwas"));
  EXPECT_EQ(find["tags"], Json::array({"Dinge"}));
  EXPECT_EQ(find["responses"]["404"]["description"], Json("nichts dergleichen"));
  const Json& item = document["components"]["schemas"]["Item"];  // names stay
  EXPECT_EQ(item["properties"]["price"]["description"], Json("Der Preis"));
  EXPECT_EQ(json_decode(bench.get("/openapi.json").body)["info"]["title"], Json("Shop"));
}

}  // namespace
}  // namespace coronado::web_test
