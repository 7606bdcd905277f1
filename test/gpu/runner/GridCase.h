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
  /// Runs of keys that all queries are near: tiles from dense to empty in turn.
  bool bursts = false;
  /// The largest values where they must not matter; see makeHuge.
  bool huge = false;
  int layout = 0; ///< See NumCallLayouts.
  uint64_t seed = 0;

  /// "N=65 B=2 Hq=4/1 beta=0 BNHD", and what else is special.
  std::string str() const;
  int64_t longest() const;

  /// In the order of host::inputSpecs.
  std::vector<host::HostTensor> inputs(const Problem &problem) const;
};

/// Random inputs with survivors.
std::vector<host::HostTensor> plantedInputs(const Problem &problem,
                                            const host::Lengths &lengths,
                                            uint64_t seed);

/// Draws all queries, and the keys of some runs of 16 to 400, toward one
/// direction of their head: their scores are near 0.5, the others those of
/// random vectors. The views have some runs in common.
void makeBursts(const Problem &problem, uint64_t seed,
                std::vector<host::HostTensor> &inputs);

/// Makes some keys zero in every view, here and there and 48 in a row, and
/// their values the largest that the type has: they meet a weight of exactly 0.
/// With `normalize` the other rows of q and k become long, as far as f32 holds
/// their squared norm, and f16 their elements.
void makeHuge(const Problem &problem, std::vector<host::HostTensor> &inputs);

/// The runs of kernel number `kernel` of the grid. Each kernel sees all
/// lengths of the grid, both ratios of heads, all layouts and kinds of beta;
/// their combinations vary from kernel to kernel.
std::vector<GridCase> casesOf(const Problem &problem, size_t kernel);

} // namespace tda::gputest

#endif // TDA_TOOLS_GRIDCASE_H
