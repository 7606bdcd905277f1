//===- Report.cpp - What became of each case ------------------------------===//
#include "Report.h"

#include "tda/Host/AtomicFile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace tda;
using namespace tda::gputest;
using Json = nlohmann::ordered_json;
using Status = CaseResult::Status;

void CaseResult::fail(std::string reason) {
  status = Status::Failed;
  why = std::move(reason);
}

void CaseResult::skip(std::string reason) {
  status = Status::Skipped;
  why = std::move(reason);
}

void Report::add(CaseResult result) {
  std::lock_guard<std::mutex> lock(mutex);
  if (result.status == Status::Failed) {
    fmt::print("FAILED {}: {}\n", result.name, result.why);
    if (!result.problem.empty())
      fmt::print("       {}; {}; seed {}\n", result.problem, result.schedule,
                 result.seed);
  } else if (result.status == Status::Skipped) {
    fmt::print("skipped {}: {}\n", result.name, result.why);
  }
  results.push_back(std::move(result));
  if (results.size() % 50 == 0)
    fmt::print("{} of {} cases, {} failed\n", results.size(), expected,
               count(Status::Failed));
  std::fflush(stdout);
}

void Report::add(Timing timing) {
  fmt::print("{:<26} beta {:<4} {:8.3f} ms {:7.1f} TFLOP/s\n", timing.kernel,
             timing.beta, timing.milliseconds, timing.teraflops);
  std::fflush(stdout);
  timings.push_back(std::move(timing));
}

size_t Report::count(Status status) const {
  return std::count_if(
      results.begin(), results.end(),
      [&](const CaseResult &result) { return result.status == status; });
}

int Report::finish() {
  size_t passed = count(Status::Passed), failed = count(Status::Failed);
  if (passed + failed == 0)
    fmt::print(stderr, "tda-gpu-test: error: no test ran\n");
  if (schedules > 0)
    fmt::print("{} distinct schedules\n", schedules);
  fmt::print("{} passed, {} failed, {} skipped\n", passed, failed,
             count(Status::Skipped));
  return failed == 0 && passed > 0 ? 0 : 1;
}

static const char *statusName(Status status) {
  switch (status) {
  case Status::Passed:
    return "passed";
  case Status::Failed:
    return "failed";
  case Status::Skipped:
    return "skipped";
  }
  return "?";
}

static Json toJson(const CaseResult &result) {
  Json json = {{"name", result.name}, {"status", statusName(result.status)}};
  if (!result.why.empty())
    json["why"] = result.why;
  if (!result.problem.empty()) {
    json["problem"] = result.problem;
    json["schedule"] = result.schedule;
  }
  if (result.limit > 0) {
    json["seed"] = result.seed;
    // JSON has no infinity, the error of an output with NaN.
    json["error"] = std::isfinite(result.error) ? Json(result.error) : Json();
    json["limit"] = result.limit;
    json["survivors"] = result.survivors;
    json["survivor_difference"] = result.survivorDifference;
  }
  return json;
}

bool Report::write(const std::string &path, const tda_device_info &device,
                   size_t kernels, std::string &error) const {
  Json json = {
      {"device", device.name},
      {"compute_capability", fmt::format("{}.{}", device.major, device.minor)},
      {"driver", device.driver_version},
      {"runtime", tda_runtime_version()},
      {"kernels", kernels},
      {"schedules", schedules},
      {"passed", count(Status::Passed)},
      {"failed", count(Status::Failed)},
      {"skipped", count(Status::Skipped)}};
  json["cases"] = Json::array();
  for (const CaseResult &result : results)
    json["cases"].push_back(toJson(result));
  json["timings"] = Json::array();
  for (const Timing &timing : timings)
    json["timings"].push_back({{"kernel", timing.kernel},
                               {"beta", timing.beta},
                               {"milliseconds", timing.milliseconds},
                               {"tflops", timing.teraflops}});
  std::string text = json.dump(1) + "\n";
  return host::writeFileAtomically(path, {text}, error);
}
