//===- tda-gpu-cases.cpp - Compile the kernels of the GPU tests -----------===//
#include "CompileCase.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <mutex>
#include <thread>

using namespace tda;

static const char *const help = R"(usage: tda-gpu-cases --emit DIR [OPTION...]
       tda-gpu-cases --list [--arch ARCH]

Compiles the kernels that tda-gpu-test runs: a grid in which any two
compile-time choices meet in every combination, most of it with schedules drawn
at random from all legal ones; for each kernel those that must give the same
bits; and the kernels that are timed. Needs no GPU.

  --emit DIR    write NAME.ptx and NAME.json of each kernel into DIR, which is
                created if missing and should be empty
  --list        print name, problem and schedule of each kernel instead
  --arch ARCH   GPU to compile for (default: sm_90)
  --seed N      draws the schedules (default: 1)
  --jobs N      kernels compiled at once (default: one a CPU)
)";

static int fail(const std::string &message) {
  fmt::print(stderr, "tda-gpu-cases: error: {}\n", message);
  return 1;
}

static int list(const std::vector<GridKernel> &kernels) {
  for (const GridKernel &kernel : kernels)
    fmt::print("{}\n  {}\n  {}\n", kernel.name, kernel.problem.str(),
               kernel.schedule.str());
  return 0;
}

/// Compiles all kernels over `jobs` threads. Says all failures: with drawn
/// schedules the first seldom says enough.
static int emit(const std::vector<GridKernel> &kernels, const std::string &arch,
                const std::string &folder, unsigned jobs, uint64_t seed) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return fail(fmt::format("cannot create '{}': {}", folder, code.message()));

  fmt::print("{} kernels, schedules drawn with --seed {}\n", kernels.size(),
             seed);
  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t done = 0;
  size_t failures = 0;
  auto work = [&] {
    for (size_t i = next++; i < kernels.size(); i = next++) {
      const GridKernel &kernel = kernels[i];
      std::string error;
      bool good = compileCase(kernel, arch, folder, error);
      std::lock_guard<std::mutex> lock(mutex);
      if (!good) {
        ++failures;
        fail(fmt::format("{} ({}; {}): {}", kernel.name, kernel.problem.str(),
                         kernel.schedule.str(), error));
      }
      if (++done % 20 == 0 || done == kernels.size()) {
        fmt::print("compiled {} of {} kernels\n", done, kernels.size());
        std::fflush(stdout);
      }
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < jobs; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  if (failures > 0)
    return fail(fmt::format("{} of {} kernels do not compile", failures,
                            kernels.size()));
  return 0;
}

int main(int argc, char **argv) {
  std::string folder, arch = "sm_90";
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  uint64_t seed = kDefaultSeed;
  bool wantsList = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      fmt::print("{}", help);
      return 0;
    }
    if (word == "--list") {
      wantsList = true;
      continue;
    }
    if (word != "--emit" && word != "--arch" && word != "--jobs" &&
        word != "--seed")
      return fail(fmt::format("unknown option '{}'; see --help", word));
    if (++i == argc || !*argv[i])
      return fail(word + " needs a value; see --help");
    std::string value = argv[i];
    if (word == "--emit") {
      folder = value;
    } else if (word == "--arch") {
      arch = value;
    } else {
      bool isJobs = word == "--jobs";
      size_t digits = isJobs ? 3 : 9;
      uint64_t number = 0;
      if (value.size() <= digits &&
          value.find_first_not_of("0123456789") == std::string::npos)
        number = std::stoul(value);
      if (number == 0)
        return fail(fmt::format("{} '{}' is not a number from 1 to {}", word,
                                value, isJobs ? 999 : 999999999));
      if (isJobs)
        jobs = unsigned(number);
      else
        seed = number;
    }
  }
  if (folder.empty() != wantsList)
    return fail("give either --emit DIR or --list; see --help");

  std::string error;
  const Target *target = findTarget(arch, error);
  std::vector<GridKernel> kernels;
  if (target && target->path == Path::Vector)
    error = fmt::format("--arch {}: the kernels are for GPUs", arch);
  else if (target && gridKernels(*target, seed, kernels, error))
    return wantsList ? list(kernels) : emit(kernels, arch, folder, jobs, seed);
  return fail(error);
}
