//===- DeviceRun.h - Verify and time kernels on this GPU -------*- C++ -*-===//
//
// What the measuring child does. Timing: CUDA events around each launch, all
// queued ahead; inputs rotate over copies that together exceed the L2 twice, so
// that each run finds it cold, outside the timed span; a warm-up before. Short
// kernels run several times between two events.
// Verification comes first: outputs and workspace poisoned with NaN, sampled
// rows against float64, a short ragged call against float64 in full, and every
// bit against the form of the candidate that skips nothing. After the timed
// runs the output must still be the same bits.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_GPU_DEVICERUN_H
#define TDA_AUTOTUNE_GPU_DEVICERUN_H

#include "autotune/Record.h"
#include "autotune/gpu/SampledReference.h"
#include "tda/runtime.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tda::tune {

/// How timings are taken; a change increases kPolicyVersion.
struct MeasurePolicy {
  double warmMs = 3;         ///< Before the timed runs.
  double timedMs = 15;       ///< Of timed runs, about.
  int fewest = 7, most = 60; ///< Timed runs.
  /// Of a kernel that takes less, several launches are one run, in a graph: the
  /// host would not keep ahead of single ones.
  double batchBelowMs = 0.1;
  double batchMs = 0.3; ///< Such a run takes about this; 32 launches at most.
  int hopeless = 3;     ///< Timed runs of what is over 2.5 times the best.
  size_t coldBytes = size_t(100) << 20; ///< Twice the L2 of an H100.
};

struct Buffer;
struct Call;

class DeviceRun {
public:
  explicit DeviceRun(int device, MeasurePolicy policy = MeasurePolicy());
  ~DeviceRun();

  bool open(DeviceFacts &facts, std::string &error);
  bool begin(const Workload &workload, const std::string &realFolder,
             Achieved &achieved, std::string &error);
  /// Measures the kernel of a manifest against that of its skip-off form (may
  /// be the same, or empty). `bestUs`: fastest so far, 0 where none.
  void measure(const std::string &manifest, const std::string &skipOff,
               double bestUs, Sample &sample);
  /// Whether the context is lost: nothing more can be measured by this process.
  bool isLost() const { return lost; }

private:
  bool good(tda_status status, std::string &error);
  tda_program *open(const std::string &manifest, std::string &error);
  bool launch(tda_program *program, Call &call, size_t copy,
              std::string &error);
  bool runOnce(tda_program *program, Call &call, host::HostTensor &o,
               uint64_t &hash, std::string &error);
  std::string whyWrong(const std::string &manifest, tda_program *program,
                       const std::string &skipOff, double &relative,
                       uint64_t &hash);
  std::string whyWrongShort(const std::string &manifest, tda_program *program);
  bool time(tda_program *program, double bestUs, Sample &sample,
            std::string &error);

  int device;
  bool lost = false;
  MeasurePolicy policy;
  void *stream = nullptr;
  Workload workload;
  SampledReference reference;
  std::unique_ptr<Call> call, shortCall;
  std::unique_ptr<SampledReference> shortReference;
  std::unique_ptr<Buffer> workspace;
  std::string shortProblem;
  host::HostTensor output; ///< As downloaded last; keeps its memory.
  std::map<std::string, uint64_t> skipOffHashes;    ///< Of this workload.
  std::map<std::string, std::string> shortVerdicts; ///< By manifest.
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_DEVICERUN_H
