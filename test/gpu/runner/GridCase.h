//===- GridCase.h - The runs of one kernel ---------------------*- C++ -*-===//
//
// What a kernel leaves open until it runs: lengths, heads, layouts, offsets and
// values. Plain data; nothing here needs a GPU.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TOOLS_GRIDCASE_H
#define TDA_TOOLS_GRIDCASE_H

#include "tda/Host/Random.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tda::gputest {

struct GridCase {
  host::Lengths lengths;
  host::RandomOptions random;
  /// Unit vectors along the axes instead: scores are exactly 0 or 1.
  bool oneHot = false;
  int layout = 0; ///< See NumCallLayouts.
  uint64_t seed = 0;

  /// "N=65 B=2 Hq=4/1 beta=0 BNHD", and what else is special.
  std::string str() const;
  int64_t longest() const;

  /// In the order of host::inputSpecs.
  std::vector<host::HostTensor> inputs(const Problem &problem) const;
};

/// The runs of kernel number `kernel` of the grid. Each kernel sees all
/// lengths of the grid, both ratios of heads, all layouts and kinds of beta;
/// their combinations vary from kernel to kernel.
std::vector<GridCase> casesOf(const Problem &problem, size_t kernel);

} // namespace tda::gputest

#endif // TDA_TOOLS_GRIDCASE_H
