//===- LaunchCases.cpp - What one launch after the other does not show ----===//
//
// Many launches of one call, launches on two streams at once, and launches in a
// graph: each must give the bits of a launch alone.
//
//===----------------------------------------------------------------------===//
#include "Session.h"

#include <thread>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

//===----------------------------------------------------------------------===//
// One call often
//===----------------------------------------------------------------------===//

/// Outputs poisoned before each launch.
static std::string whyChanging(const Program &program, DeviceCall &call) {
  constexpr int launches = 1000;
  std::vector<std::vector<uint8_t>> first, bytes;
  std::string error;
  for (int i = 0; i < launches; ++i) {
    if (!call.poison(error) || !call.launch(program, nullptr, error) ||
        !call.takeBytes(i ? bytes : first, error))
      return error;
    if (i && bytes != first)
      return "launch " + std::to_string(i + 1) + " gave other bits";
  }
  return "";
}

/// A short call, with each way to skip.
static void runRepeatedShort(const Session &, const KernelFamily &demo,
                             CaseResult &result) {
  const Manifest &manifest = demo.kernel.getManifest();
  host::Lengths lengths{1, 2, 1, 200, 200};
  RunInputs inputs{lengths, plantedInputs(manifest.problem, lengths, 5)};
  runChecked(demo, inputs, {}, result);
  if (result.status != CaseResult::Status::Passed)
    return;
  DeviceCall call;
  std::string error;
  if (!call.create(manifest, lengths, inputs.tensors, 0, 512, error))
    return result.fail(error);
  if (std::string why = whyChanging(demo.kernel, call); !why.empty())
    return result.fail(why);
  for (const KernelFamily::Twin &twin : demo.twins)
    if (std::string why = whyChanging(twin.program, call); !why.empty())
      return result.fail("as " + twin.what + ": " + why);
}

/// A call that fills the GPU, tiles from dense to empty: heads by their beta,
/// keys by bursts.
static void runRepeatedLong(const Session &session, CaseResult &result) {
  KernelFamily family;
  std::string error;
  if (!family.open(session.kernels, "bench_d128_bf16", session.device, error))
    return result.fail(error);
  const Manifest &manifest = family.kernel.getManifest();
  const Problem &problem = manifest.problem;
  result.problem = problem.str();
  result.schedule = manifest.schedule;
  host::Lengths lengths{1, 8, 8, 4096, 4096};
  RunInputs inputs{lengths, plantedInputs(problem, lengths, 9)};
  makeBursts(problem, 9, inputs.tensors);
  const double betas[] = {-0.5, 0.0, 0.3, 0.6, 0.8, 1.0, 1.2, 2.0};
  for (int64_t head = 0; head < lengths.Hq; ++head)
    inputs.tensors[2 * problem.views + 1].set(head, betas[head]);
  runChecked(family, inputs, {}, result);
  if (result.status != CaseResult::Status::Passed)
    return;
  DeviceCall call;
  if (!call.create(manifest, lengths, inputs.tensors, 0, 512, error))
    return result.fail(error);
  if (std::string why = whyChanging(family.kernel, call); !why.empty())
    result.fail(why);
}

//===----------------------------------------------------------------------===//
// Graphs and streams
//===----------------------------------------------------------------------===//

namespace {
struct Graph {
  tda_graph *graph = nullptr;
  ~Graph() {
    if (graph)
      tda_graph_destroy(graph);
  }
};
} // namespace

