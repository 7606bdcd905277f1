//===- Worker.cpp - The child that measures -------------------------------===//
#include "autotune/gpu/Worker.h"
#include "autotune/gpu/DeviceRun.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace tda;
using namespace tda::tune;
using Json = nlohmann::json;

static bool readWorkload(const Json &request, Workload &workload,
                         std::string &error) {
  workload.density.files = request.value("files", std::vector<std::string>());
  std::string density = request.value("density", "");
  if (!workload.density.files.empty())
    workload.density.kind = Density::Kind::Files;
  else if (!Density::parse(density, workload.density, error))
    return false;
  return Problem::parse(request.value("problem", ""), workload.problem,
                        error) &&
         parseShape(request.value("shape", ""), workload.lengths, error);
}

static Json answerTo(const Json &request, DeviceRun &run,
                     const DeviceFacts &facts, const std::string &realFolder) {
  std::string what = request.value("do", ""), error;
  if (what == "device")
    return {{"name", facts.name}, {"sms", facts.sms}, {"driver", facts.driver}};
  if (what == "begin") {
    Workload workload;
    Achieved achieved;
    if (!readWorkload(request, workload, error) ||
        !run.begin(workload, realFolder, achieved, error))
      return {{"error", error}};
    return {{"source", achieved.source},
            {"survivors", achieved.survivorsPerRow},
            {"live", achieved.liveTiles}};
  }
  if (what == "measure") {
    Sample sample;
    run.measure(request.value("manifest", ""), request.value("skip_off", ""),
                request.value("best", 0.0), sample);
    return {{"measured", sample.measured()},
            {"median", sample.median},
            {"low", sample.low},
            {"high", sample.high},
            {"runs", sample.repetitions},
            {"relative", sample.error},
            {"reason", sample.reason}};
  }
  return {{"error", "unknown request '" + what + "'"}};
}

int tune::runWorker(int device, const std::string &realFolder) {
  DeviceRun run(device);
  DeviceFacts facts;
  std::string error, line;
  bool opened = run.open(facts, error);
  while (std::getline(std::cin, line)) {
    Json request = Json::parse(line, nullptr, false);
    Json answer = !opened ? Json{{"error", error}}
                  : request.is_object()
                      ? answerTo(request, run, facts, realFolder)
                      : Json{{"error", "the request is not JSON"}};
    answer["lost"] = run.isLost();
    std::string text =
        answer.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
    if (run.isLost())
      break;
  }
  // A lost context may not let go of its memory: the process ends as it is.
  std::_Exit(0);
}
