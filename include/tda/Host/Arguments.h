//===- Arguments.h - What a problem's function takes and gives -*- C++ -*-===//
//
// The one place that knows the order, types and shapes of the arguments of
// the function that stands for a problem, as `tda-compile --attention` makes
// it.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_HOST_ARGUMENTS_H
#define TDA_HOST_ARGUMENTS_H

#include "tda/Host/HostTensor.h"
#include "tda/Problem.h"

#include <string>
#include <vector>

namespace tda::host {

/// The run-time lengths of one call.
struct Lengths {
  int64_t B = 0;   ///< Batch.
  int64_t Hq = 0;  ///< Query heads.
  int64_t Hkv = 0; ///< Key and value heads; divides Hq.
  int64_t Nq = 0;  ///< Queries.
  int64_t Nk = 0;  ///< Keys.
};

/// One argument or result.
struct ArgumentSpec {
  std::string name;
  DType dtype = DType::F32;
  /// One entry a dimension: "B", "Hq", "Hkv", "Nq", "Nk" or a decimal number.
  std::vector<std::string> shape;
};

/// In order: q1, k1, q2, k2, v, beta, lambda (one view: q, k, v, beta), then
/// where the problem has them kappa (f32 []), offset (i64 []), gain (f32
/// [Dv]). q: [B, Hq, Nq, D], k: [B, Hkv, Nk, D], v: [B, Hkv, Nk, Dv] in the
/// problem's dtype; beta and lambda are f32 and of their extents.
std::vector<ArgumentSpec> inputSpecs(const Problem &problem);

/// o [B, Hq, Nq, Dv] in the problem's dtype, then with `stats` survivors, i32
/// [views, B, Hq, Nq].
std::vector<ArgumentSpec> outputSpecs(const Problem &problem);

/// "[B, Hkv, Nk, 64]".
std::string shapeText(const ArgumentSpec &spec);

/// The numbers that a spec's shape stands for.
std::vector<int64_t> concreteShape(const ArgumentSpec &spec,
                                   const Lengths &lengths);

/// Empty when the lengths are legal: none negative, at least one head of each
/// kind and Hkv divides Hq. Otherwise one sentence.
std::string checkLengths(const Lengths &lengths);

/// Checks number, dtype, rank and shape of the tensors against the specs and
/// infers the lengths; then `checkLengths`. The first thing that does not fit
/// is named in `error`.
bool bindLengths(const std::vector<ArgumentSpec> &specs,
                 const std::vector<const HostTensor *> &tensors,
                 Lengths &lengths, std::string &error);

} // namespace tda::host

#endif // TDA_HOST_ARGUMENTS_H
