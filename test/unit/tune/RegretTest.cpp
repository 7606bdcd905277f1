//===- RegretTest.cpp - Searches replayed on tables of a GPU --------------===//
//
// test/data/tuning holds tables in which every candidate of a bounded space was
// measured once on a GPU. A search on them needs none, and its regret is known.
//
//===----------------------------------------------------------------------===//
#include "TuneTestUtil.h"
#include "autotune/Tuner.h"

#include <algorithm>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

namespace {
struct Regrets {
  std::vector<double> searched, predicted;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
} // namespace

static std::vector<Entry> recordedTables() {
  std::vector<Entry> tables;
  std::vector<std::string> warnings;
  std::string error, folder = TDA_TEST_DATA "/tuning";
  if (!std::filesystem::exists(folder))
    return tables;
  for (auto &file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".json")
      EXPECT_TRUE(readEntries(file.path().string(), tables, warnings, error))
          << error;
  EXPECT_TRUE(warnings.empty());
  return tables;
}

TEST(Regret, OnRecordedTables) {
  std::vector<Entry> tables = recordedTables();
  if (tables.empty())
    GTEST_SKIP() << "no recorded tables in test/data/tuning";
  Regrets regrets;
  for (const Entry &table : tables) {
    Workload w;
    std::string error;
    ASSERT_TRUE(Problem::parse(table.key.problem, w.problem, error)) << error;
    ASSERT_TRUE(parseShape(table.key.shape, w.lengths, error)) << error;
    ASSERT_TRUE(Density::parse(table.key.density, w.density, error)) << error;
    double best = 1e30;
    for (const Sample &sample : table.samples)
      if (sample.measured())
        best = std::min(best, sample.median);
    // Rules of legality may have become stricter than on the day.
    ReplayMeasure replay({table});
    TuneResult result;
    ASSERT_TRUE(tune::tune(w, targetOf(table.key.target), {}, &replay, nullptr,
                           nullptr, result, error))
        << error;
    int taken = 0;
    for (const Sample &sample : result.entry.samples)
      taken += sample.order >= 0;
    EXPECT_LE(taken, 16);
    double searched = result.entry.find(result.entry.winner)->median / best;
    Schedule blind = choosePredicted(result.ranking, result.entry.byDefault);
    const Sample *there = table.find(blind);
    double predicted = there && there->measured() ? there->median / best : 1e3;
    regrets.searched.push_back(searched - 1);
    regrets.predicted.push_back(predicted - 1);
    fmt::print("{}: searched {:+.1f}%, predicted {:+.1f}%\n", w.str(),
               100 * searched - 100, 100 * predicted - 100);
    EXPECT_LE(searched - 1, 0.03) << w.str();
  }
  EXPECT_GE(tables.size(), 16u);
  EXPECT_LE(median(regrets.searched), 0.01);
  EXPECT_LE(median(regrets.predicted), 0.10);
}
