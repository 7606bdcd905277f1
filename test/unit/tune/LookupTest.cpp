//===- LookupTest.cpp - User cache, database, default ---------------------===//
#include "autotune/Lookup.h"
#include "TuneTestUtil.h"
#include "autotune/SearchSpace.h"
#include "autotune/Tuner.h"

#include <chrono>
#include <fstream>

using namespace tda;
using namespace tda::tune;

namespace {
class LookupTest : public testing::Test {
protected:
  LookupTest() {
    setenv("TDA_CACHE_DIR", folder.path.c_str(), 1);
    setDatabase({});
  }
  ~LookupTest() override {
    unsetenv("TDA_CACHE_DIR");
    unsetenv("TDA_TUNING_DB");
  }
  /// A database of a name of its own: one is read once a process.
  void setDatabase(const std::vector<Entry> &entries) {
    static int number = 0;
    path = folder.path.string() + "/db" + std::to_string(number++) + ".json";
    std::ofstream(path) << printEntries(entries);
    setenv("TDA_TUNING_DB", path.c_str(), 1);
  }
  void store(Entry entry) {
    std::string error;
    ASSERT_TRUE(Cache(folder.path.string()).store(entry, error)) << error;
  }
  Schedule grouped(int group) {
    Schedule s = defaultOf(workload.problem);
    s.group = group;
    return s;
  }
  Answer ask() {
    Answer answer;
    std::string error;
    EXPECT_TRUE(lookup(query, answer, error)) << error;
    return answer;
  }

  TemporaryFolder folder;
  std::string path;
  Workload workload = workloadOf("views=2 d=64 causal");
  Query query{workload.problem,
              &targetOf("sm_90"),
              workload.lengths,
              workload.density,
              {}};
};
} // namespace

TEST_F(LookupTest, LayersInOrder) {
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::Default);
  EXPECT_EQ(answer.source, "default for sm_90");
  EXPECT_EQ(answer.schedule, defaultOf(workload.problem));

  setDatabase({entryOf(workload, grouped(3), 10)});
  answer = ask();
  EXPECT_EQ(answer.layer, Layer::Database);
  EXPECT_EQ(answer.schedule, grouped(3));

  store(entryOf(workload, grouped(5), 10));
  answer = ask();
  EXPECT_EQ(answer.layer, Layer::UserCache);
  EXPECT_EQ(answer.schedule, grouped(5));
  EXPECT_NE(answer.source.find("user cache, measured on Fake GPU"),
            std::string::npos)
      << answer.source;
}

TEST_F(LookupTest, LengthsAreRoundedAsInTuning) {
  store(entryOf(workload, grouped(5), 10));
  query.lengths = {1, 16, 16, 7000, 7000};
  EXPECT_EQ(ask().layer, Layer::UserCache);
  query.lengths = {4, 16, 16, 7000, 7000}; // the nearest number of heads
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::UserCache);
  EXPECT_NE(answer.source.find("the nearest to Hq=64"), std::string::npos);
  query.lengths = {1, 16, 16, 2000, 2000};
  EXPECT_EQ(ask().layer, Layer::Default);
}

TEST_F(LookupTest, WhatIsAssumedIsSaid) {
  store(entryOf(workload, grouped(5), 10));
  query.lengths.reset();
  query.density.reset();
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::UserCache);
  EXPECT_NE(answer.source.find("assumed lengths and data"), std::string::npos)
      << answer.source;
}

TEST_F(LookupTest, TimingsOfAnotherGpuDoNotCount) {
  store(entryOf(workload, grouped(5), 10, "Slow GPU"));
  query.device = {"Fast GPU", 132, 13000};
  EXPECT_EQ(ask().layer, Layer::Default);
  query.device = {"Slow GPU", 114, 13000}; // fewer SMs
  EXPECT_EQ(ask().layer, Layer::Default);
  query.device = {"Slow GPU", 132, 12000};
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::UserCache);
  EXPECT_NE(answer.source.find("under driver 13000 instead of 12000"),
            std::string::npos);
}

TEST_F(LookupTest, OtherCodeOrPolicyIsAMiss) {
  Entry entry = entryOf(workload, grouped(5), 10);
  entry.key.codegen = "0";
  store(entry);
  EXPECT_EQ(ask().layer, Layer::Default);
}

