//===- CostModelTest.cpp - What predictions must obey ---------------------===//
#include "TuneTestUtil.h"
#include "autotune/SearchSpace.h"

using namespace tda;
using namespace tda::tune;

static double usOf(const Workload &workload, const Schedule &schedule) {
  const Target &target = targetOf("sm_90");
  return predict(workload, schedule, target, deviceModel("H100", target)).us;
}

TEST(CostModel, GrowsWithLengthAndHeads) {
  Workload w = workloadOf("views=2 d=128 causal");
  Schedule s = defaultOf(w.problem);
  double us = usOf(w, s);
  w.lengths.Nq = w.lengths.Nk = 16384;
  EXPECT_GT(usOf(w, s), 3 * us);
  EXPECT_LT(usOf(w, s), 5 * us);
  w = workloadOf("views=2 d=128 causal");
  w.lengths.B = 4;
  EXPECT_NEAR(usOf(w, s) / us, 4, 0.6);
}

TEST(CostModel, IsOfTheRightSize) {
  // bench/results/2026-11-23-h100-portable-bench.json: mma.sync, B1 H16 N8192.
  Schedule s;
  std::string error;
  for (auto [problem, kind, measured] :
       std::vector<std::tuple<const char *, Density::Kind, double>>{
           {"views=2 d=128 causal", Density::Kind::Dense, 1421},
           {"views=2 d=128 causal", Density::Kind::Null, 1115},
           {"views=2 d=64 causal", Density::Kind::Dense, 848},
           {"views=2 d=64 causal", Density::Kind::Null, 630}}) {
    Workload w = workloadOf(problem, 8192, kind);
    ASSERT_TRUE(
        defaultSchedule(w.problem, targetOf("sm_90"), s, error, Path::MmaSync));
    EXPECT_GT(usOf(w, s), 0.7 * measured) << problem;
    EXPECT_LT(usOf(w, s), 1.3 * measured) << problem;
  }
}

TEST(CostModel, DenseDataIsSlowerAndCausalIsFaster) {
  Workload null = workloadOf("views=2 d=128 causal", 8192, Density::Kind::Null);
  Workload dense =
      workloadOf("views=2 d=128 causal", 8192, Density::Kind::Dense);
  Workload full = workloadOf("views=2 d=128", 8192, Density::Kind::Null);
  Schedule s = defaultOf(null.problem);
  EXPECT_LT(usOf(null, s), usOf(dense, s));
  EXPECT_LT(usOf(null, s), 0.7 * usOf(full, s));
}

TEST(CostModel, LiveShareIsAShare) {
  Workload w = workloadOf("views=2 d=64 causal");
  for (auto kind :
       {Density::Kind::Null, Density::Kind::Real, Density::Kind::Dense})
    for (int64_t rows : {16, 64, 128, 1024}) {
      double small = liveShare(kind, w.problem, w.lengths, rows, 16);
      double large = liveShare(kind, w.problem, w.lengths, rows, 1024);
      EXPECT_GT(small, 0);
      EXPECT_LE(small, large);
      EXPECT_LE(large, 1);
    }
}

TEST(CostModel, EmptyWorkTakesALaunch) {
  Workload w = workloadOf("views=2 d=64 causal", 0);
  EXPECT_GT(usOf(w, defaultOf(w.problem)), 0);
  EXPECT_LT(usOf(w, defaultOf(w.problem)), 10);
}

TEST(CostModel, SaysWhatItIsMadeOf) {
  const Target &target = targetOf("sm_90");
  Workload w = workloadOf("views=2 d=128 causal");
  Prediction p = predict(w, defaultOf(w.problem), target,
                         deviceModel("NVIDIA H100 80GB HBM3", target));
  EXPECT_GT(p.tensorUs, 0);
  EXPECT_GT(p.scalarUs, 0);
  EXPECT_GT(p.waves, 0);
  EXPECT_EQ(p.sharedBytes, sharedBytes(defaultOf(w.problem), w.problem));
  EXPECT_NE(p.str().find("us predicted"), std::string::npos);
}
