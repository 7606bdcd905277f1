//===- NameCubins.cpp - Enter cubins into manifests -----------------------===//
//
// ptxas assembles the kernels on the machine with the GPU, many at once, which
// the driver does not; the runtime takes only a cubin that the manifest names.
//
//===----------------------------------------------------------------------===//
#include "Session.h"

#include "tda/Host/AtomicFile.h"

#include <fstream>
#include <sstream>

using namespace tda;
using namespace tda::gputest;

bool tda::gputest::nameCubins(const std::string &folder,
                              const std::vector<std::string> &names,
                              std::string &error) {
  for (const std::string &name : names) {
    std::ifstream file(folder + "/" + name + ".cubin", std::ios::binary);
    if (!file)
      continue;
    std::ostringstream bytes;
    bytes << file.rdbuf();
    std::string path = folder + "/" + name + ".json";
    Manifest manifest;
    if (!readManifest(path, manifest, error))
      return false;
    manifest.files.cubin = name + ".cubin";
    manifest.hashes.cubin = hashText(bytes.str());
    if (!host::writeFileAtomically(path, {printManifest(manifest)}, error))
      return false;
  }
  return true;
}
