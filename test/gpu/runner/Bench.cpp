//===- Bench.cpp - How fast the kernels are -------------------------------===//
//
// One call with CUDA events around it, the median of 15 after a warm-up. Work
// is counted as if nothing were skipped: 6 D FLOP a visible pair, two products
// with q and k and one with v.
//
//===----------------------------------------------------------------------===//
#include "Session.h"

#include <algorithm>
#include <cmath>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

static constexpr host::Lengths lengths{1, 16, 16, 8192, 8192};
static constexpr int warmups = 3, repeats = 15;

namespace {
struct Event {
  void *event = nullptr;
  Event() { tda_event_create(&event); }
  ~Event() { tda_event_destroy(event); }
};
} // namespace

/// Milliseconds of one call.
static bool timeCall(const Program &program, DeviceCall &call, double &median,
                     std::string &error) {
  Stream stream;
  Event start, stop;
  std::vector<float> times;
  if (!stream.create(error))
    return false;
  for (int i = 0; i < warmups + repeats; ++i) {
    float milliseconds = 0;
    tda_event_record(start.event, stream.get());
    if (!call.launch(program, stream.get(), error))
      return false;
    tda_event_record(stop.event, stream.get());
    if (tda_event_elapsed(start.event, stop.event, &milliseconds) != TDA_OK) {
      error = tda_last_error();
      return false;
    }
    if (i >= warmups)
      times.push_back(milliseconds);
  }
  std::sort(times.begin(), times.end());
  median = times[repeats / 2];
  return true;
}

static bool benchKernel(const Session &session, const std::string &name,
                        Report &report, std::string &error) {
  Program program;
  if (!program.open(session.kernels + "/" + name + ".json", session.device,
                    error))
    return false;
  const Manifest &manifest = program.getManifest();
  const Problem &problem = manifest.problem;
  std::vector<HostTensor> inputs = host::randomInputs(problem, lengths, 1);
  size_t beta = 2 * problem.views + 1;
  double pairs = double(lengths.B * lengths.Hq) * double(lengths.Nq) *
                 double(lengths.Nq + 1) / 2;
  for (double value : {0.0, 1.0}) {
    for (int64_t i = 0; i < inputs[beta].numElements(); ++i)
      inputs[beta].set(i, value);
    DeviceCall call;
    std::vector<HostTensor> outputs;
    double milliseconds = 0;
    if (!call.create(manifest, lengths, inputs, 0, 0, error) ||
        !timeCall(program, call, milliseconds, error) ||
        !call.collect(outputs, error))
      return false;
    // A kernel that wrote nothing would be fast.
    for (int64_t i = 0; i < outputs[0].numElements(); i += 997) {
      if (std::isfinite(outputs[0].at(i)))
        continue;
      error = "the output is not finite";
      return false;
    }
    double teraflops =
        pairs * 6 * double(problem.d) / (milliseconds * 1e-3) / 1e12;
    report.add(Timing{name, value, milliseconds, teraflops});
  }
  return true;
}

bool tda::gputest::runBench(const Session &session,
                            const std::vector<std::string> &kernels,
                            Report &report, std::string &error) {
  for (const std::string &name : kernels) {
    if (!session.wants(name))
      continue;
    if (!benchKernel(session, name, report, error)) {
      error = name + ": " + error;
      return false;
    }
  }
  return true;
}
