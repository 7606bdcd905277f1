//===- Session.h - What a run of tda-gpu-test works on ---------*- C++ -*-===//
#ifndef TDA_TOOLS_SESSION_H
#define TDA_TOOLS_SESSION_H

#include "RunCase.h"

namespace tda::gputest {

struct Session {
  std::string kernels; ///< Folder of NAME.json and NAME.ptx.
  std::string data;    ///< Folder of real/q1.npy and so on; may be empty.
  std::string filter;  ///< Only cases whose name contains it.
  size_t sample = 0;   ///< > 0: that many short grid cases and nothing else.
  unsigned jobs = 1;   ///< Kernels at once.
  int device = 0;
  tda_device_info info{};

  bool wants(const std::string &name) const {
    return name.find(filter) != std::string::npos;
  }
};

/// Enters NAME.cubin, where there is one, into each manifest.
bool nameCubins(const std::string &folder,
                const std::vector<std::string> &names, std::string &error);

/// Of all kernels, those that are timed, and those that run the grid: neither
/// timed nor the twin of another.
std::vector<std::string> benchKernels(const std::vector<std::string> &all);
std::vector<std::string> gridKernels(const std::vector<std::string> &all);

/// The cases of every kernel in the grid that the session wants.
void runGrid(const Session &session, const std::vector<std::string> &kernels,
             Report &report);
/// Their number; fills `error` where a manifest cannot be read.
size_t countGrid(const Session &session,
                 const std::vector<std::string> &kernels, std::string &error);

/// Whether the folder has as many distinct schedules as its target should.
void runCoverage(const Session &session,
                 const std::vector<std::string> &kernels, Report &report);

/// Real tensors and empty lengths on the kernel `demo`, the first also on those
/// called demo_* (SpecialCases.cpp); many launches, graphs and streams
/// (LaunchCases.cpp); calls that must be refused (ErrorCases.cpp).
void runSpecialCases(const Session &session,
                     const std::vector<std::string> &kernels, Report &report);
void runLaunchCases(const Session &session, const KernelFamily &demo,
                    Report &report);
void runErrorCases(const Session &session, const KernelFamily &demo,
                   Report &report);
/// Runs one of them if the session wants it.
template <typename Fn>
void runSpecial(const Session &session, Report &report, const std::string &name,
                Fn run) {
  if (!session.wants(name))
    return;
  CaseResult result;
  result.name = name;
  run(result);
  report.add(std::move(result));
}

/// Times the kernels called bench_*; false and `error` where one cannot run.
bool runBench(const Session &session, const std::vector<std::string> &kernels,
              Report &report, std::string &error);

} // namespace tda::gputest

#endif // TDA_TOOLS_SESSION_H
