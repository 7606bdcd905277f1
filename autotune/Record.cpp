//===- Record.cpp - What was found out about one key ----------------------===//
#include "autotune/Record.h"

#include "tda/Manifest.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

std::string Key::text() const {
  return fmt::format("problem {}\nshape {}\ndensity {}\ntarget {}\ndevice {}\n"
                     "sms {}\ndriver {}\ncodegen {}\nptxas {}\nspace {}\n"
                     "policy {}\n",
                     problem, shape, density, target, device.name, device.sms,
                     device.driver, codegen, ptxas, space, policy);
}

std::string Key::hash() const { return sha256Hex(text()).substr(0, 12); }

bool Key::sameConditions(const Key &other) const {
  Key same = other;
  same.space = space;
  return same.text() == text();
}

Key tune::makeKey(const Workload &workload, const Target &target,
                  const DeviceFacts &device, const std::string &ptxas,
                  const std::string &space) {
  Key key;
  key.problem = workload.problem.str();
  key.shape = shapeText(bucketed(workload.lengths));
  key.density = workload.density.name();
  key.target = target.name;
  key.device = device;
  key.ptxas = ptxas;
  key.space = space;
  return key;
}

const char *tune::statusName(Sample::Status status) {
  switch (status) {
  case Sample::Status::Measured:
    return "measured";
  case Sample::Status::Predicted:
    return "predicted";
  case Sample::Status::Failed:
    return "failed";
  }
  return "";
}

double Sample::noise() const {
  return std::max((high - low) / 2, 0.005 * median);
}

const Sample *Entry::find(const Schedule &schedule) const {
  for (const Sample &sample : samples)
    if (sample.schedule == schedule)
      return &sample;
  return nullptr;
}

Sample *Entry::find(const Schedule &schedule) {
  return const_cast<Sample *>(static_cast<const Entry *>(this)->find(schedule));
}

void Entry::merge(const Entry &other) {
  for (const Sample &theirs : other.samples) {
    Sample *ours = find(theirs.schedule);
    if (!ours)
      samples.push_back(theirs);
    else if (!ours->measured() && theirs.measured())
      *ours = theirs;
  }
}

std::string tune::timeText() {
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}
