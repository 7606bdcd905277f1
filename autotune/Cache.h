//===- Cache.h - Entries on disk, one atomic file each ---------*- C++ -*-===//
//
//   ROOT/tuning/sm_90/<problem>-<hash>/<shape>-<density>-<key hash>.json
//
// ROOT is $TDA_CACHE_DIR, else $XDG_CACHE_HOME/tda, else ~/.cache/tda. A file
// is replaced by a rename, so a reader sees all of an old or of a new one, and
// a killed process leaves no half of one. Two writers of one entry merge their
// samples under a lock that is held for the milliseconds of reading and
// renaming, and that the system takes back from a killed process; a lock that
// does not come within a second is done without.
//
// A file that cannot be read, is of another schema version or is not of the
// key that its name says is a miss with a warning, never an error.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_CACHE_H
#define TDA_AUTOTUNE_CACHE_H

#include "autotune/Record.h"

#include <functional>
#include <string>
#include <vector>

namespace tda::tune {

/// $TDA_CACHE_DIR, else the XDG folder; empty where neither that nor a home is
/// known.
std::string defaultCacheRoot();

class Cache {
public:
  using Warn = std::function<void(const std::string &)>;

  explicit Cache(std::string root, Warn warn = {});

  const std::string &root() const { return folder; }

  /// The entry of exactly this key.
  std::optional<Entry> find(const Key &key) const;
  /// All entries of a problem on a target; of one density where given.
  std::vector<Entry> ofProblem(const std::string &problem,
                               const std::string &target,
                               const std::string &density = "") const;
  /// Adds the samples that are on disk to `entry` and writes it. False and
  /// `error` where the folder cannot be written; nothing is lost then.
  bool store(Entry &entry, std::string &error) const;
  bool remove(const std::string &path, std::string &error) const;

  struct File {
    std::string path;
    Entry entry;
    std::string error; ///< Set: the file cannot be read, and why.
  };
  /// Every .json below the folder, sorted.
  std::vector<File> list() const;

  /// Where the entry of `key` lies.
  std::string pathOf(const Key &key) const;
  std::string folderOf(const std::string &problem,
                       const std::string &target) const;

private:
  bool read(const std::string &path, Entry &entry, std::string &error) const;

  std::string folder; ///< ROOT/tuning
  Warn warn;
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_CACHE_H
