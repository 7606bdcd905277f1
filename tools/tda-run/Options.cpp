//===- Options.cpp - The command line of tda-run --------------------------===//
#include "Options.h"
#include "CommandLine.h"

#include <cstdio>
#include <fmt/format.h>

using namespace tda;

static constexpr const char *kOverview =
    R"(usage: tda-run FILE.mlir --target cpu|gpu --args A.npy,B.npy,... [OPTION...]
       tda-run NAME.json --target gpu --args A.npy,B.npy,... [OPTION...]
       tda-run --attention "WORDS" --target cpu|gpu --random SEED --shape ...
       tda-run --explain-launch NAME.json --shape B=..,H=..,N=..
       tda-run --devices

Runs a Threshold Differential Attention on tensors in NumPy files: a description
FILE.mlir ('-': standard input), compiled in memory; NAME.json, which
tda-compile wrote; or the shorthand of 'tda-compile --attention'. Arguments are
in the order of the function. bf16 is read from uint16 bit patterns or from the
'<V2' of ml_dtypes, and written as uint16; scalars are 0-d arrays. Outputs are
filled with NaN before the run.
)";

static constexpr const char *kExamples = R"(examples:
  tda-run attention.mlir --target cpu --results o.npy --check \
    --args q1.npy,k1.npy,q2.npy,k2.npy,v.npy,beta.npy,lambda.npy
  tda-run out/attention.json --target gpu --args ... --results o.npy --time
  tda-run attention.mlir --target cpu --random 1 --shape B=1,H=2,N=1000 --check
  tda-run --explain-launch out/attention.json --shape B=1,H=16,N=8192
  tda-run stages.mlir --target cpu --unfused --args ... --results o.npy

Exit code: 0, or 1 after an error, or where --check finds the output wrong.
)";

