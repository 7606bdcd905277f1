//===- TunerTest.cpp - The search, on landscapes made up for it -----------===//
#include "autotune/Tuner.h"
#include "TuneTestUtil.h"

#include <cmath>

using namespace tda;
using namespace tda::tune;

namespace {

/// A landscape that the cost model does not know: its prediction, off by
/// factors that depend on tile shape, skip policy and grid.
Sample madeUp(const Workload &w, const Schedule &s, unsigned seed) {
  const Target &target = targetOf("sm_90");
  double us = predict(w, s, target, deviceModel("", target)).us;
  auto factor = [&](unsigned value, double most) {
    unsigned mixed = (value + 1) * 2654435761u * (seed * 2 + 1);
    return std::exp(most * (double(mixed >> 8) / double(1u << 24) - 0.5));
  };
  us *= factor(unsigned(s.tileM * 1000 + s.tileN), 0.5);
  us *= factor(unsigned(s.skip) * 3 + unsigned(s.path), 0.4);
  us *= factor(100 + unsigned(s.grid), 0.1);
  us *= factor(unsigned(s.tileN) * 31 + unsigned(s.skip), 0.1);
  return timed(us);
}

class FakeBuilder : public Builder {
public:
  std::function<Built(const Schedule &)> one = [](const Schedule &s) {
    return Built{true, "", 100, "sha256:" + s.str()};
  };
  std::vector<Schedule> asked;
  std::vector<Built> build(const Problem &,
                           const std::vector<Schedule> &schedules) override {
    std::vector<Built> results;
    for (const Schedule &s : schedules) {
      asked.push_back(s);
      results.push_back(one(s));
    }
    return results;
  }
};

class TunerTest : public testing::Test {
protected:
  Workload workload = workloadOf("views=2 d=128 causal");
  const Target &target = targetOf("sm_90");
  TuneOptions options;
  TuneResult result;
  FakeBuilder builder;
  std::string error;
  unsigned seed = 1;
  FakeMeasure fake{[this](const Workload &w, const Schedule &s) {
    return madeUp(w, s, seed);
  }};

  bool run(const Entry *known = nullptr) {
    return tune::tune(workload, target, options, &fake, &builder, known, result,
                      error);
  }
};

} // namespace

TEST_F(TunerTest, ExhaustiveMeasuresAll) {
  options.exhaustive = true;
  options.seconds = 1e9;
  ASSERT_TRUE(run()) << error;
  for (const Schedule &s : result.space.legal) {
    ASSERT_TRUE(result.entry.find(s)) << s.str();
    EXPECT_TRUE(result.entry.find(s)->measured());
  }
}

TEST_F(TunerTest, SixteenMeasurementsComeNear) {
  // Over made-up landscapes; on recorded tables of a GPU see RegretTest.
  double sum = 0;
  for (seed = 1; seed <= 20; ++seed) {
    ASSERT_TRUE(run()) << error;
    double best = 1e30;
    for (const Schedule &s : result.space.legal)
      best = std::min(best, madeUp(workload, s, seed).median);
    int taken = 0;
    for (const Sample &sample : result.entry.samples)
      taken += sample.measured();
    EXPECT_LE(taken, 16);
    double regret = result.entry.find(result.entry.winner)->median / best - 1;
    EXPECT_LT(regret, 0.10) << seed;
    sum += regret / 20;
  }
  EXPECT_LT(sum, 0.02);
}

TEST_F(TunerTest, TheDefaultIsMeasuredFirstAndBesideTheWinner) {
  ASSERT_TRUE(run()) << error;
  EXPECT_EQ(fake.calls.front().str(), result.entry.byDefault.str());
  EXPECT_TRUE(result.entry.find(result.entry.byDefault)->measured());
}

TEST_F(TunerTest, WhatDoesNotCompileOrIsWrongNeverWins) {
  builder.one = [](const Schedule &s) {
    return s.skip == Skip::Adaptive ? Built{false, "spills 64 bytes", 255, ""}
                                    : Built{true, "", 100, "x"};
  };
  fake.function = [&](const Workload &w, const Schedule &s) {
    Sample sample = madeUp(w, s, 1);
    if (s.skip == Skip::Steps) {
      sample = Sample();
      sample.status = Sample::Status::Failed;
      sample.reason = "wrong";
    }
    return sample;
  };
  ASSERT_TRUE(run()) << error;
  EXPECT_NE(result.entry.winner.skip, Skip::Steps);
  EXPECT_NE(result.entry.winner.skip, Skip::Adaptive);
  bool said = false;
  for (const Sample &sample : result.entry.samples)
    said |= sample.reason == "spills 64 bytes";
  EXPECT_TRUE(said);
}

TEST_F(TunerTest, AllFailedSaysWhy) {
  fake.function = [](const Workload &, const Schedule &) {
    Sample sample;
    sample.status = Sample::Status::Failed;
    sample.reason = "hung for 5 s";
    return sample;
  };
  EXPECT_FALSE(run());
  EXPECT_NE(error.find("every candidate failed"), std::string::npos) << error;
  EXPECT_NE(error.find("hung for 5 s"), std::string::npos) << error;
}

TEST_F(TunerTest, NoiseGoesToFewerResources) {
  std::vector<Sample> samples{timed(100), timed(100.3), timed(103)};
  samples[0].sharedBytes = 3000;
  samples[1].sharedBytes = 2000;
  samples[2].sharedBytes = 1000;
  EXPECT_EQ(chooseMeasured(samples), &samples[1]);
  samples[1].status = Sample::Status::Failed;
  EXPECT_EQ(chooseMeasured(samples), &samples[0]);
  EXPECT_EQ(chooseMeasured({}), nullptr);
}

