//===- Options.cpp - The command line of tda-autotune ---------------------===//
#include "Options.h"
#include "tda/Pipeline.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

using namespace tda;

static constexpr const char *kOverview =
    R"(usage: tda-autotune --arch sm_NN FILE.mlir [OPTION...]
       tda-autotune --arch sm_NN --attention "WORDS" [OPTION...]
       tda-autotune ... --emit-bundle DIR    then, where the GPU is:
       tda-measure DIR                       then, back here:
       tda-autotune --ingest DIR
       tda-autotune cache list|show|export|import|prune|verify [...]

Finds the best schedule of an attention. With a GPU of that architecture here,
candidates are compiled, verified and timed; without, they are ranked by the
cost model, and the entry is marked 'predicted'. What is found goes into the
user's cache ($TDA_CACHE_DIR, else ~/.cache/tda), where tda-compile, tda-run and
'schedule=auto' of tda-opt look.

FILE.mlir and WORDS are as in tda-compile. Lengths are rounded to powers of two,
here and when a schedule is looked up.
)";

static constexpr const char *kExamples = R"(examples:
  tda-autotune --arch sm_90 --attention "views=2 d=128 causal"
  tda-autotune --arch sm_90 attention.mlir --shapes "B=1,H=16,N=2048:65536"
  tda-autotune --arch sm_90 attention.mlir --density null,real,dense --explain
  tda-autotune --arch sm_90 attention.mlir --dry-run
  tda-autotune cache list

Exit code: 0; 1 after an error; 3 where it was stopped before the end.
)";

int tda::tuneError(const std::string &text) {
  return CommandLine("tda-autotune", "", "").error(text);
}
void tda::tuneWarning(const std::string &text) {
  std::fflush(stdout);
  fmt::print(stderr, "tda-autotune: warning: {}\n", text);
}

namespace {
struct Words {
  std::optional<std::string> arch, shapes, density, budget, jobs, space,
      timeout, device;
};
} // namespace

static std::string setArch(const Words &words, TuneToolOptions &options) {
  if (!words.arch)
    return "say for which architecture: --arch sm_80, sm_86, sm_89 or sm_90";
  std::string error;
  options.target = findTarget(*words.arch, error);
  if (options.target && options.target->path != Path::Vector)
    return "";
  error = fmt::format("unknown architecture '{}'; known:", *words.arch);
  for (const Target &row : targetTable())
    if (row.path != Path::Vector)
      error += fmt::format("{} {}", error.back() == ':' ? "" : ",", row.name);
  if (options.target)
    error += "; on the CPU there is nothing to tune";
  return error;
}

static std::string setDensities(const Words &words, TuneToolOptions &options) {
  std::string text = words.density.value_or("real"), error;
  std::vector<std::string> pieces = splitCommas(text);
  bool areNames =
      std::all_of(pieces.begin(), pieces.end(), [](const std::string &piece) {
        return piece == "null" || piece == "real" || piece == "dense";
      });
  if (!areNames)
    pieces = {text};
  for (const std::string &piece : pieces)
    if (!tune::Density::parse(piece, options.densities.emplace_back(), error))
      return "--" + error;
  return "";
}

/// "60", "60s" and "90 s" are seconds, "16 candidates" and "16c" a number.
static std::string setBudget(const Words &words, TuneToolOptions &options) {
  if (!words.budget)
    return "";
  size_t end = words.budget->find_first_not_of("0123456789.");
  std::string number = words.budget->substr(0, end), unit;
  if (end != std::string::npos)
    unit = words.budget->substr(end);
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos
                    ? unit.size()
                    : unit.find_first_not_of(' '));
  int64_t count;
  double seconds;
  if ((unit == "candidates" || unit == "candidate" || unit == "c") &&
      parseNumber(number, count) && count >= 1 && count <= 100000) {
    options.candidates = int(count);
    options.seconds = 1e9;
    return "";
  }
  if ((unit == "s" || unit.empty()) && parseNumber(number, seconds) &&
      seconds > 0) {
    options.seconds = seconds;
    options.candidates = 100000;
    return "";
  }
  return fmt::format("--budget {}: must be seconds, as 60s, or a number of "
                     "measurements, as \"16 candidates\"",
                     *words.budget);
}

static std::string setNumbers(const Words &words, TuneToolOptions &options) {
  int64_t number;
  if (words.jobs) {
    if (!parseNumber(*words.jobs, number) || number < 1 || number > 1024)
      return fmt::format("--jobs {}: must be a number from 1 to 1024",
                         *words.jobs);
    options.jobs = unsigned(number);
  }
  if (words.device) {
    if (!parseNumber(*words.device, number) || number < 0 || number > 63)
      return fmt::format("--device {}: must be a number from 0 to 63",
                         *words.device);
    options.device = int(number);
  }
  if (words.timeout &&
      (!parseNumber(*words.timeout, options.timeout) || options.timeout <= 0))
    return fmt::format("--timeout {}: must be seconds", *words.timeout);
  if (words.space && !tune::parseSpace(*words.space, options.space))
    return fmt::format("--space {}: must be bounded or full", *words.space);
  return "";
}

