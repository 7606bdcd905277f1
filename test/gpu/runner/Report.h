//===- Report.h - What became of each case ---------------------*- C++ -*-===//
#ifndef TDA_TOOLS_REPORT_H
#define TDA_TOOLS_REPORT_H

#include "tda/device.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace tda::gputest {

struct CaseResult {
  enum class Status { Passed, Failed, Skipped };

  std::string name;
  std::string problem, schedule; ///< As text; empty where there is none.
  Status status = Status::Passed;
  std::string why; ///< Of a failure or a skip.
  uint64_t seed = 0;
  double error = 0; ///< Relative error of o, and its limit; 0: not measured.
  double limit = 0;
  int64_t survivors = 0; ///< By the reference, and how many counts differ by.
  int64_t survivorDifference = 0;

  void fail(std::string reason);
  void skip(std::string reason);
};

struct Timing {
  std::string kernel;
  double beta = 0;
  double milliseconds = 0; ///< Median.
  double teraflops = 0;
};

/// Collects results from many threads and says how it goes: failures at once,
/// a line for every 50 cases.
class Report {
public:
  explicit Report(size_t expected) : expected(expected) {}

  void add(CaseResult result);
  void add(Timing timing);

  /// Distinct ones among the kernels; 0: not counted.
  size_t schedules = 0;

  /// Prints how many schedules, and 'N passed, N failed, N skipped' and returns
  /// the exit code.
  int finish();

  /// Writes everything as JSON.
  bool write(const std::string &path, const tda_device_info &device,
             size_t kernels, std::string &error) const;

private:
  size_t count(CaseResult::Status status) const;

  std::mutex mutex;
  size_t expected;
  std::vector<CaseResult> results;
  std::vector<Timing> timings;
};

} // namespace tda::gputest

#endif // TDA_TOOLS_REPORT_H
