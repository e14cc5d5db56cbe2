#include "loop/symbolize.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace coronado {
namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostLines = 24;

/// A file in memory, to read.
class MappedFile {
 public:
  explicit MappedFile(const char* path) noexcept {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status{};
    if (::fstat(file, &status) == 0 && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      void* place = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
      if (place != MAP_FAILED) begin_ = static_cast<const std::byte*>(place);
    }
    ::close(file);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (begin_ != nullptr) ::munmap(const_cast<std::byte*>(begin_), size_);
  }

  /// `count` elements at `offset`, or none when they are not all in the file.
  template <class T>
  std::span<const T> at(std::size_t offset, std::size_t count) const noexcept {
    if (begin_ == nullptr || offset > size_ || count > (size_ - offset) / sizeof(T)) return {};
    if (offset % alignof(T) != 0) return {};
    return {reinterpret_cast<const T*>(begin_ + offset), count};
  }

 private:
  const std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// The mangled name, in the symbol table of an ELF file, of the function around `address`, which
/// is counted as the file counts. Empty: none.
std::string find_in_symbol_table(const MappedFile& file, std::uintptr_t address) {
  const auto header = file.at<ElfW(Ehdr)>(0, 1);
  if (header.empty() || std::string_view(reinterpret_cast<const char*>(header[0].e_ident), 4) !=
                            std::string_view(ELFMAG, 4)) {
    return {};
  }
  const auto sections = file.at<ElfW(Shdr)>(header[0].e_shoff, header[0].e_shnum);
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const ElfW(Shdr)& names = sections[section.sh_link];
    const auto text = file.at<char>(names.sh_offset, names.sh_size);
    const auto symbols = file.at<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)));
    for (const ElfW(Sym) & symbol : symbols) {
      const bool function = (symbol.st_info & 0xf) == STT_FUNC;
      if (!function || address < symbol.st_value || address - symbol.st_value >= symbol.st_size) {
        continue;
      }
      if (symbol.st_name >= text.size()) return {};
      const auto rest = text.subspan(symbol.st_name);
      const std::string_view name(rest.data(), rest.size());
      return std::string(name.substr(0, name.find('\0')));
    }
  }
  return {};
}

bool loads_at_fixed_place(const MappedFile& file) {
  const auto header = file.at<ElfW(Ehdr)>(0, 1);
  return !header.empty() && header[0].e_type == ET_EXEC;
}

/// The file that the linker calls so. The program itself is called as it was started, perhaps
/// relative to a folder that is no longer this one.
const char* path_of(const char* name) {
  return ::access(name, R_OK) == 0 ? name : "/proc/self/exe";
}

std::string demangle(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  std::string readable = status == 0 ? text.get() : name;
  if (readable.size() > kLongestName) readable.replace(kLongestName, std::string::npos, "...");
  return readable;
}

std::string hexadecimal(std::uintptr_t number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + digits;
}

/// Names the addresses of one stack, and maps a file once for those that follow each other in it.
class Symbolizer {
 public:
  std::string name(const void* address) {
    const auto number = reinterpret_cast<std::uintptr_t>(address);
    Dl_info info{};
    if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return hexadecimal(number);
    if (base_ != info.dli_fbase) {
      file_ = std::make_unique<MappedFile>(path_of(info.dli_fname));
      base_ = info.dli_fbase;
    }
    const std::uintptr_t base =
        loads_at_fixed_place(*file_) ? 0 : reinterpret_cast<std::uintptr_t>(base_);
    const std::string symbol = info.dli_sname != nullptr
                                   ? std::string(info.dli_sname)
                                   : find_in_symbol_table(*file_, number - base);
    const std::string_view path(info.dli_fname);
    const std::string place =
        std::string(path.substr(path.rfind('/') + 1)) + "+" + hexadecimal(number - base);
    return symbol.empty() ? place : demangle(symbol) + " (" + place + ")";
  }

 private:
  const void* base_ = nullptr;
  std::unique_ptr<MappedFile> file_;
};

}  // namespace

std::string symbolize(const void* address) { return Symbolizer().name(address); }

std::string symbolize_stack(std::span<const void* const> stack) {
  std::string text;
  std::size_t lines = 0;
  Symbolizer symbolizer;
  for (const void* address : stack) {
    if (lines == kMostLines) break;
    const std::string line = symbolizer.name(address);
    // What called the task is the same for all of them.
    const bool below =
        line.starts_with("coronado::Executor::") || line.starts_with("coronado::IOLoop::");
    if (below) break;
    text += "\n    #" + std::to_string(lines++) + ' ' + line;
  }
  return text;
}

}  // namespace coronado
