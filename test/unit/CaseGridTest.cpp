//===- CaseGridTest.cpp - The GPU grid covers what it says ----------------===//
#include "CaseGrid.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace tda;

namespace {

using Values = std::map<std::string, std::string>;

std::string text(bool value) { return value ? "yes" : "no"; }

/// What a problem chose, by name; a choice that means nothing is left out.
Values valuesOf(const Problem &p) {
  Values values = {
      {"d", std::to_string(p.d)},
      {"dv", std::to_string(p.dv)},
      {"dtype", dtypeName(p.dtype)},
      {"power", std::to_string(p.power)},
      {"views", std::to_string(p.views)},
      {"mask", std::string(p.causal ? "causal" : "full") +
                   (p.window > 0 ? " window" : "") +
                   (p.offsetOperand ? " offset" : "")},
      {"beta", extentName(p.beta)},
      {"normalize", text(p.normalize)},
      {"norm", text(p.norm)},
      {"stats", text(p.stats)},
      {"kappa", p.kappaOperand ? "operand" : std::to_string(p.kappa)}};
  if (p.views == 2)
    values["lambda"] = extentName(p.lambda);
  return values;
}

const std::map<std::string, std::set<std::string>> choices = {
    {"d", {"32", "64", "96", "128"}},
    {"dv", {"64", "128"}},
    {"dtype", {"bf16", "f16"}},
    {"power", {"1.000000", "2.000000", "3.000000", "2.500000"}},
    {"views", {"1", "2"}},
    {"mask",
     {"causal", "full", "causal window", "causal offset", "full window",
      "causal window offset"}},
    {"beta", {"scalar", "head"}},
    {"lambda", {"scalar", "head", "token"}},
    {"normalize", {"no", "yes"}},
    {"norm", {"no", "yes"}},
    {"stats", {"no", "yes"}},
    {"kappa", {"1.000000", "0.500000", "operand"}}};

TEST(CaseGrid, CoversEveryPairOfChoices) {
  std::vector<Values> rows;
  for (const Problem &problem : gridProblems(0))
    rows.push_back(valuesOf(problem));
  auto isCovered = [&](const std::string &a, const std::string &i,
                       const std::string &b, const std::string &j) {
    return std::any_of(rows.begin(), rows.end(), [&](Values &row) {
      return row.count(a) && row[a] == i && row.count(b) && row[b] == j;
    });
  };
  size_t pairs = 0;
  for (const auto &[a, valuesOfA] : choices)
    for (const auto &[b, valuesOfB] : choices)
      for (const std::string &i : valuesOfA)
        for (const std::string &j : valuesOfB) {
          // One view has no lambda.
          if (!(a < b) || (a == "lambda" && b == "views" && j == "1"))
            continue;
          ++pairs;
          EXPECT_TRUE(isCovered(a, i, b, j))
              << a << " = " << i << " with " << b << " = " << j;
        }
  EXPECT_EQ(pairs, 521u - 3u);
  EXPECT_LE(rows.size(), 40u) << "the covering is wasteful";
}

TEST(CaseGrid, IsLargeDistinctLegalAndRepeatable) {
  std::vector<Problem> problems = gridProblems();
  EXPECT_GE(problems.size(), 64u);
  std::set<std::string> texts;
  for (const Problem &problem : problems) {
    EXPECT_EQ(problem.check(), "");
    texts.insert(problem.str());
  }
  EXPECT_EQ(texts.size(), problems.size());
  std::vector<Problem> again = gridProblems();
  ASSERT_EQ(again.size(), problems.size());
  for (size_t i = 0; i < again.size(); ++i)
    EXPECT_EQ(again[i].str(), problems[i].str());
}

TEST(CaseGrid, KernelsAreLegalOnEveryGpu) {
  for (const Target &target : targetTable()) {
    if (target.path == Path::Vector)
      continue;
    std::vector<GridKernel> kernels;
    std::string error;
    ASSERT_TRUE(gridKernels(target, kernels, error)) << error;
    std::map<std::string, const GridKernel *> byName;
    std::set<std::string> schedules;
    for (const GridKernel &kernel : kernels) {
      EXPECT_TRUE(byName.emplace(kernel.name, &kernel).second) << kernel.name;
      EXPECT_EQ(whyIllegal(kernel.schedule, kernel.problem, target), "")
          << kernel.name;
      schedules.insert(kernel.schedule.str());
    }
    EXPECT_GE(schedules.size(), 12u);
    size_t twins = 0;
    for (const auto &[name, kernel] : byName) {
      auto twin = byName.find(name + "_noskip");
      if (twin == byName.end())
        continue;
      ++twins;
      Schedule schedule = twin->second->schedule;
      EXPECT_EQ(schedule.skip, Skip::Never);
      schedule.skip = Skip::Tile;
      EXPECT_TRUE(schedule == kernel->schedule) << name;
      EXPECT_EQ(twin->second->problem.str(), kernel->problem.str()) << name;
    }
    EXPECT_GE(twins, 65u);
    EXPECT_EQ(byName.count("demo"), 1u);
    EXPECT_EQ(byName.count("bench_d128_bf16"), 1u);
  }
}

} // namespace
