//===- Measure.cpp - Timings from tables and from functions ---------------===//
#include "autotune/Measure.h"

#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

ReplayMeasure::ReplayMeasure(std::vector<Entry> given)
    : tables(std::move(given)) {}

DeviceFacts ReplayMeasure::device() {
  if (current)
    return current->key.device;
  return tables.empty() ? DeviceFacts() : tables[0].key.device;
}

bool ReplayMeasure::begin(const Workload &workload, Achieved &achieved,
                          std::string &error) {
  current = nullptr;
  for (const Entry &table : tables)
    if (table.key.problem == workload.problem.str() &&
        table.key.shape == shapeText(bucketed(workload.lengths)) &&
        table.key.density == workload.density.name())
      current = &table;
  if (!current) {
    error = fmt::format("no recorded table of {}", workload.str());
    return false;
  }
  achieved = current->achieved;
  return true;
}

bool ReplayMeasure::measure(const Schedule &schedule, Sample &sample,
                            std::string &error) {
  if (!current) {
    error = "replay: nothing was begun";
    return false;
  }
  if (const Sample *found = current->find(schedule)) {
    sample = *found;
    if (sample.status == Sample::Status::Predicted) {
      sample.status = Sample::Status::Failed;
      sample.reason = "the table has a prediction of it only";
    }
    return true;
  }
  sample = Sample();
  sample.schedule = schedule;
  sample.status = Sample::Status::Failed;
  sample.reason = "it is not in the recorded table";
  return true;
}

bool FakeMeasure::begin(const Workload &given, Achieved &achieved,
                        std::string &) {
  workload = given;
  achieved.source = "fake";
  return true;
}

bool FakeMeasure::measure(const Schedule &schedule, Sample &sample,
                          std::string &) {
  calls.push_back(schedule);
  sample = function(workload, schedule);
  sample.schedule = schedule;
  return true;
}
