//===- BuildManifest.h - The manifest of a compiled kernel -----*- C++ -*-===//
#ifndef TDA_BUILDMANIFEST_H
#define TDA_BUILDMANIFEST_H

#include "tda/Compile.h"
#include "tda/TargetTable.h"

namespace tda {

/// Fills `program.manifest` from the rest of `program` and from `launch`, the
/// attribute `tda.launch` of the kernel called `program.name`. The result
/// passes checkManifest.
bool buildManifest(GpuProgram &program, const Target &target,
                   const std::string &schedule, mlir::DictionaryAttr launch,
                   std::string &error);

} // namespace tda

#endif // TDA_BUILDMANIFEST_H
