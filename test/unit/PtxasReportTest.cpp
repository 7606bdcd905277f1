//===- PtxasReportTest.cpp ------------------------------------------------===//
//
// The texts are what ptxas 13.0 said of kernels made to provoke it.
//
//===----------------------------------------------------------------------===//
#include "tda/Compile.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace tda;

namespace {

/// attention.ptx for sm_90, as emitted.
const char *const Good =
    R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'attention' for 'sm_90'
ptxas info    : Function properties for attention
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 254 registers, used 1 barriers
ptxas info    : Compile time = 81.558 ms
)";

/// The same with `.maxntid 512`, which leaves 128 registers a thread.
const char *const Spilling =
    R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'attention' for 'sm_90'
ptxas info    : Function properties for attention
    600 bytes stack frame, 1184 bytes spill stores, 1212 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers, 600 bytes cumulative stack size
ptxas info    : Compile time = 101.031 ms
)";

/// 'serialised' reads an accumulator before the wait.
const char *const TwoKernels =
    R"(ptxas info    : (C7517) warpgroup.wait is injected in around line 21 by compiler to allow use of registers defined by GMMA in function 'serialised'
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'clean' for 'sm_90a'
ptxas info    : Function properties for clean
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 30 registers, used 0 barriers
ptxas info    : Compile time = 26.353 ms
ptxas info    : Compiling entry function 'serialised' for 'sm_90a'
ptxas info    : Function properties for serialised
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 28 registers, used 0 barriers
ptxas info    : Compile time = 1.841 ms
)";

/// An accumulator in flight over the back edge of a loop.
const char *const Serialised =
    R"(ptxas info    : (C7520) Potential Performance Loss: wgmma.mma_async instructions are serialized due to program dependence on compiler-inserted WG.AR in divergent path in the function 'loop'
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'loop' for 'sm_90a'
ptxas info    : Function properties for loop
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 30 registers, used 0 barriers
ptxas info    : Compile time = 2.880 ms
)";

/// setmaxnreg in a kernel without `.maxntid`.
const char *const Ignored =
    R"(ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register count at entry.
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'setmax' for 'sm_90a'
ptxas info    : Function properties for setmax
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 30 registers, used 0 barriers
)";

TEST(PtxasReport, Resources) {
  PtxasReport report = parsePtxasReport(Good);
  ASSERT_EQ(report.functions.size(), 1u);
  EXPECT_EQ(report.functions[0].name, "attention");
  EXPECT_EQ(report.functions[0].registers, 254);
  EXPECT_FALSE(report.functions[0].spills());
  EXPECT_TRUE(report.warnings.empty());
  EXPECT_TRUE(report.complaints().empty());
  EXPECT_EQ(report.text, Good);
}

TEST(PtxasReport, Spills) {
  PtxasReport report = parsePtxasReport(Spilling);
  ASSERT_EQ(report.functions.size(), 1u);
  EXPECT_EQ(report.functions[0].registers, 128);
  EXPECT_EQ(report.functions[0].stackBytes, 600);
  EXPECT_EQ(report.functions[0].spillStores, 1184);
  EXPECT_EQ(report.functions[0].spillLoads, 1212);
  ASSERT_EQ(report.complaints().size(), 1u);
  EXPECT_EQ(
      report.complaints()[0],
      "function 'attention' spills registers: 1184 bytes of stores and 1212 of "
      "loads, with 128 registers a thread; smaller tiles need fewer");
}

TEST(PtxasReport, EveryFunction) {
  PtxasReport report = parsePtxasReport(TwoKernels);
  ASSERT_EQ(report.functions.size(), 2u);
  EXPECT_EQ(report.functions[0].name, "clean");
  EXPECT_EQ(report.functions[0].registers, 30);
  EXPECT_EQ(report.functions[1].name, "serialised");
  EXPECT_EQ(report.functions[1].registers, 28);
}

TEST(PtxasReport, FunctionThatAKernelCalls) {
  PtxasReport report = parsePtxasReport(
      R"(ptxas info    : Compiling entry function 'two' for 'sm_90'
ptxas info    : Function properties for two
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 1 barriers
ptxas info    : Function properties for helper
    64 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
)");
  ASSERT_EQ(report.functions.size(), 2u);
  EXPECT_EQ(report.functions[0].stackBytes, 0);
  EXPECT_EQ(report.functions[1].name, "helper");
  EXPECT_EQ(report.functions[1].stackBytes, 64);
}

TEST(PtxasReport, Warnings) {
  auto warnings = [](const char *text) {
    return parsePtxasReport(text).warnings;
  };
  EXPECT_EQ(warnings(TwoKernels),
            std::vector<std::string>{
                "(C7517) warpgroup.wait is injected in around line 21 by "
                "compiler to allow use of registers defined by GMMA in "
                "function 'serialised'"});
  ASSERT_EQ(warnings(Serialised).size(), 1u);
  EXPECT_NE(warnings(Serialised)[0].find("in the function 'loop'"),
            std::string::npos);
  EXPECT_EQ(warnings(Ignored),
            std::vector<std::string>{
                "(C7508) Potential Performance Loss: 'setmaxnreg' ignored; "
                "unable to determine register count at entry."});
  EXPECT_EQ(parsePtxasReport(Ignored).complaints()[0],
            "ptxas says: " + warnings(Ignored)[0]);
}

TEST(PtxasReport, Garbage) {
  for (const char *text :
       {"", "\n\n", "ptxas", "ptxas info", "ptxas info    :",
        "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n",
        "ptxas info    : Used 3 registers\n", "Compiling entry function '"})
    EXPECT_TRUE(parsePtxasReport(text).complaints().empty()) << text;
}

/// A stand-in for ptxas that prints `report`, for what no default provokes.
struct FakePtxas {
  std::filesystem::path path;

  explicit FakePtxas(const std::string &report) {
    path = std::filesystem::path(testing::TempDir()) / "tda-fake-ptxas";
    std::ofstream(path) << "#!/bin/sh\ncat <<'END'\n" << report << "END\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  ~FakePtxas() { std::filesystem::remove(path); }
};

TEST(PtxasReport, AddCubinWarns) {
  FakePtxas fake(std::string(Ignored) + Spilling);
  GpuProgram program;
  program.name = "attention";
  program.manifest.target.arch = "sm_90";
  PtxasReport report;
  std::string messages;
  ASSERT_TRUE(
      addCubin({fake.path.string(), "13.0"}, program, report, messages));
  EXPECT_EQ(messages,
            "warning: 'attention': function 'attention' spills registers: 1184 "
            "bytes of stores and 1212 of loads, with 128 registers a thread; "
            "smaller tiles need fewer\n"
            "warning: 'attention': ptxas says: (C7508) Potential Performance "
            "Loss: 'setmaxnreg' ignored; unable to determine register count "
            "at entry.\n");
}

} // namespace
