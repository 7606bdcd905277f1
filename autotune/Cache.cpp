//===- Cache.cpp - Entries on disk, one atomic file each ------------------===//
#include "autotune/Cache.h"

#include "tda/Host/AtomicFile.h"
#include "tda/Manifest.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

using namespace tda;
using namespace tda::tune;
namespace fs = std::filesystem;

std::string tune::defaultCacheRoot() {
  auto variable = [](const char *name) -> std::string {
    const char *value = std::getenv(name);
    return value ? value : "";
  };
  if (std::string own = variable("TDA_CACHE_DIR"); !own.empty())
    return own;
  if (std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty())
    return xdg + "/tda";
  if (std::string home = variable("HOME"); !home.empty())
    return home + "/.cache/tda";
  return "";
}

Cache::Cache(std::string root, Warn warn)
    : folder(root.empty() ? "" : std::move(root) + "/tuning"),
      warn(warn ? std::move(warn) : [](const std::string &) {}) {}

/// Letters, digits and dashes of `text`, for people who look into the folder.
static std::string slug(const std::string &text) {
  std::string result;
  for (char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)))
      result += c;
    else if (c != '=' && !result.empty() && result.back() != '-')
      result += '-';
  return result.substr(0, 80);
}

std::string Cache::folderOf(const std::string &problem,
                            const std::string &target) const {
  return fmt::format("{}/{}/{}-{}", folder, slug(target), slug(problem),
                     sha256Hex(problem).substr(0, 8));
}

std::string Cache::pathOf(const Key &key) const {
  return fmt::format("{}/{}-{}-{}.json", folderOf(key.problem, key.target),
                     slug(key.shape), slug(key.density), key.hash());
}

bool Cache::read(const std::string &path, Entry &entry,
                 std::string &error) const {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    error = "cannot be read";
    return false;
  }
  if (!parseEntry(text, entry, error))
    return false;
  // A copy under another name, or a field edited by hand.
  if (fs::path(pathOf(entry.key)).filename() != fs::path(path).filename()) {
    error = "is not of the key that its name says";
    return false;
  }
  return true;
}

std::optional<Entry> Cache::find(const Key &key) const {
  std::string path = pathOf(key), error;
  std::error_code code;
  if (folder.empty() || !fs::exists(path, code))
    return std::nullopt;
  Entry entry;
  if (read(path, entry, error))
    return entry;
  warn(fmt::format("tuning entry '{}' is left out: {}", path, error));
  return std::nullopt;
}

static std::vector<std::string> jsonFiles(const std::string &folder,
                                          bool recursive) {
  std::vector<std::string> paths;
  std::error_code code;
  auto add = [&](const fs::directory_entry &one) {
    std::error_code ignored;
    if (one.path().extension() == ".json" && one.is_regular_file(ignored))
      paths.push_back(one.path().string());
  };
  if (recursive)
    for (fs::recursive_directory_iterator at(folder, code), end;
         !code && at != end; at.increment(code))
      add(*at);
  else
    for (fs::directory_iterator at(folder, code), end; !code && at != end;
         at.increment(code))
      add(*at);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<Entry> Cache::ofProblem(const std::string &problem,
                                    const std::string &target,
                                    const std::string &density) const {
  std::vector<Entry> entries;
  if (folder.empty())
    return entries;
  std::string mark = density.empty() ? "" : "-" + slug(density) + "-";
  for (const std::string &path : jsonFiles(folderOf(problem, target), false)) {
    if (fs::path(path).filename().string().find(mark) == std::string::npos)
      continue;
    Entry entry;
    std::string error;
    if (!read(path, entry, error))
      warn(fmt::format("tuning entry '{}' is left out: {}", path, error));
    else if (entry.key.problem == problem && entry.key.target == target &&
             (density.empty() || entry.key.density == density))
      entries.push_back(std::move(entry));
  }
  return entries;
}

namespace {
/// Held while an entry is read, merged and renamed.
class Lock {
public:
  explicit Lock(const std::string &path) {
    file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
      return;
    for (int i = 0; i < 200 && ::flock(file, LOCK_EX | LOCK_NB); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ~Lock() {
    if (file >= 0)
      ::close(file);
  }
  Lock(const Lock &) = delete;

private:
  int file = -1;
};
} // namespace

bool Cache::store(Entry &entry, std::string &error) const {
  if (folder.empty()) {
    error = "no folder for the cache is known; set TDA_CACHE_DIR";
    return false;
  }
  std::string path = pathOf(entry.key);
  std::error_code code;
  fs::create_directories(fs::path(path).parent_path(), code);
  if (code) {
    error = fmt::format("cannot create '{}': {}",
                        fs::path(path).parent_path().string(), code.message());
    return false;
  }
  Lock lock(path + ".lock");
  Entry there;
  std::string why;
  if (fs::exists(path, code)) {
    if (!read(path, there, why))
      warn(fmt::format("tuning entry '{}' is replaced: {}", path, why));
    else if (there.key.text() == entry.key.text())
      entry.merge(there);
  }
  return host::writeFileAtomically(path, {printEntry(entry)}, error);
}

bool Cache::remove(const std::string &path, std::string &error) const {
  std::error_code code;
  fs::remove(path, code);
  if (code)
    error = fmt::format("cannot remove '{}': {}", path, code.message());
  fs::remove(path + ".lock", code);
  return error.empty();
}

std::vector<Cache::File> Cache::list() const {
  std::vector<File> files;
  if (folder.empty())
    return files;
  for (const std::string &path : jsonFiles(folder, true)) {
    File &file = files.emplace_back();
    file.path = path;
    read(path, file.entry, file.error);
  }
  return files;
}
