/// Command-line options of a program.
///
///     OptionParser   declares options, reads argv, prints help
///
///     std::string root = ".";
///     OptionParser parser("Serves files.");
///     parser.define("--root", root, "Folder to serve");
///     if (std::optional<int> code = parser.parse(argc, argv)) return *code;
///
/// Layer: ops.   Tornado  `tornado.options`.
#pragma once

#include <coronado/base/clock.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coronado {

/// Declares options and reads them.
/// Lifetime  The variables given to `define` must outlive `parse`; they hold the defaults before.
class OptionParser {
 public:
  explicit OptionParser(std::string description);
  ~OptionParser();
  OptionParser(const OptionParser&) = delete;
  OptionParser& operator=(const OptionParser&) = delete;

  /// Params   name   With its dashes, "--port". A name without dashes is positional.
  ///          value  Filled by `parse`; its present value is the default, shown in the help.
  ///          help   One sentence.
  void define(const std::string& name, std::string& value, const std::string& help);
  /// May be given several times; each adds one.
  void define(const std::string& name, std::vector<std::string>& values, const std::string& help);
  void define(const std::string& name, bool& value, const std::string& help);
  void define(const std::string& name, std::uint16_t& value, const std::string& help);
  void define(const std::string& name, std::uint32_t& value, const std::string& help);
  void define(const std::string& name, std::uint64_t& value, const std::string& help);
  /// "250ms", "15s", "2m", "1h"; a bare number is seconds.
  void define(const std::string& name, Duration& value, const std::string& help);
  /// One of `choices`.
  void define(const std::string& name, std::string& value, std::vector<std::string> choices,
              const std::string& help);

  /// Reads the command line.
  /// Returns  The exit code when the program is to end now (0 after `--help`, 2 after a wrong
  /// option,
  ///          which has been named in one line on stderr); nothing when it may go on.
  std::optional<int> parse(int argc, const char* const* argv);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "250ms", "15s", "2m", "1h", or seconds.   Throws  UsageError  Anything else, by name.
Duration parse_duration(const std::string& text);

}  // namespace coronado
