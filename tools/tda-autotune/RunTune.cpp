//===- RunTune.cpp - Tune, rank, or emit a bundle -------------------------===//
#include "Options.h"
#include "TuneProgress.h"
#include "autotune/Cache.h"
#include "autotune/compile/KernelCompiler.h"
#include "autotune/gpu/RunBundle.h"
#include "autotune/gpu/Worker.h"
#include "tda/Compile.h"
#include "tda/device.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <unistd.h>

using namespace tda;
using namespace tda::tune;
namespace fs = std::filesystem;

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

namespace {

/// A folder below the system's for temporary files, gone with this.
struct Scratch {
  std::string path;
  Scratch() {
    std::error_code code;
    path = (fs::temp_directory_path(code) / "tda-autotune-XXXXXX").string();
    if (code || !mkdtemp(path.data()))
      path.clear();
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
};

class Session {
public:
  Session(const TuneToolOptions &options, std::vector<Planned> plan)
      : options(options), plan(std::move(plan)), progress(options.quiet),
        cache(defaultCacheRoot(),
              [](const std::string &text) { tuneWarning(text); }) {}

  int measureHere();
  int predictAll();
  int emit();

private:
  Bundle bundleIn(const std::string &folder) const;
  KernelCompiler::Options compileOptions();
  std::string realFolder() const;
  void keep(Entry &entry);
  void show(const Workload &workload, const TuneResult &result);
  int finish(int code);

  const TuneToolOptions &options;
  std::vector<Planned> plan;
  TuneProgress progress;
  Cache cache;
  std::vector<Entry> entries;
  bool warned = false;
};

} // namespace

static std::string besideThis(const std::string &relative) {
  std::error_code code;
  fs::path self = fs::read_symlink("/proc/self/exe", code);
  return code ? relative : (self.parent_path() / relative).string();
}

std::string Session::realFolder() const {
  if (options.real)
    return *options.real;
  std::string installed = besideThis("../share/tda/real");
  return fs::exists(installed) ? installed : TDA_REAL_SAMPLE;
}

Bundle Session::bundleIn(const std::string &folder) const {
  Bundle bundle;
  bundle.folder = folder;
  bundle.target = options.target->name;
  bundle.compiler = versionText();
  bundle.ptxas = KernelCompiler::ptxasVersion();
  bundle.space = options.space;
  bundle.candidates = options.candidates;
  bundle.seconds = options.seconds;
  bundle.plan = plan;
  return bundle;
}

KernelCompiler::Options Session::compileOptions() {
  KernelCompiler::Options compile;
  compile.jobs = options.jobs;
  compile.stopped = wasInterrupted;
  return compile;
}

void Session::keep(Entry &entry) {
  std::string error;
  if (cache.store(entry, error) || warned)
    return;
  warned = true;
  tuneWarning("not kept in the cache: " + error);
}

void Session::show(const Workload &workload, const TuneResult &result) {
  const Entry &entry = result.entry;
  entries.push_back(entry);
  progress.end();
  if (options.json)
    return;
  const Sample *best = entry.find(entry.winner);
  const Sample *byDefault = entry.find(entry.byDefault);
  fmt::print("{}\n  {}\n", workload.str(), entry.winner.str());
  if (entry.measured && best)
    fmt::print("  measured {:.1f} us on {}; the default takes {}; {:.1f} s\n",
               best->median, entry.key.device.name,
               byDefault && byDefault->measured()
                   ? fmt::format("{:.1f} us", byDefault->median)
                   : "no valid time",
               entry.tuningSeconds);
  else
    fmt::print("  predicted{}, not measured{}\n",
               best ? fmt::format(" {:.1f} us", best->predicted) : "",
               entry.winner == entry.byDefault ? "; it is the default" : "");
  if (options.explain)
    fmt::print("{}", explain(result, workload, *options.target));
  std::fflush(stdout);
}

int Session::finish(int code) {
  if (options.json)
    fmt::print("{}", printEntries(entries));
  size_t added = 0;
  std::string error;
  if (options.db && !entries.empty() &&
      !addToDatabase(*options.db, entries, added, error))
    return tuneError(error);
  return code;
}

int Session::predictAll() {
  TuneOptions tuneOptions;
  tuneOptions.space = options.space;
  tuneOptions.compiler = versionText();
  for (const auto &[workload, exhaustive] : plan) {
    TuneResult result;
    std::string error;
    if (!tune::tune(workload, *options.target, tuneOptions, nullptr, nullptr,
                    nullptr, result, error))
      return finish(tuneError(error));
    // What ranks far behind is not worth a file.
    if (result.entry.samples.size() > 64)
      result.entry.samples.resize(64);
    keep(result.entry);
    show(workload, result);
  }
  return finish(0);
}

int Session::measureHere() {
  Scratch scratch;
  if (scratch.path.empty())
    return tuneError("cannot make a temporary folder; set TMPDIR");
  Bundle bundle = bundleIn(scratch.path);
  KernelCompiler compiler(bundle, compileOptions());
  const char *program = std::getenv("TDA_MEASURE");
  WorkerMeasure::Options worker;
  worker.command = {program ? program : besideThis("tda-measure"),
                    "--worker",
                    "--device",
                    std::to_string(options.device),
                    "--real",
                    realFolder()};
  worker.measureSeconds = options.timeout;
  worker.manifest = [&](const Problem &problem, const Schedule &schedule) {
    return bundle.manifestOf(problem, schedule);
  };
  WorkerMeasure measure(worker);
  std::string error;
  if (!measure.open(error))
    return tuneError(error);
  catchInterrupts();
  int failures = 0;
  RunOptions run;
  run.results = defaultCacheRoot();
  run.builder = &compiler;
  run.stopped = wasInterrupted;
  run.next = [&](const Workload &workload, size_t i, size_t count) {
    progress.begin(workload, i, count);
  };
  run.report = [&](const Progress &state) { progress.update(state); };
  run.done = [&](const Workload &workload, const TuneResult &result,
                 const std::string &why) {
    progress.end();
    failures += !why.empty();
    if (!why.empty())
      tuneError(fmt::format("{}: {}", workload.str(), why));
    if (result.entry.measured)
      show(workload, result);
  };
  run.storeFailed = [&](const std::string &why) {
    if (!warned)
      tuneWarning("not kept in the cache: " + why);
    warned = true;
  };
  int left = runBundle(bundle, measure, run, error);
  if (left < 0)
    return finish(tuneError(error));
  return finish(failures ? 1 : wasInterrupted() ? 3 : 0);
}

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
