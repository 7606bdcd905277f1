//===- MeasureTest.cpp - Replay, and a clock that drifts ------------------===//
#include "autotune/Measure.h"
#include "TuneTestUtil.h"

using namespace tda;
using namespace tda::tune;

TEST(ReplayMeasure, GivesBackTheTable) {
  Workload w = workloadOf("views=2 d=64 causal");
  Schedule s = defaultOf(w.problem), other = s;
  other.group = 3;
  ReplayMeasure replay({entryOf(w, s, 42)});
  Achieved achieved;
  std::string error;
  Sample sample;
  ASSERT_TRUE(replay.begin(w, achieved, error)) << error;
  ASSERT_TRUE(replay.measure(s, sample, error));
  EXPECT_EQ(sample.median, 42);
  ASSERT_TRUE(replay.measure(other, sample, error));
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  w.lengths.Nq = w.lengths.Nk = 512;
  EXPECT_FALSE(replay.begin(w, achieved, error));
  EXPECT_NE(error.find("no recorded table"), std::string::npos);
}

namespace {
class Steady : public testing::Test {
protected:
  Workload workload = workloadOf("views=2 d=64 causal");
  Schedule fixed = defaultOf(workload.problem);
  double speed = 1; ///< Factor on all times.
  FakeMeasure fake{[this](const Workload &, const Schedule &s) {
    return timed(speed * (100 + double(s.group)));
  }};
  Sample sample;
  std::string error;
  std::vector<Sample> repeated;

  Schedule grouped(int group) {
    Schedule s = fixed;
    s.group = group;
    return s;
  }
};
} // namespace

TEST_F(Steady, AnUndisturbedRunIsNotRepeated) {
  SteadyMeasure steady(fake);
  ASSERT_TRUE(steady.begin(fixed, sample, error));
  ASSERT_TRUE(steady.measure(grouped(1), sample, error));
  ASSERT_TRUE(steady.settle(repeated, error));
  EXPECT_TRUE(repeated.empty());
  EXPECT_FALSE(steady.disturbed());
  EXPECT_EQ(fake.calls.size(), 4u); // the fixed one: twice, and a look
}

TEST_F(Steady, ClocksThatRiseFromIdleAreWaitedFor) {
  std::vector<double> speeds{2, 1.5, 1.1, 1.001, 1};
  size_t call = 0;
  fake.function = [&](const Workload &, const Schedule &) {
    return timed(100 * speeds[std::min(call++, speeds.size() - 1)]);
  };
  SteadyMeasure steady(fake);
  ASSERT_TRUE(steady.begin(fixed, sample, error));
  EXPECT_EQ(call, 5u);
  EXPECT_NEAR(sample.median, 100, 0.2);
}

TEST_F(Steady, ADisturbedRunIsRepeated) {
  SteadyMeasure steady(fake);
  ASSERT_TRUE(steady.begin(fixed, sample, error));
  speed = 1.5; // the clock goes down for two candidates and one look
  ASSERT_TRUE(steady.measure(grouped(1), sample, error));
  ASSERT_TRUE(steady.measure(grouped(2), sample, error));
  EXPECT_EQ(sample.median, 153);
  fake.function = [this](const Workload &, const Schedule &s) {
    Sample result = timed(speed * (100 + double(s.group)));
    speed = 1;
    return result;
  };
  ASSERT_TRUE(steady.settle(repeated, error));
  ASSERT_EQ(repeated.size(), 2u);
  EXPECT_EQ(repeated[1].median, 102);
  EXPECT_FALSE(steady.disturbed());
}

TEST_F(Steady, AClockThatStaysDownIsSaid) {
  SteadyMeasure steady(fake);
  ASSERT_TRUE(steady.begin(fixed, sample, error));
  speed = 1.5;
  ASSERT_TRUE(steady.measure(grouped(1), sample, error));
  ASSERT_TRUE(steady.settle(repeated, error));
  EXPECT_TRUE(steady.disturbed());
  EXPECT_NEAR(steady.drift(), 1.5, 1e-9);
}

TEST_F(Steady, ADeviceThatChangesEndsTheRun) {
  SteadyMeasure steady(fake);
  ASSERT_TRUE(steady.begin(fixed, sample, error));
  fake.facts.name = "Other GPU";
  EXPECT_FALSE(steady.measure(grouped(1), sample, error));
  EXPECT_NE(error.find("from Fake GPU"), std::string::npos) << error;
  EXPECT_NE(error.find("to Other GPU"), std::string::npos) << error;
}
