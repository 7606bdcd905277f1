//===- LegalityTest.cpp - Which problems have a schedule, and why not -----===//

#include "tda/Schedule.h"

#include <gtest/gtest.h>

using namespace tda;

namespace {

const Target &targetOf(const char *name) {
  std::string error;
  const Target *target = findTarget(name, error);
  EXPECT_TRUE(target) << error;
  return *target;
}

Problem parsed(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  return problem;
}

/// Why `text` has no default; empty where it has one.
std::string whyNoDefault(const std::string &text, const char *target,
                         std::optional<Path> path = std::nullopt) {
  Schedule schedule;
  std::string error;
  bool found =
      defaultSchedule(parsed(text), targetOf(target), schedule, error, path);
  EXPECT_EQ(found, error.empty()) << error;
  return error;
}

// With each of what takes registers, and with all of it.
TEST(DefaultSchedule, TheWgmmaPathHasOneForAllThatItTakes) {
  for (int64_t d = 16; d <= 256; d += 16)
    for (int64_t dv = 16; dv <= 256; dv += 16)
      for (const char *dtype : {"bf16", "f16"})
        for (const char *words :
             {"views=1", "views=1 stats window=100", "views=2",
              "views=2 lambda=token", "views=2 stats",
              "views=2 stats window=100 lambda=token"}) {
          std::string text = words + (" d=" + std::to_string(d)) +
                             " dv=" + std::to_string(dv) + " dtype=" + dtype;
          EXPECT_EQ(whyNoDefault(text, "sm_90"), "") << text;
          EXPECT_EQ(whyNoDefault(text, "sm_90", Path::Wgmma), "") << text;
        }
}

/// Keys a tile, slots and path of the default for `text` on sm_90.
std::string chosenFor(const std::string &text) {
  Schedule s;
  std::string error;
  EXPECT_TRUE(defaultSchedule(parsed(text), targetOf("sm_90"), s, error));
  return std::to_string(s.tileN) + " keys, " + std::to_string(s.stages) +
         " slots, " + pathName(s.path);
}

TEST(DefaultSchedule, RegistersToSpareComeBeforeWideTiles) {
  EXPECT_EQ(chosenFor("views=2 d=128 causal"), "128 keys, 4 slots, wgmma");
  EXPECT_EQ(chosenFor("views=2 d=64 causal dtype=f16"),
            "128 keys, 12 slots, wgmma");
  for (const char *words :
       {" stats", " power=2.5", " lambda=token", " window=100", " dtype=f16"})
    EXPECT_EQ(chosenFor(std::string("views=2 d=128") + words).substr(0, 8),
              "96 keys,")
        << words;
  EXPECT_EQ(chosenFor("views=1 d=128 dtype=f16"), "96 keys, 8 slots, wgmma");
}

TEST(DefaultSchedule, ThreeSlotsComeBeforeWideTiles) {
  EXPECT_EQ(chosenFor("views=2 d=192"), "64 keys, 3 slots, wgmma");
  EXPECT_EQ(chosenFor("views=2 d=256"), "64 keys, 4 slots, wgmma");
}

// 128 rows by 32 keys would leave none of 232 registers, 64 by 32 leave 23 of
// 255, and 64 by 16 leave 27.
TEST(DefaultSchedule, WhereNoneHasRegistersToSpareTheOneThatLacksFewest) {
  EXPECT_EQ(
      chosenFor("views=1 d=144 dv=240 dtype=f16 window=300 stats power=2.5")
          .substr(0, 8),
      "16 keys,");
}

TEST(DefaultSchedule, TheLimitIsThatOfThePathThatCould) {
  const char *wide = "views=2 d=64 dv=256 dtype=f16";
  EXPECT_EQ(whyNoDefault(wide, "sm_80"),
            "d = 64, dv = 256: the mma.sync path takes multiples of 16 up to "
            "128");
  EXPECT_EQ(whyNoDefault(wide, "sm_90", Path::MmaSync),
            "d = 64, dv = 256: the mma.sync path takes multiples of 16 up to "
            "128");
  const char *wider = "views=2 d=64 dv=272 dtype=f16";
  EXPECT_EQ(whyNoDefault(wider, "sm_90"),
            "d = 64, dv = 272: the wgmma path takes multiples of 16 up to 256");
  EXPECT_EQ(whyUnsupported(parsed(wider), targetOf("sm_90")),
            whyNoDefault(wider, "sm_90"));
  EXPECT_EQ(whyNoDefault(wide, "sm_80", Path::Wgmma),
            "sm_80 has no wgmma path");
}

} // namespace
