/// Names for addresses of code.
#pragma once

#include <span>
#include <string>

namespace coronado {

/// The function that `address` lies in: "coronado::Lock::release() (chat+0x1f2c)". Without a name,
/// in a stripped program, the place alone, which `addr2line` understands. Reads the symbols of
/// the dynamic linker, then the symbol table of the file.
/// Cost  Maps the file: not for a hot path.
std::string symbolize(const void* address);

/// The names of a stack, a line each, down to where the loop called the task or callback:
///
///        #0 parse(std::string const&) (chat+0x1f2c)
std::string symbolize_stack(std::span<const void* const> stack);

}  // namespace coronado
