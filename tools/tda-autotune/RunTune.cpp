//===- RunTune.cpp - From what is asked for to a plan ---------------------===//
#include "Session.h"
#include "tda/Compile.h"
#include "tda/device.h"

#include <cstdio>
#include <fmt/format.h>
#include <set>

using namespace tda;
using namespace tda::tune;

/// The problems of the file or the shorthand, with the lengths that types fix.
static bool loadPlan(const TuneToolOptions &options,
                     std::vector<Planned> &plan) {
  if (options.plan) {
    std::string error;
    return readPlanFile(*options.plan, plan, error) ||
           (tuneError(error), false);
  }
  auto context = makeContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string messages, error;
  Problem problem;
  if (options.attention) {
    if (!Problem::parse(*options.attention, problem, error))
      return tuneError(error), false;
    module = buildDescription(*context, problem);
  } else {
    module = loadDescription(*context, *options.file, messages);
  }
  if (module && options.function)
    module = selectFunction(*module, *options.function, messages);
  std::vector<FusedFunction> functions;
  bool good = module && fuseDescription(*module, functions, messages);
  std::set<std::string> seen;
  for (size_t i = 0; good && i < functions.size(); ++i) {
    Signature signature;
    good = describeFunction(functions[i], signature, messages);
    host::Lengths usual = usualLengths();
    const std::pair<Length, int64_t host::Lengths::*> fields[] = {
        {Length::B, &host::Lengths::B},
        {Length::Hq, &host::Lengths::Hq},
        {Length::Hkv, &host::Lengths::Hkv},
        {Length::Nq, &host::Lengths::Nq},
        {Length::Nk, &host::Lengths::Nk}};
    for (auto [length, field] : fields)
      if (auto at = signature.fixed.find(length); at != signature.fixed.end())
        usual.*field = at->second;
    std::vector<host::Lengths> shapes = options.shapes;
    if (shapes.empty())
      shapes.push_back(bucketed(usual));
    for (const host::Lengths &lengths : shapes)
      for (const Density &density : options.densities) {
        Workload workload{signature.problem, lengths, density};
        if (good && seen.insert(workload.str()).second)
          plan.push_back({std::move(workload), options.exhaustive});
      }
  }
  std::fputs(messages.c_str(), stderr);
  return good;
}

static int dryRun(const TuneToolOptions &options,
                  const std::vector<Planned> &plan) {
  TuneOptions tuneOptions;
  tuneOptions.space = options.space;
  std::vector<Entry> entries;
  for (const auto &[workload, exhaustive] : plan) {
    TuneResult result;
    std::string error;
    if (!tune::tune(workload, *options.target, tuneOptions, nullptr, nullptr,
                    nullptr, result, error))
      return tuneError(error);
    entries.push_back(result.entry);
    if (options.json)
      continue;
    fmt::print("{} on {}: {} candidates, {} legal, {} rejected\n",
               workload.str(), options.target->name,
               result.space.legal.size() + result.space.rejected.size(),
               result.space.legal.size(), result.space.rejected.size());
    for (const Rejection &one : result.space.rejected)
      fmt::print("  rejected {}: {}\n", one.schedule.str(), one.reason);
    size_t place = 0;
    for (const Ranked &one : result.ranking)
      fmt::print("  {:4} {:9.1f} us predicted  {}{}\n", ++place,
                 one.prediction.us, one.schedule.str(),
                 one.schedule == result.entry.byDefault ? "  (the default)"
                                                        : "");
    if (options.explain)
      fmt::print("{}", explain(result, workload, *options.target));
  }
  if (options.json)
    fmt::print("{}", printEntries(entries));
  return 0;
}

/// Whether the GPU here runs code for the target; else what is said instead.
static bool gpuFits(const TuneToolOptions &options, std::string &why) {
  int count = 0;
  tda_device_info info{};
  if (tda_device_count(&count) != TDA_OK || options.device >= count ||
      tda_device_query(options.device, &info) != TDA_OK) {
    why = "there is no GPU here";
    return false;
  }
  if (info.major * 10 + info.minor != options.target->computeCapability) {
    why = fmt::format("{} is no {}", info.name, options.target->name);
    return false;
  }
  return true;
}

int tda::runTune(const TuneToolOptions &options) {
  std::vector<Planned> plan;
  if (!loadPlan(options, plan))
    return 1;
  if (options.dryRun)
    return dryRun(options, plan);
  Session session(options, std::move(plan));
  if (options.emitBundle)
    return session.emit();
  std::string why = "--no-gpu";
  if (!options.noGpu && gpuFits(options, why))
    return session.measureHere();
  if (!options.quiet)
    fmt::print(stderr,
               "{}: ranked by the cost model, entries are marked "
               "'predicted'\n",
               why);
  return session.predictAll();
}
