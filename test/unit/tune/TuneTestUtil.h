//===- TuneTestUtil.h - What tests of the tuner share ----------*- C++ -*-===//
#ifndef TDA_TEST_UNIT_TUNETESTUTIL_H
#define TDA_TEST_UNIT_TUNETESTUTIL_H

#include "autotune/CostModel.h"
#include "autotune/Record.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tda::tune {

inline Problem problemOf(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  return problem;
}

inline const Target &targetOf(const std::string &name) {
  std::string error;
  const Target *target = findTarget(name, error);
  EXPECT_TRUE(target) << error;
  return *target;
}

inline Workload workloadOf(const std::string &text, int64_t n = 8192,
                           Density::Kind kind = Density::Kind::Real) {
  return {problemOf(text), {1, 16, 16, n, n}, {kind, {}}};
}

/// A folder that disappears with this.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "tda-tune-XXXXXX").string();
    EXPECT_TRUE(mkdtemp(name.data()));
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

inline Sample timed(double us) {
  Sample sample;
  sample.status = Sample::Status::Measured;
  sample.median = us;
  sample.low = us * 0.999;
  sample.high = us * 1.001;
  sample.repetitions = 10;
  return sample;
}

/// A measured entry with one sample.
inline Entry entryOf(const Workload &workload, const Schedule &schedule,
                     double us, const std::string &device = "Fake GPU",
                     const std::string &space = "space") {
  Entry entry;
  entry.key = makeKey(workload, targetOf("sm_90"), {device, 132, 13000},
                      "13.0.88", space);
  entry.measured = true;
  entry.winner = entry.byDefault = schedule;
  entry.samples.push_back(timed(us));
  entry.samples[0].schedule = schedule;
  return entry;
}

inline Schedule defaultOf(const Problem &problem,
                          const char *target = "sm_90") {
  Schedule schedule;
  std::string error;
  EXPECT_TRUE(defaultSchedule(problem, targetOf(target), schedule, error))
      << error;
  return schedule;
}

} // namespace tda::tune

#endif // TDA_TEST_UNIT_TUNETESTUTIL_H
