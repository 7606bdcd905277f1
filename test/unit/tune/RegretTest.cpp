//===- RegretTest.cpp - Searches replayed on tables of a GPU --------------===//
//
// test/data/tuning holds tables in which every candidate of a bounded space was
// measured once on a GPU. A search on them needs none, and its regret is known.
// Where the variable TDA_REGRET_TABLE names a file, what the searches did goes
// there, for autotune/plot.py.
//
//===----------------------------------------------------------------------===//
#include "TuneTestUtil.h"
#include "autotune/Tuner.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>

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

/// One search as JSON: what it chose, and the best so far by measurement.
static std::string searchJson(const Entry &table, const TuneResult &result,
                              const Schedule &blind, double bestUs) {
  std::vector<const Sample *> order;
  for (const Sample &sample : result.entry.samples)
    if (sample.order >= 0 && sample.measured())
      order.push_back(&sample);
  std::sort(order.begin(), order.end(), [](const Sample *a, const Sample *b) {
    return a->order < b->order;
  });
  std::string curve, points;
  double best = 1e30;
  for (const Sample *sample : order) {
    best = std::min(best, sample->median);
    curve += fmt::format("{}{:.3f}", curve.empty() ? "" : ", ", best);
  }
  for (const Ranked &one : result.ranking)
    if (const Sample *sample = table.find(one.schedule);
        sample && sample->measured())
      points += fmt::format("{}[{:.3f}, {:.3f}]", points.empty() ? "" : ", ",
                            one.prediction.us, sample->median);
  auto usOf = [&](const Schedule &schedule) {
    const Sample *sample = table.find(schedule);
    return sample ? sample->median : 0;
  };
  return fmt::format(
      "  {{\"problem\": \"{}\", \"shape\": \"{}\", \"density\": \"{}\",\n"
      "   \"device\": \"{}\", \"best_us\": {:.3f}, \"searched_us\": {:.3f},\n"
      "   \"predicted_us\": {:.3f}, \"default_us\": {:.3f},\n"
      "   \"candidates\": {}, \"measured\": {}, \"winner\": \"{}\",\n"
      "   \"best_so_far_us\": [{}],\n   \"points_us\": [{}]}}",
      table.key.problem, table.key.shape, table.key.density,
      table.key.device.name, bestUs, usOf(result.entry.winner), usOf(blind),
      usOf(result.entry.byDefault), result.space.legal.size(), order.size(),
      result.entry.winner.str(), curve, points);
}

TEST(Regret, OnRecordedTables) {
  std::vector<Entry> tables = recordedTables();
  if (tables.empty())
    GTEST_SKIP() << "no recorded tables in test/data/tuning";
  Regrets regrets;
  std::string json;
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
    fmt::print("{}: searched {:+.1f}%, predicted {:+.1f}%{}\n", w.str(),
               100 * searched - 100, 100 * predicted - 100,
               table.disturbed ? ", its clock drifted" : "");
    EXPECT_LE(searched - 1, 0.03) << w.str();
    json +=
        (json.empty() ? "" : ",\n") + searchJson(table, result, blind, best);
  }
  if (const char *path = std::getenv("TDA_REGRET_TABLE"))
    std::ofstream(path) << "[\n" << json << "\n]\n";
  EXPECT_GE(tables.size(), 16u);
  EXPECT_LE(median(regrets.searched), 0.01);
  EXPECT_LE(median(regrets.predicted), 0.10);
}
