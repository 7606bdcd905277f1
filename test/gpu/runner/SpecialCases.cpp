//===- SpecialCases.cpp - What one run against float64 does not show ------===//
#include "Session.h"

#include "tda/Host/Npy.h"

#include <functional>
#include <thread>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

/// Inputs of the kernel `demo` that have survivors.
static RunInputs demoInputs(const Problem &problem,
                            const host::Lengths &lengths, uint64_t seed) {
  host::RandomOptions options;
  options.planted = 0.3;
  return {lengths, host::randomInputs(problem, lengths, seed, options)};
}

//===----------------------------------------------------------------------===//
// Tensors of a trained model
//===----------------------------------------------------------------------===//

static void runReal(const Session &session, const KernelPair &demo, int layout,
                    CaseResult &result) {
  if (session.data.empty())
    return result.skip("no --data");
  const Manifest &manifest = demo.kernel.getManifest();
  result.problem = manifest.problem.str();
  result.schedule = manifest.schedule;
  RunInputs inputs;
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(manifest.problem);
  std::string error;
  for (const host::ArgumentSpec &spec : specs) {
    HostTensor tensor;
    if (!host::readNpy(session.data + "/real/" + spec.name + ".npy", tensor,
                       error, spec.dtype))
      return result.fail(error);
    inputs.tensors.push_back(std::move(tensor));
  }
  if (!host::bindLengths(specs, host::pointersTo(inputs.tensors),
                         inputs.lengths, error))
    return result.fail(error);
  inputs.layout = layout;
  runChecked(demo, inputs, {}, result);
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
static void runGraph(const Session &, const KernelPair &demo,
                     CaseResult &result) {
  const Manifest &manifest = demo.kernel.getManifest();
  host::Lengths lengths{2, 4, 1, 200, 200};
  RunInputs inputs = demoInputs(manifest.problem, lengths, 7);
  DeviceCall call;
  Stream stream;
  Graph graph;
  std::vector<HostTensor> poisoned, expected, outputs;
  std::string error;
  if (!call.create(manifest, lengths, inputs.tensors, 0, 512, error) ||
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
}

/// One of the threads below: many launches in a row, results as when alone.
static std::string launchOften(const Session &session, const KernelPair &demo,
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
      if (!call.launch(demo.kernel, stream.get(), error))
        return error;
    std::vector<HostTensor> outputs;
    if (!stream.synchronize(error) || !call.collect(outputs, error))
      return error;
    if (std::string why = whyDifferent(outputs, expected); !why.empty())
      return why;
  }
  return "";
}

static void runStreams(const Session &session, const KernelPair &demo,
                       CaseResult &result) {
  const Manifest &manifest = demo.kernel.getManifest();
  host::Lengths lengths[2] = {{1, 4, 1, 500, 500}, {2, 2, 2, 333, 333}};
  DeviceCall calls[2];
  std::vector<HostTensor> expected[2];
  std::string whys[2];
  for (int i = 0; i < 2; ++i) {
    RunInputs inputs = demoInputs(manifest.problem, lengths[i], 11 + i);
    std::string error;
    if (!calls[i].create(manifest, lengths[i], inputs.tensors, i, 512, error) ||
        !calls[i].run(demo.kernel, nullptr, expected[i], error))
      return result.fail(error);
  }
  auto work = [&](int i) {
    whys[i] = launchOften(session, demo, calls[i], expected[i]);
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

void tda::gputest::runSpecialCases(const Session &session, Report &report) {
  KernelPair demo;
  std::string error;
  if (!demo.open(session.kernels, "demo", session.device, error)) {
    runSpecial(session, report, "special: demo",
               [&](CaseResult &result) { result.fail(error); });
    return;
  }
  auto run = [&](const char *name, std::function<void(CaseResult &)> body) {
    runSpecial(session, report, name, body);
  };
  auto runLengths = [&](host::Lengths lengths) {
    return [&demo, lengths](CaseResult &result) {
      const Problem &problem = demo.kernel.getManifest().problem;
      runChecked(demo, demoInputs(problem, lengths, 3), {}, result);
    };
  };
  run("special: real tensors",
      [&](CaseResult &result) { runReal(session, demo, 0, result); });
  run("special: real tensors, padded",
      [&](CaseResult &result) { runReal(session, demo, 2, result); });
  run("special: B = 0", runLengths({0, 4, 1, 65, 65}));
  run("special: Nq = 0", runLengths({2, 4, 1, 0, 65}));
  run("special: Nk = 0", runLengths({2, 4, 1, 65, 0}));
  run("special: Nq = Nk = 0", runLengths({2, 4, 1, 0, 0}));
  run("special: many heads and batches", runLengths({7, 48, 3, 33, 33}));
  run("special: graph capture and replay",
      [&](CaseResult &result) { runGraph(session, demo, result); });
  run("special: two streams from two threads",
      [&](CaseResult &result) { runStreams(session, demo, result); });
  runErrorCases(session, demo, report);
}
