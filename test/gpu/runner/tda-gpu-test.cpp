//===- tda-gpu-test.cpp - Run compiled kernels against float64 ------------===//
#include "Session.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <thread>

using namespace tda;
using namespace tda::gputest;

static const char *const help = R"(usage: tda-gpu-test --kernels DIR [OPTION...]

Runs the kernels that tda-gpu-cases compiled on a GPU, over many lengths, head
counts, layouts and densities, and compares with a float64 evaluation. Outputs
are poisoned with NaN before each launch, and every byte around the tensors is
checked. A second launch must give the same bits, and so must the kernels called
NAME__WORD: the same tiles with another way to skip, another grid. Then: real
tensors, empty lengths, repeated launches, graphs, streams, refused calls.

  --kernels DIR   NAME.json and NAME.ptx of each kernel
  --data DIR      test/data, for the real tensors
  --results FILE  write every case as JSON
  --filter TEXT   only cases whose name contains TEXT
  --sample N      only N cases of at most 129 tokens, spread over the grid, one
                  at a time and without guards: for compute-sanitizer
  --bench         only time the kernels called bench_*
  --name-cubins   only enter each NAME.cubin that ptxas made into NAME.json, so
                  that it is run instead of the PTX; needs no GPU
  --list          only print the names of the grid's cases; needs no GPU
  --jobs N        kernels at once (default: one a CPU)
  --device N      CUDA device (default: 0)

Ends with 'N passed, N failed, N skipped'; exits non-zero if one failed, if none
ran, or if there is no GPU.
)";

static int fail(const std::string &message) {
  fmt::print(stderr, "tda-gpu-test: error: {}\n", message);
  return 1;
}

namespace {
struct Options {
  Session session;
  std::string results;
  bool bench = false, list = false, nameCubins = false, help = false;
};
} // namespace

static bool parseNumber(const std::string &text, unsigned &number) {
  if (text.empty() || text.size() > 6 ||
      text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  number = std::stoul(text);
  return true;
}

static bool parseOptions(int argc, char **argv, Options &options,
                         std::string &error) {
  Session &session = options.session;
  unsigned sample = 0, device = 0;
  session.jobs = std::max(1u, std::thread::hardware_concurrency());
  std::map<std::string, std::string *> texts = {
      {"--kernels", &session.kernels},
      {"--data", &session.data},
      {"--filter", &session.filter},
      {"--results", &options.results}};
  std::map<std::string, unsigned *> numbers = {
      {"--sample", &sample}, {"--device", &device}, {"--jobs", &session.jobs}};
  std::map<std::string, bool *> flags = {{"--bench", &options.bench},
                                         {"--list", &options.list},
                                         {"--name-cubins", &options.nameCubins},
                                         {"--help", &options.help},
                                         {"-h", &options.help}};
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (auto flag = flags.find(word); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    auto text = texts.find(word);
    auto number = numbers.find(word);
    if (text == texts.end() && number == numbers.end()) {
      error = fmt::format("unknown option '{}'; see --help", word);
      return false;
    }
    if (++i == argc || !*argv[i]) {
      error = word + " needs a value; see --help";
      return false;
    }
    if (text != texts.end()) {
      *text->second = argv[i];
    } else if (unsigned least = word == "--device" ? 0 : 1;
               !parseNumber(argv[i], *number->second) ||
               *number->second < least) {
      error = fmt::format("{} '{}' is not a number from {} to 999999", word,
                          argv[i], least);
      return false;
    }
  }
  session.sample = sample;
  session.device = int(device);
  if (sample > 0)
    session.jobs = 1; // A finding then names its case.
  if (session.kernels.empty() && !options.help)
    error = "--kernels is missing; see --help";
  return error.empty();
}

static int listCases(const Session &session,
                     const std::vector<std::string> &kernels) {
  for (size_t i = 0; i < kernels.size(); ++i) {
    Manifest manifest;
    std::string error;
    if (!readManifest(session.kernels + "/" + kernels[i] + ".json", manifest,
                      error))
      return fail(error);
    for (const GridCase &c : casesOf(manifest.problem, i))
      if (std::string name = kernels[i] + " " + c.str(); session.wants(name))
        fmt::print("{}\n", name);
  }
  return 0;
}

static bool openDevice(Session &session, std::string &error) {
  if (tda_device_query(session.device, &session.info) != TDA_OK ||
      tda_device_use(session.device) != TDA_OK) {
    error = fmt::format("no usable GPU: {}", tda_last_error());
    return false;
  }
  fmt::print("{}, compute capability {}.{}, CUDA {}.{}\n", session.info.name,
             session.info.major, session.info.minor,
             session.info.driver_version / 1000,
             session.info.driver_version % 1000 / 10);
  std::fflush(stdout);
  return true;
}

int main(int argc, char **argv) {
  Options options;
  Session &session = options.session;
  std::vector<std::string> all;
  std::string error;
  if (!parseOptions(argc, argv, options, error))
    return fail(error);
  if (options.help) {
    fmt::print("{}", help);
    return 0;
  }
  if (!listKernels(session.kernels, all, error))
    return fail(error);
  if (options.nameCubins)
    return nameCubins(session.kernels, all, error) ? 0 : fail(error);
  std::vector<std::string> kernels = gridKernels(all);
  if (options.list)
    return listCases(session, kernels);
  size_t expected = countGrid(session, kernels, error);
  if (!error.empty() || !openDevice(session, error))
    return fail(error);

  Report report(expected);
  int status = 0;
  if (options.bench) {
    std::vector<std::string> names = benchKernels(all);
    if (names.empty())
      return fail("--bench: '" + session.kernels + "' has no kernel bench_*");
    if (!runBench(session, names, report, error))
      status = fail(error);
  } else {
    runGrid(session, kernels, report);
    if (session.sample == 0) {
      runCoverage(session, kernels, report);
      runSpecialCases(session, kernels, report);
    }
    status = report.finish();
  }
  if (!options.results.empty() &&
      !report.write(options.results, session.info, all.size(), error))
    return fail(error);
  return status;
}
