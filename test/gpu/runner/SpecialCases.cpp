//===- SpecialCases.cpp - Real tensors and empty lengths ------------------===//
#include "Session.h"

#include "tda/Host/Npy.h"

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

//===----------------------------------------------------------------------===//
// Tensors of a trained model
//===----------------------------------------------------------------------===//

static void runReal(const Session &session, const KernelFamily &demo,
                    int layout, CaseResult &result) {
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
// All of them
//===----------------------------------------------------------------------===//

/// The tensors with the demo's own schedule and with drawn ones.
static void runAllReal(const Session &session,
                       const std::vector<std::string> &kernels,
                       Report &report) {
  for (const std::string &name : kernels) {
    if (name.compare(0, 4, "demo") != 0)
      continue;
    KernelFamily family;
    std::string error;
    bool opened = family.open(session.kernels, name, session.device, error);
    for (int layout = 0; layout < NumCallLayouts; ++layout)
      runSpecial(session, report,
                 "special: real tensors, " + name + ", " +
                     callLayoutName(layout),
                 [&](CaseResult &result) {
                   if (!opened)
                     return result.fail(error);
                   runReal(session, family, layout, result);
                 });
  }
}

void tda::gputest::runSpecialCases(const Session &session,
                                   const std::vector<std::string> &kernels,
                                   Report &report) {
  runAllReal(session, kernels, report);
  KernelFamily demo;
  std::string error;
  if (!demo.open(session.kernels, "demo", session.device, error)) {
    runSpecial(session, report, "special: demo",
               [&](CaseResult &result) { result.fail(error); });
    return;
  }
  auto run = [&](const char *name, host::Lengths lengths) {
    runSpecial(session, report, name, [&](CaseResult &result) {
      const Problem &problem = demo.kernel.getManifest().problem;
      RunInputs inputs{lengths, plantedInputs(problem, lengths, 3)};
      runChecked(demo, inputs, {}, result);
    });
  };
  run("special: B = 0", {0, 4, 1, 65, 65});
  run("special: Nq = 0", {2, 4, 1, 0, 65});
  run("special: Nk = 0", {2, 4, 1, 65, 0});
  run("special: Nq = Nk = 0", {2, 4, 1, 0, 0});
  run("special: many heads and batches", {7, 48, 3, 33, 33});
  runLaunchCases(session, demo, report);
  runErrorCases(session, demo, report);
}