namespace {

/// The options as words, before they are checked.
struct Words {
  std::optional<std::string> target, device, threads, args, seed, shape,
      results, planted, dead, beta, lambda, kappa, offset;
};

CommandLine declare(Options &options, Words &words) {
  CommandLine line("tda-run", kOverview, kExamples);
  line.positional("FILE.mlir or NAME.json", options.file);
  line.value("attention", "\"WORDS\"", options.attention,
             "Run this attention instead of a file");
  line.value("function", "NAME", options.function,
             "Run this function of a file with several");
  line.value("target", "cpu|gpu", words.target, "Where to run");
  line.value("args", "A.npy,...", words.args, "Arguments, in order");
  line.value("random", "SEED", words.seed,
             "Random arguments instead, the same on every machine");
  line.value("shape", "B=..,H=..,N=..", words.shape,
             "Their lengths; H stands for Hq and Hkv, N for Nq and Nk, which\n"
             "may be given one by one");
  line.value("results", "O.npy,...", words.results,
             "Where results go, in order");
  line.value("stats", "S.npy", options.stats,
             "Where the survivors of each row go, i32 [views, B, Hq, Nq]");
  line.flag("check", options.check,
            "Evaluate in float64 too; fail beyond the contract");
  line.flag("time", options.time,
            "Print the median time of repeated runs of the kernel");
  line.flag("peak-memory", options.peakMemory,
            "CPU: print how far memory grew during the run");
  line.flag("unfused", options.unfused,
            "CPU: run stage by stage, with whole N x N maps");
  line.value("threads", "N", words.threads,
             "CPU: threads (default: all of the machine)");
  line.value("schedule", "\"WORDS\"", options.schedule,
             "Override the schedule, as in tda-compile; without, on a GPU\n"
             "what tuning found for it and these lengths");
  line.flag("no-skip", options.noSkip,
            "Empty tiles take the arithmetic of live ones (debug)");
  line.flag("v", options.verbose,
            "GPU: say which schedule was taken, and from where");
  line.value("device", "N", words.device, "GPU to run on (default: 0)");
  line.flag("devices", options.listDevices,
            "List the GPUs, or print 'none', and end");
  line.flag("explain-launch", options.explainLaunch,
            "Print grid, block, cluster, shared memory, tensor maps and\n"
            "parameters of a call of NAME.json on contiguous tensors of the\n"
            "lengths of --shape; needs no GPU");
  line.value("planted", "F", words.planted,
             "Random: fraction of queries aimed at some key (default: 0)");
  line.value("dead", "F", words.dead,
             "Random: fraction of queries that are zero (default: 0)");
  line.value("beta", "X", words.beta, "Random: all of beta");
  line.value("lambda", "X", words.lambda, "Random: all of lambda");
  line.value("kappa", "X", words.kappa, "Random: a kappa operand");
  line.value("offset", "N", words.offset, "Random: an offset operand");
  return line;
}

template <typename Number, typename Target>
std::string setNumber(const std::optional<std::string> &word, const char *name,
                      Target &target, double min, double max) {
  if (!word)
    return "";
  Number number;
  if (!parseNumber(*word, number) || !(number >= min && number <= max))
    return fmt::format("--{} {}: must be a number from {} to {}", name, *word,
                       min, max);
  target = number;
  return "";
}

/// "B=1,H=2,N=64": a length of its own counts more than H and N.
std::string setShape(const std::string &text, Options &options) {
  std::map<Length, int64_t> common;
  for (const std::string &piece : splitCommas(text)) {
    size_t equals = piece.find('=');
    std::string name = piece.substr(0, equals);
    int64_t number;
    if (equals == std::string::npos ||
        !parseNumber(piece.substr(equals + 1), number) || number < 0)
      return fmt::format("--shape: '{}' is not NAME=NUMBER; known names: B, H, "
                         "N, Hq, Hkv, Nq, Nk",
                         piece);
    Length length;
    bool isNew;
    if (parseLength(name, length)) {
      isNew = options.shape.emplace(length, number).second;
    } else if (name == "H") {
      isNew = common.emplace(Length::Hq, number).second;
      common.emplace(Length::Hkv, number);
    } else if (name == "N") {
      isNew = common.emplace(Length::Nq, number).second;
      common.emplace(Length::Nk, number);
    } else {
      return fmt::format("--shape: unknown name '{}'; known: B, H, N, Hq, Hkv, "
                         "Nq, Nk",
                         name);
    }
    if (!isNew)
      return fmt::format("--shape: '{}' is given twice", name);
  }
  options.shape.insert(common.begin(), common.end());
  return "";
}

std::string setNumbers(const Words &words, Options &options) {
  constexpr double big = 1e18;
  host::RandomOptions &random = options.random;
  for (std::string wrong :
       {setNumber<int64_t>(words.device, "device", options.device, 0, 63),
        setNumber<int64_t>(words.threads, "threads", options.threads, 1, 1024),
        setNumber<int64_t>(words.seed, "random", options.seed, 0, big),
        setNumber<double>(words.planted, "planted", random.planted, 0, 1),
        setNumber<double>(words.dead, "dead", random.dead, 0, 1),
        setNumber<double>(words.beta, "beta", random.beta, -1e30, 1e30),
        setNumber<double>(words.lambda, "lambda", random.lambda, -1e30, 1e30),
        setNumber<double>(words.kappa, "kappa", random.kappa, 1e-30, 1e30),
        setNumber<int64_t>(words.offset, "offset", random.offset, -big, big)})
    if (!wrong.empty())
      return wrong;
  return words.shape ? setShape(*words.shape, options) : "";
}

/// --explain-launch runs nothing: only lengths and the offset count.
std::string checkExplain(const Options &options, const Words &words) {
  if (!options.file || options.file->size() < 5 ||
      options.file->substr(options.file->size() - 5) != ".json")
    return "--explain-launch takes NAME.json, which tda-compile wrote";
  bool runs = words.target || words.args || words.seed || words.results ||
              options.stats || options.check || options.time ||
              options.schedule || options.noSkip || options.unfused ||
              options.function || words.device || words.threads;
  if (runs)
    return "--explain-launch runs nothing; it takes NAME.json, --shape and "
           "--offset only";
  return "";
}

/// Options that say the same twice, or nothing.
std::string checkTogether(const Options &options, const Words &words) {
  if (options.file.has_value() == options.attention.has_value())
    return options.file ? "give a file or --attention, not both"
                        : "give FILE.mlir, NAME.json or --attention; see "
                          "'tda-run --help'";
  if (options.explainLaunch)
    return checkExplain(options, words);
  if (!words.target)
    return "say where to run: --target cpu or --target gpu";
  if (*words.target != "cpu" && *words.target != "gpu")
    return fmt::format("--target {}: must be cpu or gpu", *words.target);
  if (words.args && words.seed)
    return "give --args or --random, not both";
  if (!words.args && !words.seed)
    return "give arguments: --args A.npy,... or --random SEED --shape ...";
  if (!words.seed &&
      (words.shape || words.planted || words.dead || words.beta ||
       words.lambda || words.kappa || words.offset))
    return "--shape, --planted, --dead, --beta, --lambda, --kappa and --offset "
           "belong to --random";
  if (options.gpu && (options.unfused || options.peakMemory || words.threads))
    return "--unfused, --peak-memory and --threads belong to --target cpu";
  if (options.unfused && (options.schedule || options.noSkip || words.threads))
    return "--schedule, --no-skip and --threads change nothing with --unfused";
  if (words.results && (words.results->empty() || *words.results == "-"))
    return "--results takes the names of .npy files, one for each result";
  if (!options.gpu && words.device)
    return "--device belongs to --target gpu";
  if (options.attention && options.function)
    return "--function chooses from a file; --attention is one function";
  return "";
}

} // namespace

int tda::reportError(const std::string &text) {
  return CommandLine("tda-run", "", "").error(text);
}

bool tda::parseOptions(int argc, char **argv, Options &options, int &exitCode) {
  Words words;
  CommandLine line = declare(options, words);
  if (!line.parse(argc, argv, versionText(), exitCode))
    return false;
  if (options.listDevices)
    return true;
  options.gpu = words.target == "gpu";
  std::string wrong = checkTogether(options, words);
  if (wrong.empty())
    wrong = setNumbers(words, options);
  if (!wrong.empty()) {
    exitCode = line.error(wrong);
    return false;
  }
  if (words.args)
    options.args = splitCommas(*words.args);
  if (words.results)
    options.results = splitCommas(*words.results);
  return true;
}
