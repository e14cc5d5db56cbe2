// The playground: a template and its context from the page, rendered at once.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tour {

struct PlaygroundWanted {
  std::string text;
  std::string context;  // JSON, as it was typed
};
BOOST_DESCRIBE_STRUCT(PlaygroundWanted, (), (text, context))

struct PlaygroundProblem {
  std::string where;  // "template" or "context"
  std::string message;
  std::uint64_t line = 0;
  std::uint64_t column = 0;
};
BOOST_DESCRIBE_STRUCT(PlaygroundProblem, (), (where, message, line, column))

struct PlaygroundResult {
  std::string output;
  std::optional<PlaygroundProblem> error;
  std::vector<PlaygroundProblem> warnings;
  double microseconds = 0;
};
BOOST_DESCRIBE_STRUCT(PlaygroundResult, (), (output, error, warnings, microseconds))

PlaygroundResult render_playground(const PlaygroundWanted& wanted);

}  // namespace tour