static std::string checkTogether(const TuneToolOptions &options,
                                 const Words &words) {
  if (options.ingest)
    return options.file || options.attention || options.emitBundle ||
                   words.arch || options.dryRun
               ? "--ingest takes what the bundle says; of the other options "
                 "only --db, --json and --explain go with it"
               : "";
  if (options.plan &&
      (options.file || options.attention || words.shapes || words.density))
    return "--plan says what is tuned: no FILE.mlir, --attention, --shapes or "
           "--density beside it";
  if (!options.plan &&
      options.file.has_value() == options.attention.has_value())
    return options.file ? "give FILE.mlir or --attention, not both"
                        : "give FILE.mlir ('-' for the standard input) or "
                          "--attention; see 'tda-autotune --help'";
  if (options.attention && options.function)
    return "--function chooses from a file; --attention is one function";
  if (options.emitBundle && (options.dryRun || options.noGpu))
    return "--emit-bundle compiles for another machine; --dry-run and "
           "--no-gpu do not go with it";
  if (options.emitBundle && options.emitBundle->empty())
    return "--emit-bundle is empty";
  for (const tune::Density &density : options.densities)
    if (options.emitBundle && density.kind == tune::Density::Kind::Files)
      return "--emit-bundle takes --density null, real or dense; files are "
             "measured on the machine that has them";
  return "";
}

bool tda::parseTuneOptions(TuneToolOptions &options, int argc, char **argv,
                           int &exitCode) {
  Words words;
  CommandLine line("tda-autotune", kOverview, kExamples);
  line.positional("FILE.mlir", options.file);
  line.value("attention", "\"WORDS\"", options.attention,
             "Tune this attention instead of a file");
  line.value("plan", "FILE.json", options.plan,
             "Tune a list of attentions, shapes and densities");
  line.value("function", "NAME", options.function,
             "Tune this function of the file only");
  line.value("arch", "sm_NN", words.arch,
             "GPU to tune for: sm_80, sm_86, sm_89 or sm_90");
  line.value("shapes", "\"B=..,H=..,N=..\"", words.shapes,
             "Lengths; FROM:TO is every power of two between\n"
             "(default: B=1,H=16,N=8192)");
  line.value("density", "D", words.density,
             "Data: null, real, dense, several with commas, or the\n"
             "arguments A.npy,B.npy,... (default: real)");
  line.value("budget", "B", words.budget,
             "For each workload: seconds, as 60s, or measurements, as\n"
             "\"16 candidates\" (default: both of these)");
  line.value("jobs", "N", words.jobs,
             "Kernels compiled at once (default: one a CPU)");
  line.flag("exhaustive", options.exhaustive, "Measure every candidate");
  line.value("space", "S", words.space,
             "Candidates: bounded (about 64, the default) or full");
  line.flag("dry-run", options.dryRun,
            "Print the space, rejections with reasons and the ranking");
  line.flag("explain", options.explain,
            "Say why the winner wins: model against measurement");
  line.flag("json", options.json, "Print entries as JSON");
  line.flag("quiet", options.quiet, "Show no progress");
  line.flag("no-gpu", options.noGpu, "Rank by the cost model, GPU or not");
  line.value("device", "N", words.device, "GPU to measure on (default: 0)");
  line.value("timeout", "S", words.timeout,
             "Longest time of one candidate, seconds (default: 20)");
  line.value("real", "DIR", options.real,
             "Tensors of the density 'real': q1.npy, k1.npy and so on\n"
             "(default: the sample that comes with tda)");
  line.value("emit-bundle", "DIR", options.emitBundle,
             "Compile candidates into DIR for tda-measure");
  line.value("ingest", "DIR", options.ingest,
             "Take what tda-measure found in DIR into the cache");
  line.value("db", "FILE", options.db,
             "A database: add what is found; with --emit-bundle leave\n"
             "out what it has measured");
  if (!line.parse(argc, argv, versionText(), exitCode))
    return false;
  std::string wrong = checkTogether(options, words);
  if (wrong.empty() && !options.ingest)
    wrong = setArch(words, options);
  if (wrong.empty())
    wrong = setDensities(words, options);
  if (wrong.empty())
    wrong = setBudget(words, options);
  if (wrong.empty())
    wrong = setNumbers(words, options);
  std::string error;
  if (wrong.empty() && words.shapes &&
      !tune::parseShapes(*words.shapes, options.shapes, error))
    wrong = "--" + error;
  if (wrong.empty())
    return true;
  exitCode = line.error(wrong);
  return false;
}
