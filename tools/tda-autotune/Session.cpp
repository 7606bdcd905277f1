//===- Session.cpp - Tune here, or rank
//------------------------------------===//
#include "Session.h"
#include "autotune/gpu/RunBundle.h"
#include "autotune/gpu/Worker.h"
#include "tda/Pipeline.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

using namespace tda;
using namespace tda::tune;
namespace fs = std::filesystem;

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

} // namespace

std::string tda::besideThis(const std::string &relative) {
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
