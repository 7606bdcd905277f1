//===- BuildManifest.h - The manifest of a compiled program ----*- C++ -*-===//
#ifndef TDA_BUILDMANIFEST_H
#define TDA_BUILDMANIFEST_H

#include "lib/Compile/LaunchFacts.h"
#include "tda/Compile.h"
#include "tda/TargetTable.h"

namespace tda {

/// Fills `program.manifest` from the rest of `program` and from what its
/// kernels say of their launch. The result passes checkManifest.
bool buildManifest(GpuProgram &program, const Target &target,
                   const std::string &schedule, const LaunchFacts &launch,
                   std::string &error);

} // namespace tda

#endif // TDA_BUILDMANIFEST_H
