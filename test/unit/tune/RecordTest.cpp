//===- RecordTest.cpp - Entries as JSON -----------------------------------===//
#include "TuneTestUtil.h"

using namespace tda;
using namespace tda::tune;

static Entry example() {
  Workload w = workloadOf("views=2 d=64 causal");
  Entry entry = entryOf(w, defaultOf(w.problem), 123.456);
  Sample failed;
  failed.schedule = entry.winner;
  failed.schedule.group = 3;
  failed.status = Sample::Status::Failed;
  failed.reason = "hung";
  entry.samples.push_back(failed);
  entry.achieved = {"seed 1", 0.5, 0.25};
  return entry;
}

/// What the reader says of the example with `from` replaced by `to`.
static std::string errorOf(const std::string &from, const std::string &to) {
  std::string text = printEntry(example()), error;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  Entry entry;
  EXPECT_FALSE(parseEntry(text, entry, error));
  return error;
}

TEST(Record, ReadsBack) {
  Entry entry = example(), back;
  std::string error;
  ASSERT_TRUE(parseEntry(printEntry(entry), back, error)) << error;
  EXPECT_EQ(printEntry(back), printEntry(entry));
  EXPECT_EQ(back.key.hash(), entry.key.hash());
  EXPECT_TRUE(back.measured);
  EXPECT_EQ(back.samples[0].median, 123.456);
}

TEST(Record, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(errorOf("\"schema_version\": 1", "\"schema_version\": 2"),
            "schema version 2; this tda reads version 1");
  EXPECT_EQ(errorOf("tda.tuning", "tda.manifest"),
            "the schema is 'tda.manifest', not 'tda.tuning'");
  EXPECT_EQ(errorOf("\"sms\": 132", "\"sms\": \"many\""),
            "'sms' has a value of another type");
  EXPECT_EQ(
      errorOf("\"winner\": \"tile_m", "\"winner\": \"tile_x").substr(0, 8),
      "'winner'");
  EXPECT_EQ(errorOf("\"status\": \"failed\"", "\"status\": \"odd\""),
            "samples[1]: 'status': 'odd' is not known");
}

TEST(Record, AWinnerThatNobodyTimedIsNotMeasured) {
  EXPECT_NE(errorOf("\"status\": \"measured\",\n   \"median_us\"",
                    "\"status\": \"predicted\",\n   \"median_us\"")
                .find("no sample of it is"),
            std::string::npos);
}

TEST(Record, RefusesEveryCutOfAFile) {
  std::string text = printEntry(example()), error;
  Entry entry;
  for (size_t size = 0; size + 2 < text.size(); size += 7)
    EXPECT_FALSE(parseEntry(text.substr(0, size), entry, error)) << size;
}

TEST(Record, ABadEntryAmongMany) {
  Entry entry = example();
  std::string text = printEntries({entry, entry}), error;
  text.replace(text.find("\"sms\": 132"), 10, "\"sms\": {}");
  std::vector<Entry> entries;
  std::vector<std::string> warnings;
  ASSERT_TRUE(parseEntries(text, entries, warnings, error)) << error;
  EXPECT_EQ(entries.size(), 1u);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "entries[0]: 'sms' has a value of another type");
}

TEST(Record, EveryFactIsInTheKey) {
  Key key = example().key;
  std::vector<Key> others(11, key);
  others[0].problem += " ";
  others[1].shape += "0";
  others[2].density = "null";
  others[3].target = "sm_80";
  others[4].device.name = "other";
  others[5].device.sms = 114;
  others[6].device.driver = 12000;
  others[7].codegen = "0";
  others[8].ptxas = "12.0";
  others[9].space = "other";
  others[10].policy = 0;
  for (size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(others[i].hash(), key.hash()) << i;
    EXPECT_EQ(others[i].sameConditions(key), i == 9) << i;
  }
}

TEST(Record, MergeKeepsMeasurements) {
  Workload w = workloadOf("views=2 d=64 causal");
  Schedule a = defaultOf(w.problem), b = a;
  b.group = 4;
  Entry one = entryOf(w, a, 10), two = entryOf(w, b, 20);
  Sample predicted;
  predicted.schedule = a;
  two.samples.push_back(predicted);
  two.merge(one);
  EXPECT_EQ(two.samples.size(), 2u);
  EXPECT_TRUE(two.find(a)->measured());
  EXPECT_EQ(two.find(a)->median, 10);
}
