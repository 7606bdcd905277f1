//===- CaseGridTest.cpp - The GPU grid covers what it says ----------------===//
#include "CaseGrid.h"
#include "DrawSchedule.h"

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
    {"d", {"32", "64", "96", "128", "256"}},
    {"dv", {"64", "96", "128", "256"}},
    {"dtype", {"bf16", "f16"}},
    {"power", {"1.000000", "1.500000", "2.000000", "3.000000"}},
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

std::vector<const Target *> gpus() {
  std::vector<const Target *> list;
  for (const Target &target : targetTable())
    if (target.path != Path::Vector)
      list.push_back(&target);
  return list;
}

/// The word that makes the choice in Problem::parse.
std::string wordOf(const std::string &name, const std::string &value) {
  if (name == "mask") {
    std::string words = value;
    for (const auto &[word, with] :
         {std::pair<std::string, std::string>{"full", ""},
          {"window", "window=100"},
          {"offset", "offset=arg"}})
      if (size_t at = words.find(word); at != std::string::npos)
        words.replace(at, word.size(), with);
    return words;
  }
  if (name == "normalize" || name == "norm" || name == "stats")
    return value == "yes" ? name : "";
  return name + "=" + (value == "operand" ? "arg" : value);
}

/// Whether anything with these two choices can run: the smallest problem can.
bool canRun(const Target &target, const std::string &a, const std::string &i,
            const std::string &b, const std::string &j) {
  Values words = {{"d", "d=16"}, {"dv", "dv=16"}, {"views", "views=1"}};
  if (a == "lambda" || b == "lambda")
    words["views"] = "views=2";
  words[a] = wordOf(a, i);
  words[b] = wordOf(b, j);
  std::string text, error;
  for (const auto &[name, word] : words)
    text += word + " ";
  Problem problem;
  Schedule schedule;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << text << error;
  return defaultSchedule(problem, target, schedule, error);
}

TEST(CaseGrid, CoversEveryPairOfChoicesThatCanRun) {
  for (const Target *target : gpus()) {
    std::vector<Values> rows;
    for (const Problem &problem : gridProblems(*target, 0))
      rows.push_back(valuesOf(problem));
    auto isCovered = [&](const std::string &a, const std::string &i,
                         const std::string &b, const std::string &j) {
      return std::any_of(rows.begin(), rows.end(), [&](Values &row) {
        return row.count(a) && row[a] == i && row.count(b) && row[b] == j;
      });
    };
    size_t pairs = 0, left = 0;
    for (const auto &[a, valuesOfA] : choices)
      for (const auto &[b, valuesOfB] : choices)
        for (const std::string &i : valuesOfA)
          for (const std::string &j : valuesOfB) {
            // One view has no lambda.
            if (!(a < b) || (a == "lambda" && b == "views" && j == "1"))
              continue;
            ++pairs;
            if (isCovered(a, i, b, j))
              continue;
            ++left;
            EXPECT_FALSE(canRun(*target, a, i, b, j))
                << target->name << ": " << a << " = " << i << " with " << b
                << " = " << j;
          }
    EXPECT_EQ(pairs, 617u - 3u);
    EXPECT_LE(rows.size(), 48u) << "the covering is wasteful";
    // The portable path leaves out all of 256.
    EXPECT_LE(left, target->wgmma ? 0u : 80u) << target->name;
  }
}

TEST(CaseGrid, IsLargeDistinctLegalAndRepeatable) {
  for (const Target *target : gpus()) {
    std::vector<Problem> problems = gridProblems(*target);
    EXPECT_GE(problems.size(), 64u);
    std::set<std::string> texts;
    std::set<int64_t> dims, valueDims;
    for (const Problem &problem : problems) {
      EXPECT_EQ(problem.check(), "");
      texts.insert(problem.str());
      dims.insert(problem.d);
      valueDims.insert(problem.dv);
    }
    EXPECT_EQ(texts.size(), problems.size());
    for (int64_t odd : {16, 48, 80, 112}) {
      EXPECT_EQ(dims.count(odd), 1u) << target->name << ", d = " << odd;
      EXPECT_EQ(valueDims.count(odd), 1u) << target->name << ", dv = " << odd;
    }
    std::vector<Problem> again = gridProblems(*target);
    ASSERT_EQ(again.size(), problems.size());
    for (size_t i = 0; i < again.size(); ++i)
      EXPECT_EQ(again[i].str(), problems[i].str());
  }
}

