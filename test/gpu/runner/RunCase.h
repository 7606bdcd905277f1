//===- RunCase.h - One run of a kernel against float64 ---------*- C++ -*-===//
#ifndef TDA_TOOLS_RUNCASE_H
#define TDA_TOOLS_RUNCASE_H

#include "DeviceCall.h"
#include "GridCase.h"
#include "Report.h"

#include "tda/Host/Reference.h"

namespace tda::gputest {

/// Between the name of a kernel and what its twin does differently.
constexpr const char *TwinMark = "__";

/// Names of all kernels in the folder, sorted.
bool listKernels(const std::string &folder, std::vector<std::string> &names,
                 std::string &error);

/// A kernel and those that must give the same bits.
struct KernelFamily {
  struct Twin {
    std::string what; ///< "force", "steps", ...: what it does differently.
    Program program;
  };
  Program kernel;
  std::vector<Twin> twins;

  /// Opens `folder`/NAME.json and every NAME__WHAT.json there.
  bool open(const std::string &folder, const std::string &name, int device,
            std::string &error);
};

struct RunSettings {
  void *stream = nullptr;
  size_t guardBytes = 512; ///< 0 under compute-sanitizer, which is its own.
  unsigned threads = 0;    ///< Of the reference; 0: all.
};

struct RunInputs {
  host::Lengths lengths;
  std::vector<host::HostTensor> tensors;
  int layout = 0;
  /// The counts of survivors must agree exactly.
  bool exactCounts = false;
};

/// Runs the kernel twice and its twins once, outputs and workspace poisoned
/// with NaN before each, and checks: error, dead rows, counts, equal bits, and
/// that no byte outside the outputs has changed.
void runChecked(const KernelFamily &family, const RunInputs &inputs,
                const RunSettings &settings, CaseResult &result);

CaseResult runCase(const KernelFamily &family, const GridCase &gridCase,
                   const RunSettings &settings);

/// Empty where the outputs are right; otherwise what is not. Enters errors and
/// counts into `result`.
std::string whyWrong(const Problem &problem,
                     const std::vector<host::HostTensor> &outputs,
                     const host::Reference &reference, bool exactCounts,
                     CaseResult &result);

/// Empty where both have the same bytes; otherwise the first that differ.
std::string whyDifferent(const std::vector<host::HostTensor> &outputs,
                         const std::vector<host::HostTensor> &expected);

} // namespace tda::gputest

#endif // TDA_TOOLS_RUNCASE_H
