//===- ReferenceInputs.h - Operands as the reference reads them -*- C++ -*-===//
#ifndef TDA_LIB_HOST_REFERENCEINPUTS_H
#define TDA_LIB_HOST_REFERENCEINPUTS_H

#include "tda/Host/Arguments.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace tda::host {

/// Keys of a panel: what one call of `scorePanel` handles.
constexpr int64_t kPanel = 8;

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline double dot(const double *a, const double *b, int64_t size) {
  double sum = 0;
  for (int64_t c = 0; c < size; ++c)
    sum += a[c] * b[c];
  return sum;
}

inline double maxAbsOf(const double *row, int64_t size) {
  double result = 0;
  for (int64_t c = 0; c < size; ++c)
    result = std::max(result, std::fabs(row[c]));
  return result;
}

/// k of one view as doubles: for each (batch, kv head), panels of eight keys,
/// each [d][8], the last one filled up with zeros.
struct PackedKeys {
  std::vector<double> values;
  int64_t panels = 0; ///< Of one head.
  int64_t d = 0;
  std::vector<double> maxNorm; ///< [B * Hkv]: the largest ||k(j)||.
  std::vector<double> maxAbs;  ///< [B * Hkv]: the largest |k(j, c)|.

  const double *panel(int64_t head, int64_t index) const {
    return values.data() + (head * panels + index) * d * kPanel;
  }
};

/// Everything that the tiles read.
struct ReferenceInputs {
  Lengths lengths;
  int64_t offset = 0;
  double kappa = 1.0;
  const HostTensor *q[2] = {};
  PackedKeys k[2];
  std::vector<double> v;      ///< [B, Hkv, Nk, Dv]
  std::vector<double> beta;   ///< One element, or [Hq].
  std::vector<double> lambda; ///< One element, [Hq] or [B, Hq, Nq].
  std::vector<double> gain;   ///< [Dv], or empty.
};

/// Row `index` of q or k as doubles. With `normalize`, x / max(||x||, 1e-12)
/// in f32 (of a norm rounded once), rounded to the type of the tensor.
void readRow(const Problem &problem, const HostTensor &tensor, int64_t index,
             double *row);

/// Checks the operands, in the order of `inputSpecs`, and prepares them over
/// `threads` threads.
bool readInputs(const Problem &problem,
                const std::vector<const HostTensor *> &tensors,
                unsigned threads, ReferenceInputs &in, std::string &error);

} // namespace tda::host

#endif // TDA_LIB_HOST_REFERENCEINPUTS_H
