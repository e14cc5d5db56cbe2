// A site with users: registration and login by password, a session, forms with XSRF tokens.
#include <coronado/auth.hpp>
#include <coronado/base/crypto.hpp>
#include <coronado/web.hpp>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace web = coronado::web;
using coronado::Json;
using coronado::Task;

namespace {

/// Names and password hashes, for all workers. A real site has a database.
class Users {
 public:
  std::optional<std::string> hash_of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = hashes_.find(name);
    return found == hashes_.end() ? std::nullopt : std::optional(found->second);
  }
  /// False: the name is taken.
  bool add(std::string name, std::string hash) {
    const std::lock_guard lock(mutex_);
    return hashes_.emplace(std::move(name), std::move(hash)).second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> hashes_;
};

// [templates]
std::shared_ptr<web::BaseLoader> make_loader() {
  return std::make_shared<web::DictLoader>(web::TemplateTexts{
      {"home.html",
       "<!DOCTYPE html><title>Home</title><p>Hello, {{ current_user }}.\n"
       "<form action=/logout method=post>{% module xsrf_form_html() %}<button>Log "
       "out</button></form>"},
      {"login.html",
       "<!DOCTYPE html><title>Log in</title><p>{{ message }}\n"
       "<form method=post>{% module xsrf_form_html() %}\n"
       "<input type=hidden name=next value=\"{{ next }}\">\n"
       "<label>Name <input name=name autocomplete=username></label>\n"
       "<label>Password <input name=password type=password autocomplete=current-password></label>\n"
       "<button>Log in</button><button formaction=/register>Register</button></form>"}});
}
// [/templates]

// [base]
struct Page : web::RequestHandler {
  explicit Page(std::shared_ptr<Users> users) : users_(std::move(users)) {}

  Task<> prepare() override { return load_session(); }
  Json get_current_user() override { return session().get("user"); }

  Users& users() { return *users_; }

 private:
  std::shared_ptr<Users> users_;
};
// [/base]

struct Home : Page {
  using Page::Page;
  Task<> get() override {
    render("home.html");
    co_return;
  }
};

// [login]
struct Login : Page {
  using Page::Page;
  Task<> get() override {
    show("");
    co_return;
  }

  Task<> post() override {
    const std::string name = get_body_argument("name");
    // Without a user this takes as long: nobody learns who is registered.
    const std::optional<std::string> hash = users().hash_of(name);
    if (!co_await web::verify_password(get_body_argument("password"), hash)) {
      set_status(403);
      co_return show("This name and password do not belong together.");
    }
    session().renew();  // an id that was planted before the login is worth nothing now
    session().set("user", name);
    redirect(get_next_url());
  }

 protected:
  void show(const std::string& message) {
    render("login.html", {{"message", message}, {"next", get_next_url()}});
  }
};
// [/login]

struct Register : Login {
  using Login::Login;
  Task<> post() override {
    const std::string name = get_body_argument("name");
    const std::string password = get_body_argument("password");
    if (name.empty() || password.size() < 12) {
      set_status(400);
      co_return show("A name, and a password of twelve characters or more.");
    }
    std::string hash = co_await web::hash_password(password);
    if (!users().add(name, std::move(hash))) {
      set_status(409);
      co_return show("This name is taken.");
    }
    session().renew();
    session().set("user", name);
    redirect(get_next_url());
  }
};

// [logout]
struct Logout : Page {
  using Page::Page;
  Task<> post() override {
    session().destroy();
    redirect("/login");
    co_return;
  }
};
// [/logout]

}  // namespace

int main(int argc, char** argv) {
  // [settings]
  // In the environment, so that it is neither in the source nor new with each start.
  const char* given = std::getenv("COOKIE_SECRET");
  const std::string secret = given != nullptr ? given : coronado::random_token();
  // Made before the workers, which share it.
  auto store = std::make_shared<web::MemorySessionStore>();
  // [/settings]
  auto users = std::make_shared<Users>();
  return web::serve(argc, argv, [&] {
    // [routes]
    web::Application app;
    app.set_security({.cookie_secret = secret, .login_url = "/login", .xsrf_cookies = true});
    app.use(web::security_headers());
    app.use(web::sessions(store));
    app.set_template_loader(make_loader());
    app.add<web::Authenticated<Home>>("/", users);
    app.add<Login>("/login", users);
    app.add<Register>("/register", users);
    app.add<Logout>("/logout", users);
    // [/routes]
    return app;
  });
}
