//===- RunBundle.cpp - Measure what a bundle plans ------------------------===//
#include "autotune/gpu/RunBundle.h"

#include "autotune/Cache.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;
using Clock = std::chrono::steady_clock;

/// What is measured already under the conditions of `key`, in any space.
static std::optional<Entry> knownOf(const Cache &cache, const Key &key) {
  std::optional<Entry> known;
  for (Entry &entry : cache.ofProblem(key.problem, key.target, key.density))
    if (entry.key.sameConditions(key) && !entry.disturbed) {
      if (known)
        known->merge(entry);
      else
        known = std::move(entry);
    }
  return known;
}

int tune::runBundle(const Bundle &bundle, Measure &measure,
                    const RunOptions &options, std::string &error) {
  const Target *target = findTarget(bundle.target, error);
  if (!target)
    return -1;
  Cache cache(options.results.empty() ? bundle.folder + "/results"
                                      : options.results);
  BundleBuilder prebuilt(bundle);
  Builder *builder = options.builder ? options.builder : &prebuilt;
  auto start = Clock::now();
  int unfinished = 0;
  std::string storeError;
  for (size_t i = 0; i < bundle.plan.size(); ++i) {
    const Workload &workload = bundle.plan[i].workload;
    double spent = std::chrono::duration<double>(Clock::now() - start).count();
    if ((options.budget > 0 && spent >= options.budget) ||
        (options.stopped && options.stopped())) {
      ++unfinished;
      continue;
    }
    TuneOptions tuneOptions;
    tuneOptions.space = bundle.space;
    tuneOptions.candidates = bundle.candidates;
    tuneOptions.seconds = bundle.seconds;
    if (options.budget > 0)
      tuneOptions.seconds =
          std::min(tuneOptions.seconds, options.budget - spent);
    tuneOptions.exhaustive = bundle.plan[i].exhaustive;
    tuneOptions.ptxas = bundle.ptxas;
    tuneOptions.compiler = bundle.compiler;
    tuneOptions.stopped = options.stopped;
    tuneOptions.report = options.report;
    tuneOptions.save = [&](Entry &entry) { cache.store(entry, storeError); };
    if (options.next)
      options.next(workload, i, bundle.plan.size());
    Key key =
        makeKey(workload, *target, measure.device(), bundle.ptxas,
                SearchSpace(workload.problem, *target, bundle.space).hash());
    std::optional<Entry> known = knownOf(cache, key);
    TuneResult result;
    std::string why;
    bool good = tune::tune(workload, *target, tuneOptions, &measure, builder,
                           known ? &*known : nullptr, result, why);
    // A run that the clock disturbed is worth nothing: once more, from new.
    if (good && result.entry.disturbed && !result.interrupted)
      good = tune::tune(workload, *target, tuneOptions, &measure, builder,
                        nullptr, result, why);
    unfinished += !good || result.interrupted;
    if (options.done)
      options.done(workload, result, why);
    if (storeError.empty())
      continue;
    error = storeError;
    if (!options.storeFailed)
      return -1;
    options.storeFailed(error);
    storeError.clear();
  }
  return unfinished;
}
