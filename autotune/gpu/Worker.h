//===- Worker.h - Measure in a child process -------------------*- C++ -*-===//
//
// A candidate may hang, or fault and take the device's context with it. So a
// child process measures, and its parent waits for each answer for a limited
// time, then kills it, records the candidate as failed and starts another.
// They speak JSON, one line a request and an answer.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_GPU_WORKER_H
#define TDA_AUTOTUNE_GPU_WORKER_H

#include "autotune/Measure.h"

#include <functional>
#include <string>
#include <vector>

namespace tda::tune {

/// The child: answers requests on the standard input until it ends; returns
/// what the process exits with. `realFolder`: see makeInputs.
int runWorker(int device, const std::string &realFolder);

/// The parent.
class WorkerMeasure : public Measure {
public:
  struct Options {
    std::vector<std::string> command; ///< The child's program and arguments.
    double startSeconds = 60;   ///< For the driver, and for making inputs.
    double measureSeconds = 20; ///< For one candidate, verified and timed.
    int starts = 50;            ///< Children in all; then nothing goes on.
    /// Path of the manifest of a schedule; empty where there is none.
    std::function<std::string(const Problem &, const Schedule &)> manifest;
  };
  explicit WorkerMeasure(Options options) : options(std::move(options)) {}
  ~WorkerMeasure() override { stop(); }

  /// Starts the child. False and `error` where it finds no GPU.
  bool open(std::string &error);

  DeviceFacts device() override { return facts; }
  bool begin(const Workload &workload, Achieved &achieved,
             std::string &error) override;
  bool measure(const Schedule &schedule, Sample &sample,
               std::string &error) override;

private:
  enum class Reply { Good, TimedOut, Died };
  Reply ask(const std::string &request, std::string &answer, double seconds);
  bool start(std::string &error);
  bool beginAgain(std::string &error, Achieved *achieved);
  void stop();

  Options options;
  DeviceFacts facts;
  Workload workload;
  double bestUs = 0;
  bool begun = false;
  int pid = 0, toChild = -1, fromChild = -1, started = 0;
  std::string pending;  ///< Read, but not asked for yet.
  std::string exitText; ///< How the last child ended.
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_WORKER_H
