//===- Tuner.cpp - Find the best schedule of a workload -------------------===//
#include "autotune/Tuner.h"

#include "autotune/Surrogate.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <set>

using namespace tda;
using namespace tda::tune;

namespace {

using Clock = std::chrono::steady_clock;

class Search {
public:
  Search(const Workload &workload, const Target &target,
         const TuneOptions &options, Measure *measure, Builder *builder,
         TuneResult &result)
      : workload(workload), target(target), options(options), measure(measure),
        builder(builder), result(result), entry(result.entry) {}

  bool run(const Entry *known, std::string &error);

private:
  bool rankAll(std::string &error);
  void reuse(const Entry &known);
  bool search(std::string &error);
  bool measureSome(const std::vector<Schedule> &some, std::string &error);
  bool measureOne(const Schedule &schedule, std::string &error);
  bool settle(std::string &error);
  bool isOver();
  /// The next candidates, the most promising first.
  std::vector<Schedule> propose(size_t count);
  std::vector<Schedule> firstProposal(size_t count);
  void build(const std::vector<Schedule> &schedules);
  void note(Sample sample);
  void saveAndReport();
  double predictedUs(const Schedule &schedule) const {
    for (const Ranked &one : result.ranking)
      if (one.schedule == schedule)
        return one.prediction.us;
    return predict(workload, schedule, target, *model).us;
  }
  bool isOpen(const Schedule &schedule) const {
    return !closed.count(schedule.str());
  }
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  const Workload &workload;
  const Target &target;
  const TuneOptions &options;
  Measure *measure;
  Builder *builder;
  TuneResult &result;
  Entry &entry;
  const DeviceModel *model = nullptr;
  std::optional<SteadyMeasure> steady;
  std::set<std::string> closed; ///< Measured, failed or known.
  std::vector<std::pair<Schedule, Built>> built;
  int taken = 0;
  Clock::time_point start = Clock::now();
};

bool Search::rankAll(std::string &error) {
  SearchSpace space(workload.problem, target, options.space);
  DeviceFacts facts = measure ? measure->device() : DeviceFacts();
  model = &deviceModel(facts.name, target);
  entry.key = makeKey(workload, target, facts, options.ptxas, space.hash());
  entry.created = timeText();
  entry.compiler = options.compiler;
  if (std::string why = whyUnsupported(workload.problem, target);
      !why.empty()) {
    error = fmt::format("{}: {}", target.name, why);
    return false;
  }
  if (target.path == Path::Vector) {
    error = "cpu: there is nothing to tune, its schedule has one form; name a "
            "GPU with --arch";
    return false;
  }
  result.space = constrain(space.candidates(), workload.problem, target);
  if (result.space.legal.empty()) {
    error = fmt::format("no candidate of {} fits '{}':\n{}",
                        result.space.rejected.size(), workload.problem.str(),
                        result.space.summary());
    return false;
  }
  result.ranking = rank(result.space.legal, workload, target, *model);
  std::string why;
  if (!defaultSchedule(workload.problem, target, entry.byDefault, why))
    entry.byDefault = result.ranking[0].schedule;
  entry.winner = choosePredicted(result.ranking, entry.byDefault);
  return true;
}

void Search::note(Sample sample) {
  sample.predicted = predictedUs(sample.schedule);
  sample.sharedBytes = sharedBytes(sample.schedule, workload.problem);
  for (const auto &[schedule, one] : built)
    if (schedule == sample.schedule) {
      sample.registers = one.registers;
      sample.ptx = one.ptx;
    }
  if (Sample *there = entry.find(sample.schedule)) {
    sample.order = there->order;
    *there = std::move(sample);
  } else {
    entry.samples.push_back(std::move(sample));
  }
}

void Search::build(const std::vector<Schedule> &schedules) {
  if (!builder)
    return;
  std::vector<Schedule> fresh;
  for (const Schedule &schedule : schedules) {
    bool there = false;
    for (const auto &[other, one] : built)
      there |= other == schedule;
    if (!there)
      fresh.push_back(schedule);
  }
  std::vector<Built> results = builder->build(workload.problem, fresh);
  for (size_t i = 0; i < fresh.size(); ++i) {
    built.emplace_back(fresh[i], results[i]);
    if (results[i].good)
      continue;
    Sample sample;
    sample.schedule = fresh[i];
    sample.status = Sample::Status::Failed;
    sample.reason = results[i].reason;
    note(sample);
    closed.insert(fresh[i].str());
  }
}

void Search::reuse(const Entry &known) {
  std::vector<Schedule> schedules;
  for (const Sample &sample : known.samples)
    if (sample.measured())
      schedules.push_back(sample.schedule);
  build(schedules);
  for (const Sample &sample : known.samples) {
    if (!sample.measured())
      continue;
    bool same = !builder;
    for (const auto &[schedule, one] : built)
      if (schedule == sample.schedule)
        same = one.good && one.ptx == sample.ptx;
    if (!same || whyIllegal(sample.schedule, workload.problem, target) != "")
      continue;
    entry.samples.push_back(sample);
    closed.insert(sample.schedule.str());
  }
}

bool Search::isOver() {
  if (options.stopped && options.stopped()) {
    result.interrupted = true;
    result.note = "stopped";
    return true;
  }
  if (seconds() > options.seconds) {
    result.interrupted = true;
    result.note = fmt::format("the time was up after {:.0f} s", seconds());
    return true;
  }
  return !options.exhaustive && taken >= options.candidates;
}

void Search::saveAndReport() {
  if (const Sample *best = chooseMeasured(entry.samples)) {
    entry.winner = best->schedule;
    entry.measured = true;
  }
  entry.tuningSeconds = seconds();
  if (options.save && entry.measured)
    options.save(entry);
  if (!options.report)
    return;
  Progress progress;
  progress.measured = taken;
  progress.budget =
      options.exhaustive ? int(result.space.legal.size()) : options.candidates;
  progress.seconds = seconds();
  double each = seconds() / std::max(taken, 1);
  progress.secondsLeft =
      std::max(0.0, std::min(options.seconds - seconds(),
                             each * std::max(0, progress.budget - taken)));
  if (const Sample *best =
          entry.measured ? entry.find(entry.winner) : nullptr) {
    progress.bestUs = best->median;
    progress.best = best->schedule;
  }
  options.report(progress);
}

bool Search::settle(std::string &error) {
  std::vector<Sample> repeated;
  if (!steady->settle(repeated, error))
    return false;
  for (Sample &sample : repeated)
    note(sample);
  entry.disturbed |= steady->disturbed();
  return true;
}

bool Search::measureOne(const Schedule &schedule, std::string &error) {
  Sample sample;
  bool first = taken == 0;
  if (!(first ? steady->begin(schedule, sample, error)
              : steady->measure(schedule, sample, error)))
    return false;
  sample.order = taken++;
  closed.insert(schedule.str());
  note(sample);
  if (Sample *there = entry.find(schedule))
    there->order = sample.order;
  if (steady->isDue() && !settle(error))
    return false;
  saveAndReport();
  return true;
}

/// The cost model's best, each unlike those before it.
std::vector<Schedule> Search::firstProposal(size_t count) {
  std::vector<Schedule> chosen;
  for (int apart = 2; apart >= 0 && chosen.size() < count; --apart)
    for (const Ranked &one : result.ranking) {
      if (chosen.size() >= count)
        break;
      bool unlike = isOpen(one.schedule);
      for (const Schedule &other : chosen)
        unlike &= distance(one.schedule, other) >= std::max(apart, 1);
      if (unlike)
        chosen.push_back(one.schedule);
    }
  return chosen;
}

std::vector<Schedule> Search::propose(size_t count) {
  std::vector<Surrogate::Observation> seen;
  for (const Sample &sample : entry.samples)
    if (sample.measured())
      seen.push_back(
          {sample.schedule, predictedUs(sample.schedule), sample.median});
  if (seen.size() < 2)
    return firstProposal(count);
  const Sample *best = chooseMeasured(entry.samples);
  Surrogate surrogate(seen);
  struct Option {
    const Schedule *schedule;
    double hoped;
    bool near;
  };
  std::vector<Option> list;
  for (const Ranked &one : result.ranking) {
    if (!isOpen(one.schedule))
      continue;
    Surrogate::Estimate e = surrogate.estimate(one.schedule, one.prediction.us);
    list.push_back({&one.schedule, e.us * (1 - 0.7 * e.spread),
                    distance(one.schedule, best->schedule) == 1});
  }
  std::stable_sort(
      list.begin(), list.end(),
      [](const Option &a, const Option &b) { return a.hoped < b.hoped; });
  std::vector<Schedule> chosen;
  for (const Option &option : list) // the best neighbour of the best so far
    if (option.near && count > 1) {
      chosen.push_back(*option.schedule);
      break;
    }
  for (const Option &option : list)
    if (chosen.size() < count && std::find(chosen.begin(), chosen.end(),
                                           *option.schedule) == chosen.end())
      chosen.push_back(*option.schedule);
  return chosen;
}

/// Candidates that are compiled before any of them is measured.
static constexpr size_t kChunk = 16;

bool Search::measureSome(const std::vector<Schedule> &some,
                         std::string &error) {
  if (options.stopped && options.stopped())
    return isOver(), true;
  std::vector<Schedule> wanted;
  std::set<std::string> seen;
  for (const Schedule &schedule : some)
    for (const Schedule &one : {schedule, skipOffForm(schedule)})
      if (seen.insert(one.str()).second)
        wanted.push_back(one);
  build(wanted);
  for (const Schedule &schedule : some) {
    // The yardstick is measured even where its time is known, or up.
    if (taken > 0 && isOver())
      return true;
    if (!isOpen(schedule) && taken > 0)
      continue;
    const Sample *there = entry.find(schedule);
    if (there && there->status == Sample::Status::Failed)
      continue;
    if (!measureOne(schedule, error))
      return false;
  }
  return true;
}

bool Search::search(std::string &error) {
  steady.emplace(*measure, options.steady);
  // The default is the yardstick: first, and looked at again and again.
  size_t all = options.exhaustive ? result.ranking.size()
                                  : size_t(std::max(options.candidates, 1));
  std::vector<Schedule> next = firstProposal(std::max<size_t>(all / 3, 2));
  if (options.exhaustive) {
    next.clear();
    for (const Ranked &one : result.ranking)
      if (isOpen(one.schedule))
        next.push_back(one.schedule);
  }
  next.erase(std::remove(next.begin(), next.end(), entry.byDefault),
             next.end());
  // The yardstick alone first: there is a result even where the time is short.
  if (!measureSome({entry.byDefault}, error))
    return false;
  while (!next.empty() && !isOver()) {
    size_t count = std::min(next.size(), kChunk);
    std::vector<Schedule> some(next.begin(), next.begin() + count);
    next.erase(next.begin(), next.begin() + count);
    if (!measureSome(some, error))
      return false;
    if (next.empty())
      next = propose(2);
  }
  return settle(error);
}

bool Search::run(const Entry *known, std::string &error) {
  if (!rankAll(error))
    return false;
  if (!measure) {
    for (const Ranked &one : result.ranking) {
      Sample sample;
      sample.schedule = one.schedule;
      note(sample);
    }
    entry.tuningSeconds = seconds();
    return true;
  }
  if (!measure->begin(workload, entry.achieved, error))
    return false;
  if (known && known->key.sameConditions(entry.key))
    reuse(*known);
  bool good = search(error);
  saveAndReport();
  if (!good)
    return false;
  if (!entry.measured) {
    error = result.interrupted ? "nothing was measured: " + result.note
                               : "every candidate failed:\n";
    for (const Sample &sample : entry.samples)
      if (!result.interrupted && sample.status == Sample::Status::Failed)
        error +=
            fmt::format("  {}: {}\n", sample.schedule.str(), sample.reason);
  }
  return entry.measured;
}

} // namespace

bool tune::tune(const Workload &workload, const Target &target,
                const TuneOptions &options, Measure *measure, Builder *builder,
                const Entry *known, TuneResult &result, std::string &error) {
  result = TuneResult();
  return Search(workload, target, options, measure, builder, result)
      .run(known, error);
}
