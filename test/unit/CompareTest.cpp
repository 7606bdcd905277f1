//===- CompareTest.cpp - An output beside the float64 reference -----------===//

#include "HostTestUtil.h"

#include <cmath>

using namespace tda;
using namespace tda::host;

TEST(Compare, RelativeError) {
  Reference r;
  r.o = {3, 4};
  EXPECT_EQ(relativeError(f32({1, 1, 1, 2}, {3, 4}), r), 0.0);
  EXPECT_DOUBLE_EQ(relativeError(f32({2}, {3, 4.5}), r), 0.1);
  EXPECT_EQ(relativeError(f32({2}, {3, std::nan("")}), r), HUGE_VAL);
  EXPECT_EQ(relativeError(f32({2}, {3, -HUGE_VAL}), r), HUGE_VAL);
  EXPECT_EQ(relativeError(f32({1}, {3}), r), HUGE_VAL);
  r.o = {0, 0};
  EXPECT_EQ(relativeError(f32({2}, {0, -0.0}), r), 0.0);
  EXPECT_EQ(relativeError(f32({2}, {0, 1e-9}), r), HUGE_VAL);
  r.o.clear();
  EXPECT_EQ(relativeError(f32({0}, {}), r), 0.0);
}

TEST(Compare, Contract) {
  EXPECT_EQ(contract(DType::BF16), 5e-3);
  EXPECT_EQ(contract(DType::F16), 1e-3);
  EXPECT_EQ(contract(DType::F32), 5e-5);
}

TEST(Compare, DeadRows) {
  Reference r;
  r.o = {0, 0, 0, 0, 0, 0};
  r.dead = {1, 0, 1};
  EXPECT_EQ(countDeadRowViolations(f32({3, 2}, {0, -0.0, 5, 5, 0, 0}), r), 0);
  EXPECT_EQ(
      countDeadRowViolations(f32({3, 2}, {0, 1e-30, 5, 5, 0, std::nan("")}), r),
      2);
}

/// A row that f32 could see alive is not claimed to be dead.
TEST(Compare, RowsNearTheGateAreNotSurelyDead) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 beta=scalar");
  auto isDead = [&](double score) {
    Reference r = evaluated(problem, {oneHot({1, 1, 1, 2}, {0}, score),
                                      oneHot({1, 1, 1, 2}, {0}),
                                      f32({1, 1, 1, 1}, {1}), f32({}, {0})});
    return r.dead[0] != 0;
  };
  EXPECT_FALSE(isDead(0.1)); // tau = 0 as n = 1.
  EXPECT_TRUE(isDead(-0.1));
  EXPECT_TRUE(isDead(0.0));
}