TEST_F(TunerTest, KnownTimingsAreNotTakenAgain) {
  ASSERT_TRUE(run()) << error;
  Entry first = result.entry;
  first.key.space = "another";
  fake.calls.clear();
  options.exhaustive = true;
  options.seconds = 1e9;
  ASSERT_TRUE(run(&first)) << error;
  // All but those known, and the default as the yardstick of the clock.
  std::map<std::string, int> counts;
  for (const Schedule &s : fake.calls)
    ++counts[s.str()];
  for (const Sample &sample : first.samples)
    if (sample.measured() && !(sample.schedule == result.entry.byDefault))
      EXPECT_EQ(counts[sample.schedule.str()], 0) << sample.schedule.str();
}

TEST_F(TunerTest, OtherCodeIsMeasuredAgain) {
  ASSERT_TRUE(run()) << error;
  Entry first = result.entry;
  fake.calls.clear();
  builder.one = [](const Schedule &) { return Built{true, "", 0, "changed"}; };
  ASSERT_TRUE(run(&first)) << error;
  EXPECT_GE(fake.calls.size(), 16u); // the default twice
}

TEST_F(TunerTest, ACandidateThatIsAddedIsTheOnlyOneMeasured) {
  options.exhaustive = true;
  options.seconds = 1e9;
  ASSERT_TRUE(run()) << error;
  Entry known = result.entry;
  Schedule dropped = known.samples.back().schedule;
  if (dropped == known.byDefault)
    dropped = known.samples.front().schedule;
  known.samples.erase(
      std::remove_if(known.samples.begin(), known.samples.end(),
                     [&](const Sample &s) { return s.schedule == dropped; }),
      known.samples.end());
  fake.calls.clear();
  ASSERT_TRUE(run(&known)) << error;
  for (const Schedule &s : fake.calls)
    EXPECT_TRUE(s == dropped || s == known.byDefault) << s.str();
}

TEST_F(TunerTest, StoppingKeepsWhatWasFound) {
  int saved = 0;
  options.stopped = [&] { return fake.calls.size() >= 4; };
  options.save = [&](Entry &entry) {
    ++saved;
    EXPECT_TRUE(entry.measured);
  };
  ASSERT_TRUE(run()) << error;
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.note, "stopped");
  EXPECT_GE(saved, 3);
  EXPECT_TRUE(result.entry.measured);
}

TEST_F(TunerTest, ATimeLimitEndsIt) {
  options.seconds = -1;
  ASSERT_TRUE(run()) << error;
  EXPECT_TRUE(result.interrupted);
  EXPECT_NE(result.note.find("the time was up"), std::string::npos);
  EXPECT_EQ(result.entry.winner, result.entry.byDefault); // measured even so
  options.stopped = [] { return true; };
  EXPECT_FALSE(run());
  EXPECT_EQ(error, "nothing was measured: stopped");
}

TEST_F(TunerTest, WithoutAMeasureItIsPredicted) {
  ASSERT_TRUE(tune::tune(workload, target, options, nullptr, nullptr, nullptr,
                         result, error))
      << error;
  EXPECT_FALSE(result.entry.measured);
  for (const Sample &sample : result.entry.samples)
    EXPECT_EQ(sample.status, Sample::Status::Predicted);
  EXPECT_EQ(whyIllegal(result.entry.winner, workload.problem, target), "");
}

TEST_F(TunerTest, AProblemThatNothingFits) {
  workload = workloadOf("views=2 d=20 causal");
  EXPECT_FALSE(run());
  EXPECT_NE(error.find("multiples of 16"), std::string::npos) << error;
  // A path that takes the problem, but too little of everything.
  Target tiny = target;
  tiny.sharedPerBlock = 4096;
  workload = workloadOf("views=2 d=128 causal");
  EXPECT_FALSE(tune::tune(workload, tiny, options, &fake, &builder, nullptr,
                          result, error));
  EXPECT_NE(error.find("no candidate of"), std::string::npos) << error;
  EXPECT_NE(error.find("more than the 4096 that a block may take"),
            std::string::npos)
      << error;
}

TEST_F(TunerTest, ADriftingClockIsSaid) {
  double slow = 1;
  fake.function = [&](const Workload &w, const Schedule &s) {
    Sample sample = madeUp(w, s, 1);
    sample.median *= slow *= 1.02;
    return sample;
  };
  ASSERT_TRUE(run()) << error;
  EXPECT_TRUE(result.entry.disturbed);
  EXPECT_NE(explain(result, workload, target).find("the clock drifted"),
            std::string::npos);
}

TEST_F(TunerTest, ADeviceThatChangesKeepsWhatWasFound) {
  fake.function = [&](const Workload &w, const Schedule &s) {
    if (fake.calls.size() == 4)
      fake.facts.name = "Other GPU";
    return madeUp(w, s, 1);
  };
  EXPECT_FALSE(run());
  EXPECT_NE(error.find("device changed"), std::string::npos) << error;
  EXPECT_TRUE(result.entry.measured);
  EXPECT_EQ(result.entry.key.device.name, "Fake GPU");
}

TEST_F(TunerTest, ExplainsTheWinner) {
  ASSERT_TRUE(run()) << error;
  std::string text = explain(result, workload, target);
  for (const char *part : {"winner", "us measured", "us predicted", "bound by",
                           "candidates", "legal"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}
