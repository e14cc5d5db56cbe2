// Sessions, and accounts with passwords.
#include <coronado/base/describe.hpp>

#include <ctime>
#include <map>
#include <mutex>
#include <pages/users.html.hpp>

#include "stops.hpp"

namespace tour {

using coronado::Json;
using coronado::Task;

// Names and hashes of passwords, as long as the process lives.
class Users {
 public:
  std::optional<std::string> hash_of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = hashes_.find(name);
    return found == hashes_.end() ? std::nullopt : std::optional(found->second);
  }
  // False: somebody was faster, or there are too many.
  bool add(const std::string& name, std::string hash) {
    const std::lock_guard lock(mutex_);
    return hashes_.size() < kMost && hashes_.emplace(name, std::move(hash)).second;
  }

 private:
  static constexpr std::size_t kMost = 1000;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> hashes_;
};

std::shared_ptr<Users> make_users() { return std::make_shared<Users>(); }

namespace {

constexpr const char* kTooShort = marked("A name, and a password of eight characters or more.");

struct UsersPage {
  Frame frame;
  std::string user = {};  // empty: nobody has logged in
  std::string name = {};  // as it was typed
  std::string message = {};
  std::int64_t visits = 0;
  std::int64_t since = 0;
};
BOOST_DESCRIBE_STRUCT(UsersPage, (), (frame, user, name, message, visits, since))

class UsersStop final : public Page {
 public:
  UsersStop(SharedSite site, std::shared_ptr<Users> users)
      : Page(std::move(site)), users_(std::move(users)) {}

  // [session]
  Task<> get() override {
    const std::int64_t visits = session().get("visits", 0).as_int() + 1;
    session().set("visits", visits);
    show("");
    co_return;
  }
  // [/session]

  // [login]
  Task<> post() override {
    const std::string name = get_body_argument("name", "");
    const std::string password = get_body_argument("password", "");
    const std::optional<std::string> hash = users_->hash_of(name);
    if (!hash && (name.empty() || password.size() < 8)) {
      set_status(422);
      co_return show(locale().translate(kTooShort));
    }
    bool known = false;
    if (hash) {
      known = co_await web::verify_password(password, hash);
    } else {
      std::string made = co_await web::hash_password(password);
      known = users_->add(name, std::move(made));
    }
    if (!known) {
      set_status(403);
      co_return show(locale().translate("This name belongs to another password."));
    }
    session().renew();  // an id that was planted before the login is worth nothing now
    session().set("user", name);
    session().set("since", static_cast<std::int64_t>(std::time(nullptr)));
    redirect("/users");
  }
  // [/login]

 private:
  void show(std::string message) {
    UsersPage page{.frame = frame(),
                   .name = get_body_argument("name", ""),
                   .message = std::move(message),
                   .visits = session().get("visits", 0).as_int(),
                   .since = session().get("since", 0).as_int()};
    if (const Json* user = session().find("user")) page.user = user->as_string();
    web::render(*this, pages::users_html, page);
  }

  std::shared_ptr<Users> users_;
};

class Logout final : public Page {
 public:
  using Page::Page;
  Task<> post() override {
    session().destroy();
    redirect("/users");
    co_return;
  }
};

}  // namespace

void add_users(web::Application& app, const SharedSite& site, const std::shared_ptr<Users>& users) {
  app.add<UsersStop>("/users", site, users);
  app.add<Logout>("/users/logout", site);
}

}  // namespace tour
