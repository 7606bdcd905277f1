//===- SteadyMeasure.cpp - Watch the clock while measuring ----------------===//
#include "autotune/Measure.h"

#include <cmath>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

SteadyMeasure::SteadyMeasure(Measure &inner, Options options)
    : inner(inner), options(options), facts(inner.device()) {}

bool SteadyMeasure::sameDevice(std::string &error) {
  DeviceFacts now = inner.device();
  if (now.name == facts.name && now.sms == facts.sms &&
      now.driver == facts.driver)
    return true;
  error = fmt::format("the device changed while it was measured, from {} ({} "
                      "SMs, driver {}) to {} ({} SMs, driver {}); what was "
                      "found on the first is kept",
                      facts.name, facts.sms, facts.driver, now.name, now.sms,
                      now.driver);
  return false;
}

bool SteadyMeasure::begin(const Schedule &schedule, Sample &sample,
                          std::string &error) {
  fixed = schedule;
  since.clear();
  // Clocks rise from idle, and fall when it gets warm: until two agree.
  for (int i = 0; i < options.settling; ++i) {
    first = sample;
    if (!sameDevice(error) || !inner.measure(fixed, sample, error))
      return false;
    if (!sample.measured() || (i > 0 && std::abs(sample.median / first.median -
                                                 1) <= options.allowed / 2))
      break;
  }
  first = sample;
  return true;
}

bool SteadyMeasure::measure(const Schedule &schedule, Sample &sample,
                            std::string &error) {
  if (!sameDevice(error) || !inner.measure(schedule, sample, error))
    return false;
  if (sample.measured())
    since.push_back(schedule);
  return true;
}

bool SteadyMeasure::lookAt(double &ratio, std::string &error) {
  Sample again;
  ratio = 1;
  if (!sameDevice(error) || !inner.measure(fixed, again, error))
    return false;
  if (again.measured())
    ratio = again.median / first.median;
  return true;
}

bool SteadyMeasure::settle(std::vector<Sample> &repeated, std::string &error) {
  if (since.empty() || !first.measured())
    return true;
  for (int attempt = 0;; ++attempt) {
    if (!lookAt(lastDrift, error))
      return false;
    if (std::abs(lastDrift - 1) <= options.allowed)
      break;
    if (attempt == options.attempts) {
      wasDisturbed = true;
      break;
    }
    repeated.clear();
    for (const Schedule &schedule : since) {
      Sample sample;
      if (!inner.measure(schedule, sample, error))
        return false;
      repeated.push_back(sample);
    }
  }
  since.clear();
  return true;
}
