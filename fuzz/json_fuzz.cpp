// JSON text: what is decoded must encode to text that decodes to the same value, the reader must
// agree with itself whether it builds values or skips them, and typed decoding must never do more
// than throw.

#include <coronado/base/describe.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Record {
  std::int8_t small = 0;
  std::optional<std::string> text;
  std::vector<double> numbers;
  std::map<std::string, bool> flags;
  coronado::Json rest;
};
BOOST_DESCRIBE_STRUCT(Record, (), (small, text, numbers, flags, rest))

void require(bool holds) {
  if (!holds) std::abort();
}

bool skips(std::string_view text) {
  try {
    coronado::JsonReader reader(text);
    reader.skip();
    reader.finish();
    return true;
  } catch (const coronado::JsonError&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = coronado::try_json_decode(text);
  require(skips(text) == value.has_value());
  if (value) {
    const std::string encoded = coronado::json_encode(*value);
    require(coronado::json_decode(encoded) == *value);
    require(encoded.find("</") == std::string::npos);
  }

  const auto record = coronado::try_json_decode<Record>(text);
  if (record) {
    const std::string encoded = coronado::json_encode(*record);
    require(coronado::json_encode(coronado::json_decode<Record>(encoded)) == encoded);
  }

  // Any bytes can be written as a string, and read back as what they are or were repaired to.
  const std::string quoted = coronado::json_encode(text);
  require(coronado::json_decode<std::string>(quoted) == coronado::replace_invalid_utf8(text));
  return 0;
}
