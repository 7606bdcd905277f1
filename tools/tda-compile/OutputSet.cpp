//===- OutputSet.cpp - Several files, all of them or none -----------------===//
#include "OutputSet.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

using namespace tda;
namespace fs = std::filesystem;

namespace {

/// Removes what it was told of, newest first, unless all went well.
class Rollback {
public:
  ~Rollback() {
    std::error_code ignored;
    for (; !paths.empty(); paths.pop_back())
      fs::remove(paths.back(), ignored); // A folder: only if it is empty.
  }
  void add(fs::path path) { paths.push_back(std::move(path)); }
  void keepAll() { paths.clear(); }

private:
  std::vector<fs::path> paths;
};

} // namespace

static bool createFolder(const fs::path &folder, Rollback &rollback,
                         std::string &error) {
  std::error_code code;
  fs::path path;
  for (const fs::path &part : folder) {
    path /= part;
    if (fs::is_directory(path, code))
      continue;
    if (fs::create_directory(path, code)) {
      rollback.add(path);
      continue;
    }
    if (fs::exists(path))
      error = fmt::format("cannot create folder '{}': '{}' is a file",
                          folder.string(), path.string());
    else
      error = fmt::format("cannot create folder '{}': {}", folder.string(),
                          code.message());
    return false;
  }
  return true;
}

static bool writeFile(const fs::path &path, const std::string &content,
                      std::string &error) {
  errno = 0;
  std::ofstream stream(path, std::ios::binary);
  stream.write(content.data(), content.size());
  stream.close();
  if (stream)
    return true;
  error = fmt::format("cannot write in folder '{}': {}",
                      path.parent_path().string(),
                      errno ? std::strerror(errno) : "unknown reason");
  return false;
}

bool OutputSet::write(const std::string &folder, std::string &error) const {
  Rollback rollback;
  // A trailing slash would add an empty part.
  fs::path root = fs::path(folder).lexically_normal();
  if (!root.has_filename())
    root = root.parent_path();
  if (!createFolder(root, rollback, error))
    return false;

  std::vector<std::pair<fs::path, fs::path>> moves;
  for (const auto &[name, content] : files) {
    fs::path target = root / name;
    if (fs::is_directory(target)) {
      error = fmt::format("cannot write '{}': it is a folder", target.string());
      return false;
    }
    fs::path temporary = root / fmt::format(".{}.{}.tmp", name, ::getpid());
    rollback.add(temporary);
    if (!writeFile(temporary, content, error))
      return false;
    moves.emplace_back(temporary, target);
  }
  for (const auto &[temporary, target] : moves) {
    std::error_code code;
    bool isNew = !fs::exists(target, code);
    fs::rename(temporary, target, code);
    if (code) {
      error =
          fmt::format("cannot write '{}': {}", target.string(), code.message());
      return false;
    }
    if (isNew)
      rollback.add(target);
  }
  rollback.keepAll();
  return true;
}
