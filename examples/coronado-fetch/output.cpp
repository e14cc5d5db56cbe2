#include "output.hpp"

#include <cerrno>
#include <cstring>

using coronado::Clock;

namespace {

[[noreturn]] void fail(const std::string& path) {
  throw OutputError("cannot write " + (path.empty() ? "the output" : path) + ": " +
                    std::strerror(errno));
}

// "12.3 MB"
std::string describe_size(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

}  // namespace

Output::Output(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
  file_ = path_.empty() ? stdout : std::fopen(part_.c_str(), "wb");
  if (file_ == nullptr) fail(path_);
}

Output::~Output() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  std::remove(part_.c_str());
}

void Output::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail(path_);
  if (file_ == stdout && std::fflush(stdout) != 0) fail(path_);
}

void Output::finish() {
  if (file_ == stdout) {
    if (std::fflush(stdout) != 0) fail(path_);
    return;
  }
  const bool written = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!written || std::rename(part_.c_str(), path_.c_str()) != 0) fail(path_);
}

Progress::Progress(bool on, std::optional<std::uint64_t> total)
    : on_(on), total_(total), begin_(Clock::now()), shown_(begin_) {}

Progress::~Progress() {
  if (!on_ || done_ == 0) return;
  show();
  std::fputc('\n', stderr);
}

void Progress::add(std::uint64_t bytes) {
  done_ += bytes;
  if (!on_ || Clock::now() - shown_ < std::chrono::milliseconds(100)) return;
  show();
  shown_ = Clock::now();
}

void Progress::show() const {
  const std::chrono::duration<double> took = Clock::now() - begin_;
  std::string text = describe_size(static_cast<double>(done_));
  if (total_ && *total_ != 0) {
    text += " of " + describe_size(static_cast<double>(*total_)) + " (" +
            std::to_string(done_ * 100 / *total_) + " %)";
  }
  text += ", " + describe_size(static_cast<double>(done_) / took.count()) + "/s";
  std::fprintf(stderr, "\r%-60s", text.c_str());
}
