//===- OutputSet.h - Several files, all of them or none --------*- C++ -*-===//
#ifndef TDA_OUTPUTSET_H
#define TDA_OUTPUTSET_H

#include <string>
#include <utility>
#include <vector>

namespace tda {

/// Files of one folder that appear together.
class OutputSet {
public:
  void add(std::string name, std::string content) {
    files.emplace_back(std::move(name), std::move(content));
  }

  /// Writes all files below temporary names, then renames them. The folder is
  /// created. On failure nothing of all this is left, except that files which
  /// were replaced before a rename failed are the new ones.
  bool write(const std::string &folder, std::string &error) const;

private:
  std::vector<std::pair<std::string, std::string>> files;
};

} // namespace tda

#endif // TDA_OUTPUTSET_H
