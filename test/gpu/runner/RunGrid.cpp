//===- RunGrid.cpp - All cases of all kernels -----------------------------===//
//
// Kernels run side by side, one a worker: compiling the PTX, making inputs and
// the float64 reference take far longer than the GPU does, and the runtime is
// meant to be called from many threads.
//
//===----------------------------------------------------------------------===//
#include "Session.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

using namespace tda;
using namespace tda::gputest;

bool tda::gputest::listKernels(const std::string &folder,
                               std::vector<std::string> &names,
                               std::string &error) {
  std::error_code code;
  for (const auto &entry : std::filesystem::directory_iterator(folder, code))
    if (entry.path().extension() == ".json")
      names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  if (code)
    error = "--kernels: '" + folder + "': " + code.message();
  else if (names.empty())
    error = "--kernels: '" + folder +
            "' holds no NAME.json; tda-gpu-cases --emit makes them";
  return error.empty();
}

static bool isBench(const std::string &name) {
  return name.rfind("bench_", 0) == 0;
}

static bool isTwin(const std::string &name) {
  return name.find(TwinMark) != std::string::npos;
}

std::vector<std::string>
tda::gputest::benchKernels(const std::vector<std::string> &all) {
  std::vector<std::string> names;
  std::copy_if(all.begin(), all.end(), std::back_inserter(names), isBench);
  return names;
}

std::vector<std::string>
tda::gputest::gridKernels(const std::vector<std::string> &all) {
  std::vector<std::string> names;
  std::copy_if(
      all.begin(), all.end(), std::back_inserter(names),
      [](const std::string &name) { return !isBench(name) && !isTwin(name); });
  return names;
}

namespace {

/// The chosen cases of one kernel.
struct KernelCases {
  std::string name;
  std::vector<GridCase> cases;
};

} // namespace

static bool chooseCases(const Session &session,
                        const std::vector<std::string> &kernels,
                        std::vector<KernelCases> &chosen, std::string &error) {
  // compute-sanitizer slows kernels down a hundredfold.
  constexpr int64_t longestOfSample = 129;
  std::vector<KernelCases> all;
  size_t total = 0;
  for (size_t i = 0; i < kernels.size(); ++i) {
    Manifest manifest;
    if (!readManifest(session.kernels + "/" + kernels[i] + ".json", manifest,
                      error))
      return false;
    KernelCases own{kernels[i], {}};
    for (GridCase &c : casesOf(manifest.problem, i))
      if (session.wants(kernels[i] + " " + c.str()) &&
          (session.sample == 0 || c.longest() <= longestOfSample))
        own.cases.push_back(std::move(c));
    total += own.cases.size();
    all.push_back(std::move(own));
  }
  if (session.sample > 0 && session.sample < total) {
    // Evenly spread; case i stays where i * sample / total steps up.
    size_t index = 0;
    for (KernelCases &own : all) {
      std::vector<GridCase> kept;
      for (GridCase &c : own.cases) {
        if ((index + 1) * session.sample / total >
            index * session.sample / total)
          kept.push_back(std::move(c));
        ++index;
      }
      own.cases = std::move(kept);
    }
  }
  for (KernelCases &own : all)
    if (!own.cases.empty())
      chosen.push_back(std::move(own));
  return true;
}

size_t tda::gputest::countGrid(const Session &session,
                               const std::vector<std::string> &kernels,
                               std::string &error) {
  std::vector<KernelCases> chosen;
  if (!chooseCases(session, kernels, chosen, error))
    return 0;
  size_t count = 0;
  for (const KernelCases &own : chosen)
    count += own.cases.size();
  return count;
}

/// Runs the cases of one kernel; false where the device is lost.
static bool runKernel(const Session &session, const KernelCases &own,
                      const RunSettings &settings, Report &report) {
  KernelFamily family;
  std::string error;
  if (!family.open(session.kernels, own.name, session.device, error)) {
    CaseResult result;
    result.name = own.name;
    result.fail("cannot be loaded: " + error);
    report.add(std::move(result));
    return tda_device_synchronize() == TDA_OK;
  }
  for (const GridCase &c : own.cases) {
    report.add(runCase(family, c, settings));
    if (tda_device_synchronize() != TDA_OK)
      return false;
  }
  return true;
}

void tda::gputest::runGrid(const Session &session,
                           const std::vector<std::string> &kernels,
                           Report &report) {
  std::vector<KernelCases> chosen;
  std::string error;
  if (!chooseCases(session, kernels, chosen, error))
    return; // countGrid has reported it.

  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  unsigned jobs = std::clamp<size_t>(chosen.size(), 1, session.jobs);
  std::atomic<size_t> next{0};
  std::atomic<bool> isLost{false};
  auto work = [&] {
    Stream stream;
    RunSettings settings;
    settings.threads = std::max(1u, cores / jobs);
    settings.guardBytes = session.sample > 0 ? 0 : settings.guardBytes;
    std::string reason;
    if (tda_device_use(session.device) != TDA_OK || !stream.create(reason)) {
      isLost = true;
      return;
    }
    settings.stream = stream.get();
    for (size_t i = next++; i < chosen.size() && !isLost; i = next++)
      if (!runKernel(session, chosen[i], settings, report))
        isLost = true;
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < jobs; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  if (!isLost)
    return;
  CaseResult result;
  result.name = "device";
  result.fail("a kernel broke the CUDA context, the cases left were not run; "
              "--jobs 1 shows which");
  report.add(std::move(result));
}

void tda::gputest::runCoverage(const Session &session,
                               const std::vector<std::string> &kernels,
                               Report &report) {
  std::set<std::string> schedules;
  size_t wanted = 0;
  std::string error;
  for (const std::string &name : kernels) {
    Manifest manifest;
    if (!readManifest(session.kernels + "/" + name + ".json", manifest, error))
      return; // countGrid has reported it.
    schedules.insert(manifest.schedule);
    wanted = std::max<size_t>(
        wanted, manifest.target.arch.compare(0, 5, "sm_90") == 0 ? 40 : 12);
  }
  std::string count = std::to_string(schedules.size());
  runSpecial(session, report, "coverage: " + count + " distinct schedules",
             [&](CaseResult &result) {
               if (schedules.size() < wanted)
                 result.fail("the grid wants " + std::to_string(wanted));
             });
  report.schedules = schedules.size();
}
