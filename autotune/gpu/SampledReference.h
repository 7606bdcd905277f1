//===- SampledReference.h - Float64 rows to compare with -------*- C++ -*-===//
//
// A whole reference of 8192 tokens would take longer than the tuning. Some rows
// of two heads are evaluated instead, early and late ones, since thresholds
// grow with the row; all other elements are compared bit for bit between
// candidates that must agree.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_GPU_SAMPLEDREFERENCE_H
#define TDA_AUTOTUNE_GPU_SAMPLEDREFERENCE_H

#include "autotune/Record.h"
#include "tda/Host/HostTensor.h"

#include <string>
#include <vector>

namespace tda::tune {

class SampledReference {
public:
  /// Evaluates on `inputs`, in the order of host::inputSpecs.
  bool evaluate(const Problem &problem, const host::Lengths &lengths,
                const std::vector<host::HostTensor> &inputs,
                std::string &error);

  /// Empty where the rows of `o`, [B, Hq, Nq, Dv], are right: finite, within
  /// the contract, dead rows exactly zero. `relative` is the error.
  std::string whyWrong(const host::HostTensor &o, double &relative) const;

  /// Survivors and live tiles of the sampled rows.
  void describe(Achieved &achieved) const;

private:
  struct Slice {
    int64_t batch = 0, head = 0, row = 0, rows = 0;
    std::vector<double> o;     ///< [rows, Dv]
    std::vector<uint8_t> dead; ///< [rows]
    double survivors = 0, liveTiles = 0;
    std::string error;
  };
  void run(Slice &slice, const std::vector<host::HostTensor> &inputs) const;

  Problem problem;
  host::Lengths lengths;
  std::vector<Slice> slices;
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_SAMPLEDREFERENCE_H
