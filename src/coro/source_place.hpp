/// How a place in a source file is put in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coronado::detail {

/// The file without its folders.
std::string_view base_name(std::string_view path);

/// "branch()" of "Task<> (anonymous namespace)::branch(int, long)", and "lambda in main()" of a
/// lambda there.
std::string short_function(std::string_view function);

/// Appends "tour.cpp:40".
void append_line(std::string& out, std::string_view file, std::uint32_t line);

/// Appends "tour.cpp:40 branch()".
void append_place(std::string& out, std::string_view file, std::uint32_t line,
                  std::string_view function);

}  // namespace coronado::detail
