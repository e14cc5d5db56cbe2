#include "net/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>

extern char** environ;

namespace coronado {
namespace {

constexpr int kFirstFree = 3;  // above the standard streams
constexpr std::array<const char*, 3> kStreamNames = {"standard input", "standard output",
                                                     "standard error"};

std::system_error failure(int error, const std::string& attempt) {
  return {std::error_code(error, std::system_category()), attempt};
}

/// The same open file under a number that the child's own streams cannot overwrite.
OwnedDescriptor lifted(OwnedDescriptor descriptor) {
  if (descriptor.get() >= kFirstFree) return descriptor;
  const int above = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kFirstFree);
  if (above < 0) throw failure(errno, "fcntl");
  return OwnedDescriptor(above);
}

OwnedDescriptor copy_of(int fd, const char* stream) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree);
  if (copy < 0) throw failure(errno, std::string(stream) + ": descriptor " + std::to_string(fd));
  return OwnedDescriptor(copy);
}

void open_pipe(ChildStreams& streams, std::size_t index) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw failure(errno, std::string(kStreamNames[index]) + ": cannot make a pipe");
  }
  const bool input = index == 0;
  streams.ours[index] = OwnedDescriptor(ends[input ? 1 : 0]);
  OwnedDescriptor theirs = lifted(OwnedDescriptor(ends[input ? 0 : 1]));
  // Only our end: the two do not share their flags, and the child expects to block.
  const int fd = streams.ours[index].get();
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  streams.child[index] = theirs.get();
  streams.opened.push_back(std::move(theirs));
}

void keep(ChildStreams& streams, std::size_t index, OwnedDescriptor descriptor) {
  streams.child[index] = descriptor.get();
  streams.opened.push_back(std::move(descriptor));
}

void open_stream(ChildStreams& streams, std::size_t index, Stdio wanted) {
  switch (wanted.kind()) {
    case Stdio::Kind::kInherit: return;
    case Stdio::Kind::kPipe: return open_pipe(streams, index);
    case Stdio::Kind::kNull: {
      const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      if (fd < 0) throw failure(errno, "/dev/null");
      return keep(streams, index, lifted(OwnedDescriptor(fd)));
    }
    case Stdio::Kind::kDescriptor:
      return keep(streams, index, copy_of(wanted.fd(), kStreamNames[index]));
    case Stdio::Kind::kToOutput:
      if (index != 2) {
        throw std::invalid_argument(std::string(kStreamNames[index]) +
                                    " cannot go where the standard output goes");
      }
      if (streams.child[1] >= 0) {
        streams.child[2] = streams.child[1];
      } else {
        keep(streams, index, copy_of(STDOUT_FILENO, kStreamNames[1]));
      }
  }
}

void check_text(const std::string& text, const char* what) {
  if (text.find('\0') != std::string::npos) {
    throw std::invalid_argument(std::string(what) + " has a NUL in it: \"" +
                                text.substr(0, text.find('\0')) + "\"");
  }
}

std::string_view name_of(const std::string& entry) {
  check_text(entry, "an environment entry");
  const std::size_t equals = entry.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw std::invalid_argument("an environment entry is not NAME=value: \"" + entry + '"');
  }
  return std::string_view(entry).substr(0, equals);
}

std::vector<std::string> environment_of(const SubprocessOptions& options) {
  std::vector<std::string> entries;
  if (options.environment) {
    entries = *options.environment;
    for (const std::string& entry : entries) name_of(entry);
  } else {
    for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  }
  for (const std::string& extra : options.extra_environment) {
    const std::string begin = std::string(name_of(extra)) + '=';
    std::erase_if(entries, [&](const std::string& entry) { return entry.starts_with(begin); });
    entries.push_back(extra);
  }
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The attributes of `posix_spawn`, which runs the new program on borrowed memory, as `vfork` does,
/// with all signals blocked until it has been loaded.
class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }

  void set_signals(bool new_group) {
    sigset_t none;
    sigset_t broken_pipe;  // loops ignore it; programs expect it
    sigemptyset(&none);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    const int group = new_group ? POSIX_SPAWN_SETPGROUP : 0;
    ::posix_spawnattr_setflags(
        &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  }

  void set_descriptors(const ChildStreams& streams, int directory) {
    int error = 0;
    for (int stream = 0; stream < kFirstFree && error == 0; ++stream) {
      const int fd = streams.child[static_cast<std::size_t>(stream)];
      if (fd >= 0) error = ::posix_spawn_file_actions_adddup2(&actions, fd, stream);
    }
    if (error == 0 && directory >= 0) {
      error = ::posix_spawn_file_actions_addfchdir_np(&actions, directory);
    }
    // Whatever else is open here, ours or not, is not the child's business.
    if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(&actions, kFirstFree);
    if (error != 0) throw failure(error, "posix_spawn_file_actions");
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

OwnedDescriptor::~OwnedDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

ChildStreams open_child_streams(const SubprocessOptions& options) {
  ChildStreams streams;
  open_stream(streams, 0, options.input);
  open_stream(streams, 1, options.output);
  open_stream(streams, 2, options.error);
  return streams;
}

pid_t spawn_process(const std::vector<std::string>& argv, const SubprocessOptions& options,
                    const ChildStreams& streams) {
  if (argv.empty() || argv[0].empty()) throw std::invalid_argument("no program to run");
  for (const std::string& argument : argv) check_text(argument, "an argument");
  check_text(options.directory, "the folder");
  OwnedDescriptor directory;
  if (!options.directory.empty()) {
    directory =
        OwnedDescriptor(::open(options.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) {
      throw failure(errno, "cannot run \"" + argv[0] + "\" in \"" + options.directory + '"');
    }
    directory = lifted(std::move(directory));
  }
  SpawnSettings settings;
  settings.set_signals(options.new_group);
  settings.set_descriptors(streams, directory.get());
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = environment_of(options);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0].c_str(), &settings.actions, &settings.attributes,
                                   pointers_to(arguments).data(), pointers_to(environment).data());
  if (error != 0) throw failure(error, "cannot run \"" + argv[0] + '"');
  return pid;
}

std::string command_text(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& argument : argv) {
    if (!text.empty()) text += ' ';
    const bool plain = !argument.empty() && argument.find_first_of(" \t\n'\"") == std::string::npos;
    text += plain ? argument : '\'' + argument + '\'';
  }
  return text;
}

}  // namespace coronado