/// What the twin called `word` may differ in, taken back.
Schedule without(const std::string &word, Schedule schedule,
                 const Schedule &original) {
  if (word == "force") {
    EXPECT_TRUE(schedule.force);
    schedule.force = false;
  } else if (word == gridName(schedule.grid)) {
    EXPECT_NE(schedule.grid, original.grid);
    schedule.grid = original.grid;
  } else {
    EXPECT_EQ(word, skipName(schedule.skip));
    EXPECT_NE(schedule.skip, original.skip);
    schedule.skip = original.skip;
  }
  return schedule;
}

TEST(CaseGrid, KernelsAreLegalOnEveryGpu) {
  for (const Target *target : gpus()) {
    std::vector<GridKernel> kernels;
    std::string error;
    ASSERT_TRUE(gridKernels(*target, kDefaultSeed, kernels, error)) << error;
    std::map<std::string, const GridKernel *> byName;
    for (const GridKernel &kernel : kernels) {
      EXPECT_TRUE(byName.emplace(kernel.name, &kernel).second) << kernel.name;
      EXPECT_EQ(whyIllegal(kernel.schedule, kernel.problem, *target), "")
          << kernel.name;
    }
    std::set<std::string> schedules;
    std::map<std::string, std::set<std::string>> twinsOf;
    size_t own = 0, defaults = 0;
    for (const auto &[name, kernel] : byName) {
      size_t mark = name.find(kTwinMark);
      if (mark == std::string::npos) {
        if (name.rfind("bench", 0) == 0)
          continue;
        ++own;
        defaults += name.find("_alt") == std::string::npos;
        schedules.insert(kernel->schedule.str());
        continue;
      }
      std::string word = name.substr(mark + std::string(kTwinMark).size());
      auto original = byName.find(name.substr(0, mark));
      ASSERT_NE(original, byName.end()) << name;
      const GridKernel &of = *original->second;
      EXPECT_EQ(kernel->problem.str(), of.problem.str()) << name;
      EXPECT_TRUE(without(word, kernel->schedule, of.schedule) == of.schedule)
          << name;
      twinsOf[of.name].insert(word);
    }
    EXPECT_EQ(twinsOf.size(), own) << "each has a twin";
    EXPECT_EQ(byName.count("demo"), 1u);
    EXPECT_EQ(byName.count("bench_d128_bf16"), 1u);
    EXPECT_GE(defaults * 5, own) << "a fifth with the default schedule";
    EXPECT_GE(schedules.size(), target->wgmma ? kLeastSchedules : 12u);
    size_t families = 0;
    for (const auto &[name, twins] : twinsOf)
      families += twins.size() == 5;
    EXPECT_EQ(families, target->wgmma ? kFamilies : 0u);
  }
}

TEST(DrawSchedule, IsLegalRepeatableAndOfEveryKind) {
  std::string error;
  const Target *target = findTarget("sm_90", error);
  ASSERT_TRUE(target) << error;
  Problem problem;
  problem.d = problem.dv = 64;
  std::set<std::string> texts, kinds;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Schedule schedule, again;
    ASSERT_TRUE(drawSchedule(problem, *target, seed, schedule, error)) << error;
    ASSERT_TRUE(drawSchedule(problem, *target, seed, again, error)) << error;
    EXPECT_TRUE(schedule == again);
    EXPECT_EQ(whyIllegal(schedule, problem, *target), "");
    texts.insert(schedule.str());
    std::string path = pathName(schedule.path);
    kinds.insert(path + " tile_m " + std::to_string(schedule.tileM));
    kinds.insert(path + " skip " + skipName(schedule.skip));
    kinds.insert(path + " grid " + gridName(schedule.grid));
    kinds.insert(path + " group " + std::to_string(schedule.group));
  }
  EXPECT_GE(texts.size(), 350u);
  for (const char *kind :
       {"wgmma tile_m 64", "wgmma tile_m 128", "wgmma tile_m 192",
        "wgmma skip never", "wgmma skip tile", "wgmma skip steps",
        "wgmma skip adaptive", "wgmma grid plain", "wgmma grid persistent",
        "wgmma group 1", "wgmma group 3", "wgmma group 8", "wgmma group 64",
        "mma_sync skip tile", "mma_sync skip never"})
    EXPECT_EQ(kinds.count(kind), 1u) << kind;
}

TEST(DrawSchedule, SaysWhenNothingIsLegal) {
  std::string error;
  const Target *target = findTarget("sm_90", error);
  Problem problem;
  problem.d = problem.dv = 24;
  Schedule schedule;
  EXPECT_FALSE(drawSchedule(problem, *target, 1, schedule, error));
  EXPECT_NE(error.find("multiples of 16"), std::string::npos) << error;
}

} // namespace
