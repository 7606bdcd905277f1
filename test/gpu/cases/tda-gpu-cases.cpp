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
compile-time choices meet in every combination, each kernel with and without
skipping empty tiles, and the kernels that are timed. Needs no GPU.

  --emit DIR    write NAME.ptx and NAME.json of each kernel into DIR, which is
                created if missing and should be empty
  --list        print name, problem and schedule of each kernel instead
  --arch ARCH   GPU to compile for (default: sm_90)
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

/// Compiles all kernels over `jobs` threads; stops at the first failure.
static int emit(const std::vector<GridKernel> &kernels, const std::string &arch,
                const std::string &folder, unsigned jobs) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    return fail(fmt::format("cannot create '{}': {}", folder, code.message()));

  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t done = 0;
  std::string failure;
  auto work = [&] {
    for (size_t i = next++; i < kernels.size(); i = next++) {
      const GridKernel &kernel = kernels[i];
      std::string error;
      bool good = compileCase(kernel, arch, folder, error);
      std::lock_guard<std::mutex> lock(mutex);
      if (!failure.empty())
        return;
      if (!good) {
        failure =
            fmt::format("{} ({}; {}): {}", kernel.name, kernel.problem.str(),
                        kernel.schedule.str(), error);
        next = kernels.size();
        return;
      }
      if (++done % 10 == 0 || done == kernels.size()) {
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
  return failure.empty() ? 0 : fail(failure);
}

int main(int argc, char **argv) {
  std::string folder, arch = "sm_90";
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
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
    if (word != "--emit" && word != "--arch" && word != "--jobs")
      return fail(fmt::format("unknown option '{}'; see --help", word));
    if (++i == argc || !*argv[i])
      return fail(word + " needs a value; see --help");
    std::string value = argv[i];
    if (word == "--emit") {
      folder = value;
    } else if (word == "--arch") {
      arch = value;
    } else {
      if (value.size() > 3 ||
          value.find_first_not_of("0123456789") != std::string::npos ||
          (jobs = std::stoi(value)) == 0)
        return fail(
            fmt::format("--jobs '{}' is not a number from 1 to 999", value));
    }
  }
  if (folder.empty() != wantsList)
    return fail("give either --emit DIR or --list; see --help");

  std::string error;
  const Target *target = findTarget(arch, error);
  std::vector<GridKernel> kernels;
  if (target && target->path == Path::Vector)
    error = fmt::format("--arch {}: the kernels are for GPUs", arch);
  else if (target && gridKernels(*target, kernels, error))
    return wantsList ? list(kernels) : emit(kernels, arch, folder, jobs);
  return fail(error);
}
