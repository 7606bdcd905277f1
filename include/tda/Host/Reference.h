//===- Reference.h - A float64 evaluation to compare with ------*- C++ -*-===//
//
// docs/semantics.md in double precision on the same rounded inputs, by plain
// loops over visible pairs. It shares no code with what the compiler emits.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_HOST_REFERENCE_H
#define TDA_HOST_REFERENCE_H

#include "tda/Host/Arguments.h"
#include "tda/Host/HostTensor.h"
#include "tda/Problem.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tda::host {

/// Queries by keys of the tiles that `Reference::liveTiles` counts.
struct TileShape {
  int64_t rows = 64;
  int64_t cols = 64;
};

struct Reference {
  Lengths lengths;
  /// [B, Hq, Nq, Dv]; exactly 0 in rows without survivors.
  std::vector<double> o;
  /// Keys with s > tau: [views, B, Hq, Nq].
  std::vector<int32_t> survivors;
  /// [B, Hq, Nq]: 1 where no view has a survivor, nor a score so near the
  /// gate that f32 arithmetic could see one. Such a row of a right result is
  /// exactly 0.
  std::vector<uint8_t> dead;

  /// Fraction of visible pairs whose entry in the combined map A is exactly
  /// 0; 1 where there is no visible pair.
  double exactZeros = 1.0;
  /// Mean over all rows of the survivors of each view (view 2: 0 when the
  /// problem has one), and of the keys that survive in both views at once.
  double survivorsPerRow[2] = {0.0, 0.0};
  double consensusPerRow = 0.0;
  /// Fraction of the tiles with a visible pair that have a survivor in some
  /// view; 0 where there is no visible tile.
  double liveTiles = 0.0;
};

/// Evaluates the problem on inputs in the order of `inputSpecs`, over
/// `threads` threads (0: all of the machine); the result does not depend on
/// their number. Fails where the problem or the inputs are not legal.
bool evaluate(const Problem &problem,
              const std::vector<const HostTensor *> &inputs, Reference &out,
              std::string &error, unsigned threads = 0, TileShape tile = {});

/// ||o - ref|| / ||ref|| over all elements. 0 when both are zero; infinity
/// when only `ref` is, when `o` holds a NaN or Inf, or has another size.
double relativeError(const HostTensor &o, const Reference &reference);

/// The largest relative error that an output of this type may have: 5e-3 for
/// bf16, 1e-3 for f16, 5e-5 for f32.
double contract(DType type);

/// The number of `Reference::dead` rows in which `o` is not exactly 0.
int64_t countDeadRowViolations(const HostTensor &o, const Reference &reference);

} // namespace tda::host

#endif // TDA_HOST_REFERENCE_H
