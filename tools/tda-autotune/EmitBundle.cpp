//===- EmitBundle.cpp - Compile a plan for another machine ----------------===//
#include "Session.h"
#include "tda/Pipeline.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

using namespace tda;
using namespace tda::tune;
namespace fs = std::filesystem;

/// Leaves out what the database has measured.
static bool leaveOutMeasured(const std::string &path, const Target &target,
                             std::vector<Planned> &plan) {
  std::vector<Entry> there;
  std::vector<std::string> warnings;
  std::string error;
  if (fs::exists(path) && !readEntries(path, there, warnings, error))
    return tuneError(error), false;
  auto isThere = [&](const Planned &planned) {
    const Workload &w = planned.workload;
    return std::any_of(there.begin(), there.end(), [&](const Entry &e) {
      return e.measured && e.key.problem == w.problem.str() &&
             e.key.target == target.name && e.key.codegen == kCodegenClass &&
             e.key.shape == shapeText(w.lengths) &&
             e.key.density == w.density.name();
    });
  };
  plan.erase(std::remove_if(plan.begin(), plan.end(), isThere), plan.end());
  return true;
}

int Session::emit() {
  if (options.db && !leaveOutMeasured(*options.db, *options.target, plan))
    return 1;
  if (plan.empty()) {
    fmt::print("nothing to measure: {} has it all\n", *options.db);
    return 0;
  }
  const std::string &folder = *options.emitBundle;
  std::error_code code;
  fs::create_directories(folder + "/real", code);
  if (code)
    return tuneError(
        fmt::format("cannot create '{}': {}", folder, code.message()));
  Bundle bundle = bundleIn(folder);
  catchInterrupts();
  KernelCompiler::Options compile = compileOptions();
  compile.report = [&](size_t done, size_t of) {
    if (!options.quiet && (done % 16 == 0 || done == of))
      fmt::print(stderr, "compiled {} of {}\n", done, of);
  };
  KernelCompiler compiler(bundle, compile);
  std::string error;
  for (const auto &[workload, exhaustive] : plan) {
    TuneOptions tuneOptions;
    tuneOptions.space = options.space;
    TuneResult result;
    if (!tune::tune(workload, *options.target, tuneOptions, nullptr, nullptr,
                    nullptr, result, error))
      return tuneError(error);
    // Of a large space what ranks first, each with what it is compared to.
    size_t most = exhaustive ? result.ranking.size()
                             : size_t(std::max(96, 2 * options.candidates));
    std::vector<Schedule> wanted = {result.entry.byDefault};
    for (size_t i = 0; i < std::min(most, result.ranking.size()); ++i)
      wanted.push_back(result.ranking[i].schedule);
    std::vector<Schedule> all;
    std::set<std::string> seen;
    for (const Schedule &schedule : wanted)
      for (const Schedule &one : {schedule, skipOffForm(schedule)})
        if (seen.insert(one.str()).second)
          all.push_back(one);
    compiler.build(workload.problem, all);
    if (wasInterrupted())
      return tuneError("stopped; the bundle is not complete");
  }
  if (!bundle.write(error))
    return tuneError(error);
  for (const char *name : {"q1", "k1", "q2", "k2", "v", "beta", "lambda"}) {
    std::string file = std::string("/") + name + ".npy";
    fs::copy_file(realFolder() + file, folder + "/real" + file,
                  fs::copy_options::overwrite_existing, code);
    if (code)
      return tuneError(fmt::format("cannot copy '{}{}': {}", realFolder(), file,
                                   code.message()));
  }
  fs::copy_file(besideThis("tda-measure"), folder + "/tda-measure",
                fs::copy_options::overwrite_existing, code);
  size_t good =
      std::count_if(bundle.kernels.begin(), bundle.kernels.end(),
                    [](const BundleKernel &k) { return k.built.good; });
  fmt::print("{}: {} workloads, {} kernels, {} of them left out{}\n", folder,
             plan.size(), good, bundle.kernels.size() - good,
             code ? "; tda-measure is not beside this program, take it along"
                  : "");
  return 0;
}
