#include "web/static_loader.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/loop/file.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "web/content_types.hpp"
#include "web/static_path.hpp"

namespace coronado::web {
namespace {

/// Larger files are not read for their version.
constexpr std::uint64_t kMostHashed = 1024 * 1024;
/// The clock of a file system may stand still for so long, and a change leave no trace.
constexpr std::int64_t kYoungSeconds = 2;
/// Of the hexadecimal digits of a SHA-512: 128 bits tell contents apart.
constexpr std::size_t kVersionDigits = 32;

std::string_view extension_of(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::kBrotli: return ".br";
    case ContentCoding::kZstd: return ".zst";
    case ContentCoding::kGzip: return ".gz";
    case ContentCoding::kDeflate: break;
  }
  return ".deflate";
}

[[noreturn]] void throw_unreachable(const std::string& path, int error) {
  const std::string why = path + ": " + std::system_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENXIO: throw HTTPError(404, why);
    case EXDEV:
    case ELOOP: throw HTTPError(403, path + " leads out of its folder by a symbolic link");
    case EACCES:
    case EPERM: throw HTTPError(403, why);
    default: throw HTTPError(500, "a static file cannot be opened: " + why);
  }
}

FileStamp stamp_of(const struct stat& status) noexcept {
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {.device = static_cast<std::int64_t>(status.st_dev),
          .inode = static_cast<std::int64_t>(status.st_ino),
          .size = status.st_size,
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim)};
}

/// A file that was opened and looked at.
struct Opened {
  std::shared_ptr<const OpenFile> file;
  struct stat status{};
};

/// Returns  An error of the system; 0: it is open.
int open_file(const std::string& root, const StaticFileOptions& options, const std::string& path,
              Opened& opened) {
  const int fd = open_below(root, path, options.symlinks);
  if (fd < 0) return -fd;
  opened.file = std::make_shared<const OpenFile>(fd);
  return ::fstat(fd, &opened.status) == 0 ? 0 : errno;
}

bool is_textual(std::string_view type) noexcept {
  return type.starts_with("text/") || type == "application/json" || type.ends_with("+json") ||
         type == "application/xml" || type.ends_with("+xml");
}

std::string content_type_of(const std::string& path, const StaticFileOptions& options) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  std::string type(guess_content_type(name));
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
    const auto own = std::ranges::find_if(options.content_types, [&](const auto& each) {
      return equals_ignore_case(each.first, name.substr(dot + 1));
    });
    if (own != options.content_types.end()) type = own->second;
  }
  if (!options.charset.empty() && is_textual(type)) type += "; charset=" + options.charset;
  return type;
}

void read_content(StaticFile& file, const Opened& opened, const StaticFileOptions& options) {
  const bool keep = file.size <= options.max_kept_size;
  if (keep || file.size <= kMostHashed) {
    std::string content(file.size, '\0');
    content.resize(opened.file->read(0, content));
    std::string digits;
    append_hex(digits, hash(HashAlgorithm::kSHA512, content));
    file.version = digits.substr(0, kVersionDigits);
    file.size = content.size();
    if (keep) file.content = std::move(content);
  } else {
    file.version = std::to_string(file.stamp.modified) + "-" + std::to_string(file.size);
  }
  if (!keep) file.file = opened.file;
}

void make_fields(StaticFile& file, bool varies) {
  file.fields_304 = "ETag: " + file.etag + "\r\n";
  file.fields_304 += "Last-Modified: " + format_timestamp(file.modified) + "\r\n";
  if (varies) file.fields_304 += "Vary: Accept-Encoding\r\n";
  file.fields = "Content-Type: " + file.content_type + "\r\nAccept-Ranges: bytes\r\n";
  if (!file.content_encoding.empty()) {
    file.fields += "Content-Encoding: " + file.content_encoding + "\r\n";
  }
  file.fields += file.fields_304;
}

std::shared_ptr<StaticFile> look_at(const std::string& path, const Opened& opened,
                                    const StaticFileOptions& options) {
  auto file = std::make_shared<StaticFile>();
  file->path = path;
  file->stamp = stamp_of(opened.status);
  file->size = static_cast<std::uint64_t>(opened.status.st_size);
  file->modified = opened.status.st_mtim.tv_sec;
  file->young = std::time(nullptr) - opened.status.st_ctim.tv_sec < kYoungSeconds;
  read_content(*file, opened, options);
  const bool hashed = !file->content.empty() || file->size <= kMostHashed;
  file->etag = (file->young && !hashed ? "W/\"" : "\"") + file->version + "\"";
  return file;
}

/// The compressed siblings that are there.
std::vector<StaticFiles::File> look_for_variants(const std::string& root,
                                                 const StaticFileOptions& options,
                                                 const StaticFile& file,
                                                 const StaticFiles::File& known) {
  std::vector<StaticFiles::File> variants;
  for (const ContentCoding coding : options.precompressed) {
    Opened opened;
    const std::string path = file.path + std::string(extension_of(coding));
    if (open_file(root, options, path, opened) != 0 || !S_ISREG(opened.status.st_mode)) continue;
    if (known) {
      const auto same = std::ranges::find_if(known->variants, [&](const StaticFiles::File& old) {
        return old->path == path && old->stamp == stamp_of(opened.status) && !old->young;
      });
      if (same != known->variants.end()) {
        variants.push_back(*same);
        continue;
      }
    }
    const std::shared_ptr<StaticFile> variant = look_at(path, opened, options);
    variant->content_type = file.content_type;
    variant->content_encoding = to_string(coding);
    make_fields(*variant, true);
    variants.push_back(variant);
  }
  return variants;
}

}  // namespace

StaticFiles::File load_static_file(const std::string& root, const StaticFileOptions& options,
                                   const std::string& path, const StaticFiles::File& known) try {
  Opened opened;
  if (const int error = open_file(root, options, path, opened); error != 0) {
    throw_unreachable(path, error);
  }
  if (S_ISDIR(opened.status.st_mode)) {
    auto folder = std::make_shared<StaticFile>();
    folder->path = path;
    folder->is_folder = true;
    folder->stamp = stamp_of(opened.status);
    return folder;
  }
  if (!S_ISREG(opened.status.st_mode)) throw HTTPError(403, path + " is not a file");
  const bool same =
      known && !known->is_folder && !known->young && known->stamp == stamp_of(opened.status);
  std::shared_ptr<StaticFile> file;
  if (same) {
    file = std::make_shared<StaticFile>(*known);
  } else {
    file = look_at(path, opened, options);
    file->content_type = content_type_of(path, options);
  }
  std::vector<StaticFiles::File> variants = look_for_variants(root, options, *file, known);
  if (same && variants == known->variants) return known;
  file->variants = std::move(variants);
  make_fields(*file, !file->variants.empty());
  return file;
} catch (const std::system_error& error) {
  throw HTTPError(500, path + ": " + error.what());
}

bool is_unchanged(const StaticFile& file) noexcept {
  if (!file.file) return true;
  struct stat status{};
  return ::fstat(file.file->native_handle(), &status) == 0 && stamp_of(status) == file.stamp;
}

}  // namespace coronado::web
