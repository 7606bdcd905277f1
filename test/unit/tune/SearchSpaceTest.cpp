//===- SearchSpaceTest.cpp - Candidates, and which are legal --------------===//
#include "autotune/SearchSpace.h"
#include "TuneTestUtil.h"
#include "autotune/Constraints.h"

#include <algorithm>
#include <set>

using namespace tda;
using namespace tda::tune;

static Constrained legalOf(const std::string &problem, const char *target,
                           SpaceSize size = SpaceSize::Bounded) {
  Problem p = problemOf(problem);
  SearchSpace space(p, targetOf(target), size);
  return constrain(space.candidates(), p, targetOf(target));
}

TEST(SearchSpace, BoundedHasAboutSixtyFour) {
  for (const char *problem : {"views=2 d=128 causal", "views=2 d=64 causal",
                              "views=1 d=128 causal", "views=1 d=64 causal"}) {
    size_t count = legalOf(problem, "sm_90").legal.size();
    EXPECT_GE(count, 32u) << problem;
    EXPECT_LE(count, 80u) << problem;
  }
}

TEST(SearchSpace, HasTheDefaultsAndNoDoubles) {
  Problem p = problemOf("views=2 d=128 causal");
  for (const char *name : {"sm_80", "sm_90"}) {
    std::vector<Schedule> all = SearchSpace(p, targetOf(name)).candidates();
    std::set<std::string> texts;
    for (const Schedule &s : all)
      EXPECT_TRUE(texts.insert(s.str()).second) << s.str();
    EXPECT_TRUE(texts.count(defaultOf(p, name).str()));
  }
}

TEST(SearchSpace, SkipOffFormsAreLegalToo) {
  Problem p = problemOf("views=2 d=64 causal");
  for (const Schedule &s : legalOf("views=2 d=64 causal", "sm_90").legal)
    EXPECT_EQ(whyIllegal(skipOffForm(s), p, targetOf("sm_90")), "") << s.str();
}

TEST(SearchSpace, CpuHasNothingToSearch) {
  Problem p = problemOf("views=2 d=64 dtype=f32");
  EXPECT_TRUE(SearchSpace(p, targetOf("cpu")).candidates().empty());
}

TEST(SearchSpace, HashFollowsTheAxes) {
  Problem p = problemOf("views=2 d=64 causal");
  auto hash = [&](const char *target, SpaceSize size) {
    return SearchSpace(p, targetOf(target), size).hash();
  };
  EXPECT_EQ(hash("sm_90", SpaceSize::Full), hash("sm_90", SpaceSize::Full));
  EXPECT_NE(hash("sm_90", SpaceSize::Full), hash("sm_90", SpaceSize::Bounded));
  EXPECT_NE(hash("sm_90", SpaceSize::Full), hash("sm_80", SpaceSize::Full));
}

TEST(SearchSpace, FullHoldsManyMore) {
  EXPECT_GT(
      legalOf("views=2 d=128 causal", "sm_90", SpaceSize::Full).legal.size(),
      1000u);
}

TEST(Constraints, AsksTheOneRule) {
  Problem p = problemOf("views=2 d=128 causal");
  Constrained all = legalOf("views=2 d=128 causal", "sm_90", SpaceSize::Full);
  ASSERT_FALSE(all.rejected.empty());
  for (const Rejection &one : all.rejected)
    EXPECT_EQ(one.reason, whyIllegal(one.schedule, p, targetOf("sm_90")));
  for (const Schedule &s : all.legal)
    EXPECT_EQ(whyIllegal(s, p, targetOf("sm_90")), "");
}

TEST(Constraints, SummaryGroupsReasons) {
  Constrained all = legalOf("views=2 d=128 causal", "sm_90", SpaceSize::Full);
  std::string text = all.summary();
  EXPECT_NE(text.find("bytes of shared memory"), std::string::npos) << text;
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 20) << text;
}
