//===- TargetTable.h - What each target can do -----------------*- C++ -*-===//
//
// One row a target: every hardware fact that a pass may ask for, with its unit.
// Passes ask for a capability, never for "sm >= 90".
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TARGETTABLE_H
#define TDA_TARGETTABLE_H

#include <cstdint>
#include <string>
#include <vector>

namespace tda {

/// The lowering that turns tiles into instructions.
enum class Path {
  Vector,  ///< CPU: vector -> LLVM.
  MmaSync, ///< Portable GPU path: cp.async, ldmatrix, mma.sync.
  Wgmma,   ///< Hopper: TMA, mbarriers, warpgroups, wgmma.
};
const char *pathName(Path path); // "vector", "mma_sync", "wgmma"

struct Target {
  const char *name;      ///< "sm_90" or "cpu"; also the -mcpu of LLVM for GPUs.
  Path path;             ///< The one that runs everything the target supports.
  int computeCapability; ///< 90 for sm_90; 0 on the CPU.
  int64_t sharedPerBlock; ///< Bytes of dynamic shared memory a block may take.
  int64_t sharedPerSm;    ///< Bytes an SM divides among its blocks.
  int64_t registersPerSm; ///< 32-bit registers.
  int64_t registersPerThread;
  int64_t warpsPerSm;
  bool wgmma;             ///< Warpgroup matrix instructions and the tensor
                          ///< memory accelerator: the wgmma path.
  const char *wgmmaChip;  ///< What code of that path is emitted for; the `a`
                          ///< architectures run on that capability alone.
  const char *ptxFeature; ///< LLVM feature that sets the PTX ISA version.
  const char *ptxIsa;     ///< The version that feature emits.
  int minDriver;          ///< First driver, as cuDriverGetVersion reports it,
                          ///< that reads this PTX ISA version.
};

/// All rows, the CPU first.
const std::vector<Target> &targetTable();

/// The row called `name`, or null; then `error` lists the known names.
const Target *findTarget(const std::string &name, std::string &error);

} // namespace tda

#endif // TDA_TARGETTABLE_H