/// A captured launch does nothing until it is replayed, and then the same.
static void runGraph(const Session &, const KernelFamily &demo,
                     CaseResult &result) {
  const Manifest &manifest = demo.kernel.getManifest();
  host::Lengths lengths{2, 4, 1, 200, 200};
  std::vector<HostTensor> inputs = plantedInputs(manifest.problem, lengths, 7);
  DeviceCall call;
  Stream stream;
  Graph graph;
  std::vector<HostTensor> poisoned, expected, outputs;
  std::string error;
  if (!call.create(manifest, lengths, inputs, 0, 512, error) ||
      !call.collect(poisoned, error) ||
      !call.run(demo.kernel, nullptr, expected, error) || !call.poison(error) ||
      !stream.create(error))
    return result.fail(error);

  bool began = tda_graph_begin(stream.get()) == TDA_OK;
  bool launched = began && call.launch(demo.kernel, stream.get(), error);
  bool ended = began && tda_graph_end(stream.get(), &graph.graph) == TDA_OK;
  if (!launched || !ended)
    return result.fail("capture: " +
                       (error.empty() ? tda_last_error() : error));
  if (!call.collect(outputs, error))
    return result.fail(error);
  if (std::string why = whyDifferent(outputs, poisoned); !why.empty())
    return result.fail("the capture itself wrote: " + why);

  for (int replay = 1; replay <= 3; ++replay) {
    if (!call.poison(error))
      return result.fail(error);
    if (tda_graph_launch(graph.graph, stream.get()) != TDA_OK)
      return result.fail(tda_last_error());
    if (!stream.synchronize(error) || !call.collect(outputs, error))
      return result.fail(error);
    if (std::string why = whyDifferent(outputs, expected); !why.empty())
      return result.fail("replay " + std::to_string(replay) + ": " + why);
  }

  // A graph has the address of beta, not its value.
  size_t at = 2 * manifest.problem.views + 1;
  HostTensor &beta = inputs[at];
  for (int64_t i = 0; i < beta.numElements(); ++i)
    beta.set(i, 0.1 + 0.2 * double(i));
  if (!call.assign(at, beta, error) || !call.poison(error))
    return result.fail(error);
  if (tda_graph_launch(graph.graph, stream.get()) != TDA_OK)
    return result.fail(tda_last_error());
  std::vector<HostTensor> changed;
  if (!stream.synchronize(error) || !call.collect(outputs, error) ||
      !call.run(demo.kernel, nullptr, changed, error))
    return result.fail(error);
  if (std::string why = whyDifferent(outputs, changed); !why.empty())
    return result.fail("replay with another beta: " + why);
  if (whyDifferent(changed, expected).empty())
    return result.fail("another beta changed nothing");
}

/// One of the threads below: many launches in a row, results as when alone.
static std::string launchOften(const Session &session, const Program &program,
                               DeviceCall &call,
                               const std::vector<HostTensor> &expected) {
  Stream stream;
  std::string error;
  if (tda_device_use(session.device) != TDA_OK)
    return tda_last_error();
  if (!stream.create(error))
    return error;
  for (int round = 0; round < 3; ++round) {
    if (!call.poison(error))
      return error;
    for (int i = 0; i < 20; ++i)
      if (!call.launch(program, stream.get(), error))
        return error;
    std::vector<HostTensor> outputs;
    if (!stream.synchronize(error) || !call.collect(outputs, error))
      return error;
    if (std::string why = whyDifferent(outputs, expected); !why.empty())
      return why;
  }
  return "";
}

static void runStreams(const Session &session, const KernelFamily &demo,
                       CaseResult &result) {
  const Manifest &manifest = demo.kernel.getManifest();
  host::Lengths lengths[2] = {{1, 4, 1, 500, 500}, {2, 2, 2, 333, 333}};
  DeviceCall calls[2];
  std::vector<HostTensor> expected[2];
  std::string whys[2];
  for (int i = 0; i < 2; ++i) {
    std::vector<HostTensor> inputs =
        plantedInputs(manifest.problem, lengths[i], 11 + i);
    std::string error;
    if (!calls[i].create(manifest, lengths[i], inputs, i, 512, error) ||
        !calls[i].run(demo.kernel, nullptr, expected[i], error))
      return result.fail(error);
  }
  // Where there is one, the second stream has the persistent twin.
  const Program *programs[2] = {&demo.kernel, &demo.kernel};
  for (const KernelFamily::Twin &twin : demo.twins)
    if (twin.what == "persistent")
      programs[1] = &twin.program;
  auto work = [&](int i) {
    whys[i] = launchOften(session, *programs[i], calls[i], expected[i]);
  };
  std::thread first(work, 0), second(work, 1);
  first.join();
  second.join();
  for (int i = 0; i < 2; ++i)
    if (!whys[i].empty())
      return result.fail("stream " + std::to_string(i) + ": " + whys[i]);
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

void tda::gputest::runLaunchCases(const Session &session,
                                  const KernelFamily &demo, Report &report) {
  runSpecial(
      session, report, "special: 1000 launches, short",
      [&](CaseResult &result) { runRepeatedShort(session, demo, result); });
  runSpecial(session, report, "special: 1000 launches, long",
             [&](CaseResult &result) { runRepeatedLong(session, result); });
  runSpecial(session, report, "special: graph capture and replay",
             [&](CaseResult &result) { runGraph(session, demo, result); });
  runSpecial(session, report, "special: two streams from two threads",
             [&](CaseResult &result) { runStreams(session, demo, result); });
}
