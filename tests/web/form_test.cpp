#include <coronado/web/form.hpp>

#include <coronado/base/describe.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

struct Profile {
  std::string name;
  std::optional<int> age;
  bool newsletter = false;
  std::vector<std::string> topics;
  std::optional<HTTPFile> picture;
};
BOOST_DESCRIBE_STRUCT(Profile, (), (name, age, newsletter, topics, picture))
void describe_rules(web::Rules<Profile>& rules) { rules.field(&Profile::name).length(2, 10); }

struct Upload {
  HTTPFile file;
  std::vector<HTTPFile> more;
};
BOOST_DESCRIBE_STRUCT(Upload, (), (file, more))

struct FormBench : WebBench {
  FormBench() {
    app.post("/profile", [](web::Form<Profile> form) {
      std::string text = form->name + ' ' + (form->age ? std::to_string(*form->age) : "-");
      text += form->newsletter ? " yes" : " no";
      for (const std::string& topic : form->topics) text += ' ' + topic;
      if (form->picture) text += ' ' + form->picture->filename + '=' + form->picture->body;
      return text;
    });
    app.post("/upload", [](web::Form<Upload> form) {
      return form->file.filename + ' ' + std::to_string(form->more.size());
    });
  }
  RawResponse post_multipart(std::string_view target, std::string_view parts) {
    return request("POST", target, "Content-Type: multipart/form-data; boundary=B\r\n",
                   std::string(parts) + "--B--\r\n");
  }
};

std::string part(std::string_view name, std::string_view value, std::string_view filename = "") {
  std::string text = "--B\r\nContent-Disposition: form-data; name=\"" + std::string(name) + '"';
  if (!filename.empty()) text += "; filename=\"" + std::string(filename) + '"';
  return text + "\r\n\r\n" + std::string(value) + "\r\n";
}

TEST(Form, FieldsOfEveryKind) {
  FormBench bench;
  EXPECT_EQ(bench.post_form("/profile", "name=Ada&age=36&newsletter=on&topics=a&topics=b").body,
            "Ada 36 yes a b");
  EXPECT_EQ(bench.post_form("/profile", "name=Ada&age=").body, "Ada - no");  // an empty box
  EXPECT_EQ(
      bench.post_multipart("/profile", part("name", "Ada") + part("picture", "PNG", "a.png")).body,
      "Ada - no a.png=PNG");
  EXPECT_EQ(bench
                .post_multipart("/upload", part("file", "x", "x.txt") + part("more", "1", "1") +
                                               part("more", "2", "2"))
                .body,
            "x.txt 2");
}

TEST(Form, EveryFieldThatIsWrongIsNamed) {
  FormBench bench;
  const RawResponse response = bench.post_form("/profile", "age=old&newsletter=perhaps");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Unprocessable Content","status":422,"errors":[)"
            R"({"field":"name","message":"missing"},)"
            R"({"field":"age","message":"expected an integer, got \"old\""},)"
            R"({"field":"newsletter","message":"expected true or false, got \"perhaps\""}]})");
  // A field that cannot be read does not hide one that breaks a rule, nor is a rule asked of it.
  const RawResponse both = bench.post_form("/profile", "age=old&name=A");
  EXPECT_EQ(both.status, 422);
  EXPECT_TRUE(
      both.body.ends_with(R"("errors":[)"
                          R"({"field":"age","message":"expected an integer, got \"old\""},)"
                          R"({"field":"name","message":"must have at least 2 characters"}]})"))
      << both.body;
  EXPECT_EQ(bench.post_form("/profile", "name=A").status, 422);
  EXPECT_EQ(bench.log.count("name: must have at least 2 characters"), 2U);
  EXPECT_EQ(bench.post_multipart("/upload", part("more", "1", "1")).status, 422);
  EXPECT_EQ(bench.log.count("file: missing"), 1U);
}

TEST(Form, AnythingElseIsRefused) {
  FormBench bench;
  EXPECT_EQ(bench.request("POST", "/profile", "Content-Type: application/json\r\n", "{}").status,
            415);
  EXPECT_EQ(bench.request("POST", "/profile", "", "name=Ada").status, 415);
  const RawResponse broken = bench.request(
      "POST", "/profile", "Content-Type: multipart/form-data; boundary=B\r\n", "--B\r\nbroken");
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.body.find(R"("message":"invalid multipart/form-data: )"), std::string::npos)
      << broken.body;
}

}  // namespace
}  // namespace coronado::web_test
