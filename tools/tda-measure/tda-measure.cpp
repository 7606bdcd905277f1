//===- tda-measure.cpp - Measure a tuning bundle on this GPU --------------===//
//
// Small, with no LLVM and no CUDA library linked: it runs wherever there is a
// driver. It starts itself again with --worker, see autotune/gpu/Worker.h.
//
//===----------------------------------------------------------------------===//
#include "CommandLine.h"
#include "TuneProgress.h"
#include "autotune/Cache.h"
#include "autotune/Constraints.h"
#include "autotune/gpu/RunBundle.h"
#include "autotune/gpu/Worker.h"
#include "tda/Host/AtomicFile.h"
#include "tda/runtime.h"

#include <climits>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

using namespace tda;

namespace {

constexpr const char *kOverview = R"(usage: tda-measure DIR [OPTION...]

Measures what 'tda-autotune --emit-bundle DIR' wrote, on this machine's GPU:
every candidate is verified, then timed, in a process of its own that is ended
where it hangs. What is found goes into DIR/results, after each candidate, and
is not measured again by a second run. 'tda-autotune --ingest DIR' takes it from
there.
)";

constexpr const char *kExamples = R"(examples:
  tda-measure bundle
  tda-measure bundle --budget 120s

Exit code: 0; 1 after an error; 3 where something was left unmeasured.
)";

struct Options {
  std::optional<std::string> folder, device, budget, timeout, results, real,
      tables, entries;
  bool worker = false, quiet = false;
};

std::string ownPath(const char *name) {
  char path[PATH_MAX];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, size_t(size)) : name;
}

/// "120" or "120s".
bool parseSeconds(std::string text, double &seconds) {
  if (!text.empty() && text.back() == 's')
    text.pop_back();
  return parseNumber(text, seconds) && seconds > 0;
}

/// Whether nothing that could have been measured is missing.
bool isTable(const tune::Entry &entry, const tune::Bundle &bundle,
             const tune::Workload &workload) {
  std::string error;
  const Target *target = findTarget(bundle.target, error);
  tune::SearchSpace space(workload.problem, *target, bundle.space);
  for (const Schedule &schedule :
       tune::constrain(space.candidates(), workload.problem, *target).legal)
    if (const tune::Sample *sample = entry.find(schedule);
        !sample || sample->status == tune::Sample::Status::Predicted)
      return false;
  return entry.measured;
}

/// Writes what was measured to --tables and --entries.
int writeFiles(const CommandLine &line, const Options &options,
               const tune::Bundle &bundle, const std::string &results) {
  std::vector<tune::Entry> entries, tables;
  for (tune::Cache::File &file : tune::Cache(results).list())
    if (file.error.empty() && file.entry.measured)
      entries.push_back(std::move(file.entry));
  for (const auto &[workload, exhaustive] : bundle.plan)
    for (const tune::Entry &entry : entries)
      if (exhaustive && entry.key.problem == workload.problem.str() &&
          entry.key.shape == tune::shapeText(workload.lengths) &&
          entry.key.density == workload.density.name() &&
          isTable(entry, bundle, workload))
        tables.push_back(entry);
  std::string error;
  for (auto [path, list] :
       {std::make_pair(&options.tables, &tables), {&options.entries, &entries}})
    if (*path &&
        !host::writeFileAtomically(**path, {tune::printEntries(*list)}, error))
      return line.error(error);
  if (options.tables)
    fmt::print("{} tables, in which every candidate is measured: {}\n",
               tables.size(), *options.tables);
  return 0;
}

int measure(const CommandLine &line, const Options &options, int64_t device,
            const std::string &program) {
  std::string error;
  tune::Bundle bundle;
  tune::RunOptions run;
  double timeout = 20;
  if (options.budget && !parseSeconds(*options.budget, run.budget))
    return line.error(
        fmt::format("--budget {}: must be seconds, as 120s", *options.budget));
  if (options.timeout && !parseSeconds(*options.timeout, timeout))
    return line.error(
        fmt::format("--timeout {}: must be seconds, as 20s", *options.timeout));
  if (!tune::Bundle::read(*options.folder, bundle, error))
    return line.error(error);
  run.results = options.results.value_or("");

  tune::WorkerMeasure::Options worker;
  worker.command = {
      program,    "--worker",
      "--device", std::to_string(device),
      "--real",   options.real.value_or(*options.folder + "/real")};
  worker.measureSeconds = timeout;
  worker.manifest = [&](const Problem &problem, const Schedule &schedule) {
    return bundle.manifestOf(problem, schedule);
  };
  tune::WorkerMeasure measure(worker);
  if (!measure.open(error))
    return line.error(error);
  fmt::print(stderr, "{} ({} SMs), driver {}\n", measure.device().name,
             measure.device().sms, measure.device().driver);

  catchInterrupts();
  TuneProgress progress(options.quiet);
  run.stopped = wasInterrupted;
  run.next = [&](const tune::Workload &workload, size_t i, size_t count) {
    progress.begin(workload, i, count);
  };
  run.report = [&](const tune::Progress &state) { progress.update(state); };
  run.done = [&](const tune::Workload &workload, const tune::TuneResult &result,
                 const std::string &why) {
    progress.end();
    if (!why.empty())
      line.error(fmt::format("{}: {}", workload.str(), why));
    const tune::Sample *best = result.entry.find(result.entry.winner);
    if (result.entry.measured && best)
      fmt::print("{}: {:.1f} us with {} (after {:.1f} s)\n", workload.str(),
                 best->median, result.entry.winner.str(),
                 result.entry.tuningSeconds);
    std::fflush(stdout);
  };
  int left = tune::runBundle(bundle, measure, run, error);
  if (left < 0)
    return line.error(error);
  fmt::print("{} of {} workloads measured in full; results in {}\n",
             int(bundle.plan.size()) - left, bundle.plan.size(),
             run.results.empty() ? bundle.folder + "/results" : run.results);
  int code = writeFiles(line, options, bundle,
                        run.results.empty() ? bundle.folder + "/results"
                                            : run.results);
  return code ? code : left == 0 ? 0 : 3;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CommandLine line("tda-measure", kOverview, kExamples);
  line.positional("DIR", options.folder);
  line.value("device", "N", options.device, "GPU to measure on (default: 0)");
  line.value("budget", "S", options.budget,
             "Start nothing after so many seconds (default: no limit)");
  line.value("timeout", "S", options.timeout,
             "Longest time of one candidate (default: 20)");
  line.value("results", "DIR", options.results,
             "Where results go (default: DIR/results)");
  line.value("real", "DIR", options.real,
             "Tensors of the density 'real' (default: DIR/real)");
  line.value("tables", "FILE", options.tables,
             "Write the entries in which every candidate is measured");
  line.value("entries", "FILE", options.entries, "Write all that is measured");
  line.flag("quiet", options.quiet, "Show no progress");
  line.flag("worker", options.worker, "Answer requests (used by itself)");
  int exitCode;
  if (!line.parse(argc, argv,
                  fmt::format("tda-measure {}", tda_runtime_version()),
                  exitCode))
    return exitCode;
  int64_t device = 0;
  if (options.device &&
      (!parseNumber(*options.device, device) || device < 0 || device > 63))
    return line.error(
        fmt::format("--device {}: must be 0 to 63", *options.device));
  if (options.worker)
    return tune::runWorker(int(device), options.real.value_or(""));
  if (!options.folder)
    return line.error("give the folder of a bundle; see 'tda-measure --help'");
  return measure(line, options, device, ownPath(argv[0]));
}
