// Where coronado-fetch writes to.
#pragma once

#include <coronado/base/clock.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// The output cannot be written.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The standard output, or a file that has its name only once it is whole: until then it is
// "NAME.part", which is removed when the response broke off.
class Output {
 public:
  // Throws  OutputError
  explicit Output(std::string path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Throws  OutputError
  void write(std::string_view bytes);
  // All has come.   Throws  OutputError
  void finish();

 private:
  std::string path_;
  std::string part_;
  std::FILE* file_ = nullptr;
};

// How far it is, on a line of the terminal that is written over.
class Progress {
 public:
  // Params  on  False: it says nothing.
  Progress(bool on, std::optional<std::uint64_t> total);
  ~Progress();
  void add(std::uint64_t bytes);

 private:
  void show() const;

  bool on_;
  std::optional<std::uint64_t> total_;
  std::uint64_t done_ = 0;
  coronado::TimePoint begin_;
  coronado::TimePoint shown_;
};
