//===- Bundle.h - Kernels and a plan for another machine -------*- C++ -*-===//
//
// A folder that tda-measure runs on a machine with a GPU and no compiler:
//
//   bundle.json                   what was compiled, and what to measure
//   kernels/<hash>/attention.*    manifest, PTX and cubin of each schedule
//   real/*.npy                    the tensors of the density `real`
//   results/                      entries, as in a cache; written there
//
// Tuning on the spot uses the same folder, which then grows as it compiles.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_GPU_BUNDLE_H
#define TDA_AUTOTUNE_GPU_BUNDLE_H

#include "autotune/Tuner.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tda::tune {

constexpr const char *kBundleSchema = "tda.tuning.bundle";
constexpr int kBundleVersion = 1;

struct BundleKernel {
  std::string problem, schedule; ///< Their texts.
  Built built;
};

/// One workload of a plan.
struct Planned {
  Workload workload;
  bool exhaustive = false; ///< All candidates, for a recorded table.
};

struct Bundle {
  std::string folder;
  std::string target;
  std::string compiler; ///< Version and revision, for people.
  std::string codegen = kCodegenClass;
  int policy = kPolicyVersion;
  std::string ptxas; ///< Version that made the cubins; "": there are none.
  SpaceSize space = SpaceSize::Bounded;
  int candidates = 16;
  double seconds = 60; ///< For each workload.
  std::vector<Planned> plan;
  std::vector<BundleKernel> kernels;

  /// "kernels/<hash>".
  static std::string kernelFolder(const Problem &problem,
                                  const Schedule &schedule);
  /// Path of a kernel's manifest; empty where it was not compiled.
  std::string manifestOf(const Problem &problem,
                         const Schedule &schedule) const;
  const BundleKernel *find(const Problem &problem,
                           const Schedule &schedule) const;

  bool write(std::string &error) const; ///< bundle.json
  /// Reads FOLDER/bundle.json. A bundle of another schema version, or of code
  /// or of a way to measure that this build does not speak of, is an error that
  /// says which.
  static bool read(const std::string &folder, Bundle &bundle,
                   std::string &error);
};

/// What was compiled already.
class BundleBuilder : public Builder {
public:
  explicit BundleBuilder(const Bundle &bundle) : bundle(bundle) {}
  std::vector<Built> build(const Problem &problem,
                           const std::vector<Schedule> &schedules) override;

private:
  const Bundle &bundle;
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_BUNDLE_H
