/// Python's Tornado, when it is installed: the tests that ask it whether it understands us.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace coronado::web_test {

/// What `code` prints when Debian's Python runs it, without the last newline. Empty if it fails.
inline std::string run_python(const std::string& code) {
  const std::string command = "/usr/bin/python3 -B - 2>&1 <<'END_OF_PYTHON'\n" +
                              ("import tornado.web, logging\n"
                               "logging.disable(logging.CRITICAL)\n" +
                               code) +
                              "\nEND_OF_PYTHON\n";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  char buffer[4096];
  for (std::size_t size = 0; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, size);
  }
  const bool fine = pclose(pipe) == 0;
  if (output.ends_with('\n')) output.pop_back();
  return fine ? output : std::string();
}

inline bool has_tornado() {
  static const bool found = run_python("print('yes')") == "yes";
  return found;
}

#define SKIP_WITHOUT_TORNADO() \
  if (!has_tornado()) GTEST_SKIP() << "python3-tornado is not installed"

}  // namespace coronado::web_test
