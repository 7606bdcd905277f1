//===- CaseGrid.h - The kernels that the GPU tests run ---------*- C++ -*-===//
//
// A pairwise covering of the compile-time choices: for any two of them, every
// combination of their values that can run is in some kernel. Most schedules
// are drawn, by a seed. The same seed gives the same list on every machine. No
// LLVM here.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TOOLS_CASEGRID_H
#define TDA_TOOLS_CASEGRID_H

#include "tda/Schedule.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tda {

/// Problems in the grid: the covering and, up to this number, random ones.
constexpr size_t kGridProblems = 66;
/// Kernels of the demo's attention with drawn schedules.
constexpr size_t kDrawnDemos = 6;
/// Distinct schedules that a grid for a target with a wgmma path has at least.
constexpr size_t kLeastSchedules = 40;
/// Kernels of the wgmma path that come with every skip policy and grid.
constexpr size_t kFamilies = 40;
/// Draws the schedules unless another seed is given.
constexpr uint64_t kDefaultSeed = 1;
/// Between the name of a kernel and what its twin does differently.
constexpr const char *kTwinMark = "__";

struct GridKernel {
  std::string name; ///< A C identifier.
  Problem problem;
  Schedule schedule;
};

/// At least `count` distinct problems that `target` can run and that cover
/// every pair of choices.
std::vector<Problem> gridProblems(const Target &target,
                                  size_t count = kGridProblems);

/// The kernels for one target:
///   grid_NN          every fourth problem of the grid, with its default
///   schedule grid_NN_alt      the others, with a schedule drawn from all legal
///   ones demo             the attention of test/data/demo.mlir, with
///   statistics demo_N_alt       the same with drawn schedules
///   ...__WORD        its twin, which must give the same bits. `force`: the
///                    arithmetic of live tiles everywhere; for a sample of the
///                    wgmma path also the other skip policies and the other
///                    grid; on the mma.sync path the other skip policy
///   bench_...        the problems that are timed, with default schedules
/// Fails where a problem has no legal schedule on `target`, or where the
/// schedules are too few for a grid.
bool gridKernels(const Target &target, uint64_t seed,
                 std::vector<GridKernel> &kernels, std::string &error);

} // namespace tda

#endif // TDA_TOOLS_CASEGRID_H
