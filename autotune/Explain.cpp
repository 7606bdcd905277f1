//===- Explain.cpp - Why a winner wins ------------------------------------===//
#include "autotune/Tuner.h"

#include <algorithm>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

/// The part that takes most of what does not overlap.
static const char *boundBy(const Prediction &p) {
  double most = std::max({p.tensorUs, p.scalarUs, p.memoryUs, p.otherUs});
  return most == p.tensorUs   ? "matrix products"
         : most == p.scalarUs ? "thresholds and masks"
         : most == p.memoryUs ? "panels from L2"
                              : "latency and prologues";
}

static std::string line(const Sample &s, const char *what) {
  std::string text =
      fmt::format("  {:<8} {}\n           ", what, s.schedule.str());
  if (s.measured())
    text += fmt::format("{:.1f} us measured ({:.1f} to {:.1f}, {} runs), ",
                        s.median, s.low, s.high, s.repetitions);
  text += fmt::format("{:.1f} us predicted", s.predicted);
  if (s.measured() && s.predicted > 0)
    text += fmt::format(" ({:+.0f}%)", 100 * (s.predicted / s.median - 1));
  return text + "\n";
}

std::string tune::explain(const TuneResult &result, const Workload &workload,
                          const Target &target) {
  const Entry &entry = result.entry;
  const DeviceModel &model = deviceModel(entry.key.device.name, target);
  std::string text = fmt::format("{} on {}: {}\n", workload.str(), target.name,
                                 entry.measured ? "measured" : "predicted");
  const Sample *winner = entry.find(entry.winner);
  const Sample *byDefault = entry.find(entry.byDefault);
  if (winner)
    text += line(*winner, "winner");
  Prediction p = predict(workload, entry.winner, target, model);
  text += fmt::format("           {}\n           bound by {}\n", p.str(),
                      boundBy(p));
  if (byDefault && !(entry.winner == entry.byDefault)) {
    text += line(*byDefault, "default");
    Prediction d = predict(workload, entry.byDefault, target, model);
    text += fmt::format("           {}\n", d.str());
  }
  if (winner && byDefault && winner->measured() && byDefault->measured())
    text += fmt::format("  the winner is {:.3f} times as fast as the default\n",
                        byDefault->median / winner->median);
  if (!entry.measured && entry.winner == entry.byDefault)
    text += fmt::format("  no candidate promises {:.0f}% over the default, "
                        "which is what the model may err\n",
                        100 * (kModelMargin - 1));
  std::vector<const Sample *> others;
  for (const Sample &sample : entry.samples)
    if (sample.measured() && &sample != winner)
      others.push_back(&sample);
  std::sort(others.begin(), others.end(), [](const Sample *a, const Sample *b) {
    return a->median < b->median;
  });
  for (size_t i = 0; i < others.size() && i < 3; ++i) {
    text += line(*others[i], "next");
    if (winner && winner->measured() && others[i]->median < winner->median)
      text += fmt::format("           within noise of the winner, which takes "
                          "{} bytes of shared memory instead of {}\n",
                          winner->sharedBytes, others[i]->sharedBytes);
  }
  size_t failed = std::count_if(
      entry.samples.begin(), entry.samples.end(),
      [](const Sample &s) { return s.status == Sample::Status::Failed; });
  text +=
      fmt::format("  {} candidates, {} legal, {} measured, {} failed\n",
                  result.space.legal.size() + result.space.rejected.size(),
                  result.space.legal.size(),
                  std::count_if(entry.samples.begin(), entry.samples.end(),
                                [](const Sample &s) { return s.measured(); }),
                  failed);
  if (!entry.achieved.source.empty())
    text += fmt::format("  data: {}; {:.2f} survivors a row, {:.2f}% of 16x64 "
                        "tiles live\n",
                        entry.achieved.source, entry.achieved.survivorsPerRow,
                        100 * entry.achieved.liveTiles);
  if (entry.disturbed)
    text += "  the clock drifted while it was measured, and repeating did not "
            "help\n";
  return text;
}