TEST_F(LookupTest, AWinnerThatCannotWorkIsLeftOut) {
  Schedule illegal = grouped(5);
  illegal.tileM = illegal.tileM + 16; // not what its warps make
  Entry entry = entryOf(workload, illegal, 10);
  ASSERT_NE(whyIllegal(illegal, query.problem, *query.target), "");
  store(entry);
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::Default);
  ASSERT_EQ(answer.warnings.size(), 1u);
  EXPECT_NE(answer.warnings[0].find("cannot work any more"), std::string::npos);
}

TEST_F(LookupTest, APredictionIsNeverTheAnswer) {
  Entry entry = entryOf(workload, grouped(5), 10);
  entry.measured = false;
  entry.samples[0].status = Sample::Status::Predicted;
  entry.byDefault = defaultOf(workload.problem);
  setDatabase({entry});
  store(entry);
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::Default);
  EXPECT_EQ(answer.schedule, entry.byDefault);
}

/// What the cost model prefers for a problem does not matter.
TEST_F(LookupTest, TheShippedDatabaseKeepsMeasuredDefaults) {
  unsetenv("TDA_TUNING_DB");
  std::vector<std::string> warnings;
  for (const Entry &entry : database(warnings))
    if (entry.measured)
      GTEST_SKIP() << "the database has measurements";
  for (const char *text :
       {"views=2 d=128 causal", "views=2 d=64 causal",
        "views=2 d=128 dtype=f16 causal", "views=2 d=128 causal normalize",
        "views=2 d=64 causal normalize", "views=1 d=128 causal"})
    for (int64_t length : {1024, 4096, 8192, 65536})
      for (Density::Kind kind :
           {Density::Kind::Null, Density::Kind::Real, Density::Kind::Dense}) {
        Workload w = workloadOf(text, length, kind);
        query = {w.problem, query.target, w.lengths, w.density, {}};
        Answer answer = ask();
        EXPECT_EQ(answer.layer, Layer::Default) << text;
        EXPECT_EQ(answer.schedule, defaultOf(w.problem)) << text;
        EXPECT_EQ(answer.source, "default for sm_90");
      }
}

TEST_F(LookupTest, CorruptLayersAreMissesWithAWarning) {
  std::ofstream(path) << "{\"entries\": [";
  store(entryOf(workload, grouped(5), 10));
  Cache cache(folder.path.string());
  std::ofstream(cache.pathOf(entryOf(workload, grouped(5), 10).key)) << "{";
  setenv("TDA_TUNING_DB", (path + "x").c_str(), 1);
  std::ofstream(path + "x") << "{\"entries\": [";
  Answer answer = ask();
  EXPECT_EQ(answer.layer, Layer::Default);
  ASSERT_EQ(answer.warnings.size(), 2u);
  EXPECT_NE(answer.warnings[0].find("is left out"), std::string::npos);
  EXPECT_NE(answer.warnings[1].find("database is left out"), std::string::npos);
}

TEST_F(LookupTest, TheCpuHasItsDefault) {
  query.problem = problemOf("views=2 d=64 dtype=f32");
  query.target = &targetOf("cpu");
  EXPECT_EQ(ask().schedule, defaultOf(query.problem, "cpu"));
}

TEST_F(LookupTest, NothingFits) {
  query.problem = problemOf("views=2 d=20 causal");
  Answer answer;
  std::string error;
  EXPECT_FALSE(lookup(query, answer, error));
  EXPECT_NE(error.find("multiples of 16"), std::string::npos) << error;
}

TEST_F(LookupTest, TheBuiltInDatabaseReads) {
  unsetenv("TDA_TUNING_DB");
  std::vector<std::string> warnings;
  const std::vector<Entry> &entries = database(warnings);
  EXPECT_TRUE(warnings.empty()) << warnings[0];
  for (const Entry &entry : entries)
    EXPECT_EQ(entry.key.target, "sm_90");
}

TEST_F(LookupTest, WarmIsFast) {
  store(entryOf(workload, grouped(5), 10));
  ask();
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i)
    ask();
  std::chrono::duration<double, std::milli> spent =
      std::chrono::steady_clock::now() - start;
  EXPECT_LT(spent.count() / 100, 5);
}
