//===- RunBundle.h - Measure what a bundle plans ---------------*- C++ -*-===//
#ifndef TDA_AUTOTUNE_GPU_RUNBUNDLE_H
#define TDA_AUTOTUNE_GPU_RUNBUNDLE_H

#include "autotune/gpu/Bundle.h"

#include <functional>

namespace tda::tune {

/// What to measure of a bundle, on its behalf or over it.
struct RunOptions {
  std::string results;        ///< Cache root; empty: FOLDER/results.
  Builder *builder = nullptr; ///< Null: only what the bundle has.
  double budget = 0;          ///< Seconds for all workloads; 0: no limit.
  std::function<bool()> stopped;
  /// Before a workload: its number from 0, of how many; and what was found.
  std::function<void(const Workload &, size_t, size_t)> next;
  std::function<void(const Progress &)> report;
  std::function<void(const Workload &, const TuneResult &,
                     const std::string &error)>
      done;
  /// Where results cannot be written. Not set: that ends the run.
  std::function<void(const std::string &error)> storeFailed;
};

/// Tunes every workload of the plan with `measure`; entries go into the
/// results, after each measurement, and what they have is not measured again.
/// The number of workloads that were not measured in full; less than none where
/// nothing can be (`error`).
int runBundle(const Bundle &bundle, Measure &measure, const RunOptions &options,
              std::string &error);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_RUNBUNDLE_H
