//===- CaseGrid.h - The kernels that the GPU tests run ---------*- C++ -*-===//
//
// A pairwise covering of the compile-time choices: for any two of them, every
// combination of their values is in some kernel. The same list on every
// machine. No LLVM here.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TOOLS_CASEGRID_H
#define TDA_TOOLS_CASEGRID_H

#include "tda/Schedule.h"

#include <cstddef>
#include <string>
#include <vector>

namespace tda {

/// Problems in the grid: the covering and, up to this number, random ones.
constexpr size_t kGridProblems = 64;

struct GridKernel {
  std::string name; ///< A C identifier.
  Problem problem;
  Schedule schedule;
};

/// At least `count` distinct problems that cover every pair of choices.
std::vector<Problem> gridProblems(size_t count = kGridProblems);

/// The kernels for one target:
///   grid_NN          a problem of the grid with its default schedule
///   grid_NN_alt      every third one, with another legal schedule
///   demo             the attention of test/data/demo.mlir, with statistics
///   ..._noskip       each of them again, without skipping empty tiles
///   bench_...        the problems that are timed, with default schedules
/// Fails where a problem has no legal schedule on `target`.
bool gridKernels(const Target &target, std::vector<GridKernel> &kernels,
                 std::string &error);

} // namespace tda

#endif // TDA_TOOLS_CASEGRID_H
