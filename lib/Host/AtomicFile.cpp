//===- AtomicFile.cpp - Write a whole file or none of it ------------------===//

#include "tda/Host/AtomicFile.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace tda::host {

/// All of `bytes`, through short writes and interrupts; errno on failure.
static bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(written);
  }
  return true;
}

bool writeFileAtomically(const std::string &path,
                         const std::vector<std::string_view> &chunks,
                         std::string &error) {
  namespace fs = std::filesystem;
  // A rename would replace a device or pipe by a file.
  std::error_code code;
  fs::file_status status = fs::status(path, code);
  if (fs::is_directory(status)) {
    error = fmt::format("cannot write '{}': it is a folder", path);
    return false;
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    error = fmt::format("cannot write '{}': it is not a regular file", path);
    return false;
  }

  static std::atomic<unsigned> counter{0};
  fs::path folder = fs::path(path).parent_path();
  std::string temporary =
      (folder / fmt::format(".tda-{}-{}.tmp", ::getpid(), counter++)).string();
  int file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) {
    error = fmt::format("cannot write '{}': cannot make a file in folder "
                        "'{}': {}",
                        path, folder.empty() ? "." : folder.string(),
                        std::strerror(errno));
    return false;
  }

  int failure = 0;
  for (std::string_view chunk : chunks)
    if (!failure && !writeAll(file, chunk))
      failure = errno;
  if (::close(file) != 0 && !failure)
    failure = errno;
  if (!failure && std::rename(temporary.c_str(), path.c_str()) != 0)
    failure = errno;
  if (failure) {
    ::unlink(temporary.c_str());
    error = fmt::format("cannot write '{}': {}", path, std::strerror(failure));
  }
  return !failure;
}

} // namespace tda::host
