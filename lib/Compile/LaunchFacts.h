//===- LaunchFacts.h - The attribute tda.launch of all kernels -*- C++ -*-===//
//
// A lowering leaves on each kernel the dictionary `tda.launch`:
//
//   params         strings: "ptr NAME", "i32 LENGTH", "i64 NAME AXIS" (a
//                  stride), "i64 NAME" (a scalar), "map NAME", "ws EXPRESSION"
//   grid           blocks along x, an expression
//   block          threads
//   shared_bytes   dynamic shared memory
//
// and, where they are needed:
//
//   blocks_per_sm  cap of a persistent kernel's blocks
//   maps           strings: "NAME argument ARGUMENT rows R columns C" or
//                  "NAME workspace LIKE rows R columns C offset EXPRESSION"
//   workspace      bytes, an expression; kernels that give it agree
//   arch           "sm_90a", in place of the target's name; likewise
//
// Kernels may name the same map; what they say of it must agree too.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LAUNCHFACTS_H
#define TDA_LAUNCHFACTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "tda/Manifest.h"

namespace tda {

struct LaunchFacts {
  std::vector<ManifestKernel> kernels; ///< In the order of the launches.
  std::vector<ManifestTensorMap> tensorMaps;
  std::optional<std::string> workspace;
  std::optional<std::string> arch;

  /// Adds kernel `name`, launched after those before. False and `error` where
  /// `launch` is malformed or contradicts another kernel.
  bool add(llvm::StringRef name, mlir::DictionaryAttr launch,
           std::string &error);
};

} // namespace tda

#endif // TDA_LAUNCHFACTS_H
