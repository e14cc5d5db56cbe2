// A tree of tasks that folds, and a request whose client goes away.
#include <coronado/base/describe.hpp>

#include <deque>
#include <pages/cancel.html.hpp>
#include <vector>

#include "process.hpp"
#include "stops.hpp"
#include "tree.hpp"

namespace tour {
namespace {

using coronado::Clock;
using coronado::Task;
using coronado::TimePoint;
using namespace std::chrono_literals;

constexpr std::size_t kMostVisits = 20;

struct Visit {
  std::uint64_t number = 0;
  bool cancelled = false;
  double ms = 0;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (number, cancelled, ms))

// How the last patient requests have ended.
class Visits {
 public:
  class Entry;

  std::uint64_t begin() { return ++count_; }
  void end(Visit visit) {
    ended_.push_back(visit);
    if (ended_.size() > kMostVisits) ended_.pop_front();
  }
  std::vector<Visit> ended() const { return {ended_.begin(), ended_.end()}; }

 private:
  std::deque<Visit> ended_;
  std::uint64_t count_ = 0;
};

// Writes down how the coroutine that it stands in has ended.
class Visits::Entry {
 public:
  explicit Entry(Visits& visits) : visits_(visits), number_(visits.begin()) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { visits_.end({number_, !finished_, milliseconds_between(begin_, Clock::now())}); }
  void finish() { finished_ = true; }

 private:
  Visits& visits_;
  std::uint64_t number_;
  TimePoint begin_ = Clock::now();
  bool finished_ = false;
};

// [patient]
Task<std::string> answer_patiently(std::shared_ptr<Visits> visits) {
  Visits::Entry entry(*visits);  // its destructor writes down how this ended
  co_await coronado::sleep(5s);  // the browser goes away: this throws Cancelled
  entry.finish();                // and this is not reached
  co_return "Thank you for waiting";
}
// [/patient]

void add_tree(web::Application& app) {
  auto tree = std::make_shared<Tree>();
  app.post("/api/tree/start", [tree](web::JsonBody<TreeShape> shape) -> Task<web::Response> {
    co_return web::json(co_await tree->start(*shape));
  });
  app.get("/api/tree", [tree] { return web::json(tree->now()); });
  app.del("/api/tree/{group:uint}", [tree](std::uint64_t group) {
    tree->cancel(group);
    return web::json({{"cancelled", group}});
  });
}

}  // namespace

void add_cancel(web::Application& app, const SharedSite& site) {
  app.add<SimplePage<pages::cancel_html>>("/cancel", site);
  add_tree(app);
  auto visits = std::make_shared<Visits>();
  app.get("/api/patient", [visits] { return answer_patiently(visits); });
  app.get("/api/patient/ended", [visits] { return visits->ended(); });
}

}  // namespace tour
