// What the tour reads of its own source: the code that its pages show, the texts of its scripts.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tour {

// The lines between `// [name]` and `// [/name]` of every .cpp file in `folder`, and of hello.cpp
// beside it, as HTML, by "file.cpp:name".
// Throws  std::runtime_error  A region does not end.
std::map<std::string, std::string, std::less<>> read_listings(const std::string& folder);

// What the scripts in `folder` hand to `t("...")` and `tn("one", "many", ...)`.
std::vector<std::string> texts_of_scripts(const std::string& folder);

}  // namespace tour
