#include <coronado/ops/options.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>

namespace coronado {
namespace {

std::string format_duration(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s"
                                  : std::to_string(milliseconds) + "ms";
}

}  // namespace

Duration parse_duration(const std::string& text) {
  struct Unit {
    std::string_view suffix;
    double seconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1e-3}, {"us", 1e-6}, {"s", 1}, {"m", 60}, {"h", 3600}};
  std::string_view number = text;
  double scale = 1;
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    number.remove_suffix(unit.suffix.size());
    scale = unit.seconds;
    break;
  }
  const std::optional<double> value = parse_double(number);
  constexpr double kLongest = 100.0 * 365 * 24 * 3600;
  if (!value || *value < 0 || *value * scale > kLongest) {
    throw UsageError("not a duration: \"" + text + "\" (expected such as 250ms, 15s, 2m, 1h)");
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*value * scale));
}

struct OptionParser::State {
  explicit State(std::string description) : app(std::move(description)) {
    app.option_defaults()->always_capture_default();
  }
  CLI::App app;
};

OptionParser::OptionParser(std::string description)
    : state_(std::make_unique<State>(std::move(description))) {}
OptionParser::~OptionParser() = default;

void OptionParser::define(const std::string& name, std::string& value, const std::string& help) {
  state_->app.add_option(name, value, help);
}
void OptionParser::define(const std::string& name, std::vector<std::string>& values,
                          const std::string& help) {
  state_->app.add_option(name, values, help)->allow_extra_args(false);
}
void OptionParser::define(const std::string& name, bool& value, const std::string& help) {
  state_->app.add_flag(name, value, help);
}
void OptionParser::define(const std::string& name, std::uint16_t& value, const std::string& help) {
  state_->app.add_option(name, value, help);
}
void OptionParser::define(const std::string& name, std::uint32_t& value, const std::string& help) {
  state_->app.add_option(name, value, help);
}
void OptionParser::define(const std::string& name, std::uint64_t& value, const std::string& help) {
  state_->app
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            // CLI11 takes the largest number for one that is larger still.
            const std::optional<std::uint64_t> number = parse_int<std::uint64_t>(text);
            if (!number) throw CLI::ValidationError(name, "not a number: \"" + text + '"');
            value = *number;
          },
          help)
      ->default_str(std::to_string(value));
}

void OptionParser::define(const std::string& name, Duration& value, const std::string& help) {
  state_->app
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            try {
              value = parse_duration(text);
            } catch (const UsageError& error) {
              throw CLI::ValidationError(name, error.what());
            }
          },
          help)
      ->default_str(format_duration(value));
}

void OptionParser::define(const std::string& name, std::string& value,
                          std::vector<std::string> choices, const std::string& help) {
  state_->app.add_option(name, value, help)->check(CLI::IsMember(std::move(choices)));
}

std::optional<int> OptionParser::parse(int argc, const char* const* argv) {
  try {
    state_->app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(state_->app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}

}  // namespace coronado
