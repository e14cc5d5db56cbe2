// The same work with processes, threads and coroutines: wait for an answer a number of times, at the
// same time, and add up what came. Prints what each way costs.
//
//     seed [how many]
#include <coronado/web.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using coronado::Task;

namespace {

constexpr auto kAnswerTime = 50ms;  // what a database or another server takes

int question(int number) { return number % 7; }

// [process]
/// One process for each: nothing is shared, so the answers come through a pipe.
long with_processes(int count) {
  int pipe[2];
  if (::pipe(pipe) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::this_thread::sleep_for(kAnswerTime);
      const int answer = question(i);
      ::_exit(::write(pipe[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    if (child < 0) break;  // the system has no more
    children.push_back(child);
  }
  ::close(pipe[1]);
  long sum = 0;
  for (int answer = 0; ::read(pipe[0], &answer, sizeof answer) == sizeof answer;) sum += answer;
  ::close(pipe[0]);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  if (children.size() < static_cast<std::size_t>(count)) {
    throw std::system_error(EAGAIN, std::generic_category(), "fork");
  }
  return sum;
}
// [/process]

// [thread]
/// One thread for each: everything is shared, so each has a place of its own for its answer.
long with_threads(int count) {
  std::vector<int> answers(static_cast<std::size_t>(count));
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([i, &answers] {
      std::this_thread::sleep_for(kAnswerTime);
      answers[static_cast<std::size_t>(i)] = question(i);
    });
  }
  threads.clear();  // joins them
  return std::accumulate(answers.begin(), answers.end(), 0L);
}
// [/thread]

// [coroutine]
/// One coroutine for each: they share one thread and take turns, so there is nothing to guard.
Task<> ask(int number, long* sum) {
  co_await coronado::sleep(kAnswerTime);
  *sum += question(number);
}

long with_coroutines(int count) {
  coronado::IOLoop loop;
  long sum = 0;
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(ask(i, &sum));
  loop.run_sync(coronado::as_task(coronado::multi(std::move(tasks))));
  return sum;
}
// [/coroutine]

void measure(const char* what, int count, long (*run)(int)) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    const long sum = run(count);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    const auto over = took - std::chrono::duration<double, std::milli>(kAnswerTime);
    std::printf("%-11s %8.1f ms  %7.2f us each beyond the wait  sum %ld\n", what, took.count(),
                1000 * over.count() / count, sum);
  } catch (const std::system_error& error) {
    std::printf("%-11s cannot: %s\n", what, error.what());
  }
  std::fflush(stdout);  // or each child of the next one prints it again
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 500;
  if (count < 1) {
    std::fprintf(stderr, "usage: %s [how many]\n", argv[0]);
    return 2;
  }
  std::printf("%d answers of %d ms each, all waited for at the same time\n", count,
              static_cast<int>(kAnswerTime.count()));
  std::fflush(stdout);
  measure("processes", count, with_processes);
  measure("threads", count, with_threads);
  measure("coroutines", count, with_coroutines);
  return 0;
}
