//===- AtomicFile.h - Write a whole file or none of it ---------*- C++ -*-===//
#ifndef TDA_HOST_ATOMICFILE_H
#define TDA_HOST_ATOMICFILE_H

#include <string>
#include <string_view>
#include <vector>

namespace tda::host {

/// Writes the chunks one after the other to a temporary file in the folder of
/// `path`, then renames it to `path`. On failure (no such folder, no
/// permission, disk full, `path` is a folder or a device) nothing is left
/// behind, an existing `path` is as it was, and `error` says why.
bool writeFileAtomically(const std::string &path,
                         const std::vector<std::string_view> &chunks,
                         std::string &error);

} // namespace tda::host

#endif // TDA_HOST_ATOMICFILE_H
