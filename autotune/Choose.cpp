//===- Choose.cpp - Rank candidates, and choose among samples -------------===//
#include "autotune/Tuner.h"

#include <algorithm>
#include <utility>

using namespace tda;
using namespace tda::tune;

std::vector<Ranked> tune::rank(const std::vector<Schedule> &legal,
                               const Workload &workload, const Target &target,
                               const DeviceModel &device) {
  std::vector<Ranked> ranking;
  for (const Schedule &schedule : legal)
    ranking.push_back({schedule, predict(workload, schedule, target, device)});
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const Ranked &a, const Ranked &b) {
                     return a.prediction.us < b.prediction.us;
                   });
  return ranking;
}

Schedule tune::choosePredicted(const std::vector<Ranked> &ranking,
                               const Schedule &byDefault) {
  for (const Ranked &one : ranking)
    if (one.schedule == byDefault &&
        one.prediction.us < kModelMargin * ranking[0].prediction.us)
      return byDefault;
  return ranking[0].schedule;
}

const Sample *tune::chooseMeasured(const std::vector<Sample> &samples) {
  const Sample *best = nullptr;
  for (const Sample &sample : samples)
    if (sample.measured() && (!best || sample.median < best->median))
      best = &sample;
  if (!best)
    return nullptr;
  const Sample *chosen = best;
  // More than one percent is no noise, however much a sample scatters.
  auto fewer = [](const Sample &a, const Sample &b) {
    return std::make_pair(a.sharedBytes, a.schedule.warps) <
           std::make_pair(b.sharedBytes, b.schedule.warps);
  };
  for (const Sample &sample : samples)
    if (sample.measured() &&
        sample.median - best->median <=
            std::min(std::max(sample.noise(), best->noise()),
                     0.01 * best->median) &&
        fewer(sample, *chosen))
      chosen = &sample;
  return chosen;
}
