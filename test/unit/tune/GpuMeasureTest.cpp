//===- GpuMeasureTest.cpp - Measuring, on the fake driver -----------------===//
//
// The fake driver runs no kernel. With FAKE_CUDA_ZERO a launch zeroes what was
// poisoned, which is the right answer of a problem in which no key survives.
//
//===----------------------------------------------------------------------===//
#include "Example.h"
#include "TuneTestUtil.h"
#include "autotune/Cache.h"
#include "autotune/gpu/DeviceRun.h"
#include "autotune/gpu/Inputs.h"
#include "autotune/gpu/RunBundle.h"
#include "autotune/gpu/Worker.h"
#include "tda/Host/AtomicFile.h"
#include "tda/Host/Random.h"
#include "tda/Host/Reference.h"

#include <chrono>
#include <fstream>
#include <sys/stat.h>

using namespace tda;
using namespace tda::tune;

namespace {
/// The example manifest for a problem in which no key survives: with so small a
/// kappa every threshold is above 1.
class GpuMeasure : public testing::Test {
protected:
  GpuMeasure() {
    setenv("TDA_LIBCUDA", TDA_FAKE_CUDA, 1);
    setenv("FAKE_CUDA_ZERO", "1", 1);
    workload = {problemOf("views=2 d=16 causal kappa=1e-30"),
                {1, 2, 2, 100, 100},
                {Density::Kind::Null, {}}};
    std::string text = printManifest(manifestOf());
    write("kernel/attention.json", text);
    write("kernel/attention.ptx", ExamplePtx);
  }
  ~GpuMeasure() override {
    for (const char *name : {"TDA_LIBCUDA", "FAKE_CUDA_ZERO", "FAKE_CUDA_HANG",
                             "FAKE_CUDA_CRASH", "FAKE_CUDA_FAULT"})
      unsetenv(name);
  }

  /// The example, with another problem and one kernel without maps.
  Manifest manifestOf() {
    Manifest m = exampleManifest();
    m.problem = workload.problem;
    m.arguments.erase(m.arguments.begin() + 7); // the offset
    for (ManifestArgument &argument : m.arguments)
      for (ManifestAxis &axis : argument.shape)
        if (!axis.symbol)
          axis.extent = 16;
    m.kernels.resize(1);
    std::vector<KernelParam> kept;
    for (const KernelParam &param : m.kernels[0].params)
      if (param.kind == KernelParam::Kind::Pointer)
        kept.push_back(param);
    m.kernels[0].params = kept;
    m.kernels[0].sharedBytes = 1000;
    m.tensorMaps.clear();
    m.workspace = "0";
    m.files = {"attention.ptx", {}};
    m.hashes.cubin.reset();
    m.compiler.ptxas.reset();
    std::string error;
    EXPECT_TRUE(checkManifest(m, error)) << error;
    return m;
  }
  void write(const std::string &name, const std::string &text) {
    std::filesystem::path path = folder.path / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string kernel() { return (folder.path / "kernel/attention.json"); }

  WorkerMeasure::Options workerOptions() {
    WorkerMeasure::Options options;
    options.command = {TDA_MEASURE, "--worker", "--real",
                       TDA_TEST_DATA "/real"};
    options.measureSeconds = 5;
    options.manifest = [this](const Problem &, const Schedule &) {
      return kernel();
    };
    return options;
  }

  TemporaryFolder folder;
  Workload workload;
  Achieved achieved;
  Sample sample;
  std::string error;
};
} // namespace

TEST_F(GpuMeasure, VerifiesAndTimes) {
  DeviceRun run(0);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  EXPECT_EQ(facts.name, "Fake GPU");
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  EXPECT_EQ(achieved.survivorsPerRow, 0);
  run.measure(kernel(), kernel(), 0, sample);
  EXPECT_EQ(sample.status, Sample::Status::Measured) << sample.reason;
  EXPECT_NEAR(sample.median, 1001, 0.5);
  EXPECT_GE(sample.repetitions, 7);
}

TEST_F(GpuMeasure, WhatIsHopelessIsTimedLess) {
  DeviceRun run(0);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  run.measure(kernel(), kernel(), 100, sample);
  EXPECT_EQ(sample.repetitions, 3);
}

TEST_F(GpuMeasure, ShortKernelsRunSeveralTimesInAGraph) {
  MeasurePolicy policy;
  policy.batchBelowMs = 10; // what the fake says is a millisecond
  policy.batchMs = 4.1;
  DeviceRun run(0, policy);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  run.measure(kernel(), kernel(), 0, sample);
  EXPECT_EQ(sample.status, Sample::Status::Measured) << sample.reason;
  EXPECT_NEAR(sample.median, 1001.0 / 4, 0.5);
  EXPECT_EQ(sample.repetitions % 4, 0);
}

TEST_F(GpuMeasure, AnOutputThatIsNotWrittenFails) {
  unsetenv("FAKE_CUDA_ZERO");
  DeviceRun run(0);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  run.measure(kernel(), kernel(), 0, sample);
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  EXPECT_NE(sample.reason.find("was not written"), std::string::npos)
      << sample.reason;
}

TEST_F(GpuMeasure, AWrongOutputFails) {
  // Zeros are wrong where keys survive.
  workload.problem.kappa = 1;
  DeviceRun run(0);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  run.measure(kernel(), kernel(), 0, sample);
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  EXPECT_NE(sample.reason.find("the relative error is 1"), std::string::npos)
      << sample.reason;
}

TEST_F(GpuMeasure, PtxThatIsNotThatOfItsHashFails) {
  write("kernel/attention.ptx", ExamplePtx + " ");
  DeviceRun run(0);
  DeviceFacts facts;
  ASSERT_TRUE(run.open(facts, error)) << error;
  ASSERT_TRUE(run.begin(workload, "", achieved, error)) << error;
  run.measure(kernel(), kernel(), 0, sample);
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  EXPECT_NE(sample.reason.find("TDA_ERROR_HASH"), std::string::npos)
      << sample.reason;
}

TEST_F(GpuMeasure, TheChildMeasuresLikeThis) {
  WorkerMeasure measure(workerOptions());
  ASSERT_TRUE(measure.open(error)) << error;
  EXPECT_EQ(measure.device().name, "Fake GPU");
  EXPECT_EQ(measure.device().driver, 12040);
  ASSERT_TRUE(measure.begin(workload, achieved, error)) << error;
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_TRUE(sample.measured()) << sample.reason;
  EXPECT_NEAR(sample.median, 1001, 0.5);
}

TEST_F(GpuMeasure, ACandidateThatHangsIsFailedAndTheSearchGoesOn) {
  setenv("FAKE_CUDA_HANG", "1000", 1);
  WorkerMeasure::Options options = workerOptions();
  options.measureSeconds = 0.5;
  WorkerMeasure measure(options);
  ASSERT_TRUE(measure.open(error)) << error;
  ASSERT_TRUE(measure.begin(workload, achieved, error)) << error;
  auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  EXPECT_EQ(sample.reason, "gave no answer in 0.5 s");
  unsetenv("FAKE_CUDA_HANG"); // the next child does not have it
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_TRUE(sample.measured()) << sample.reason;
}

TEST_F(GpuMeasure, ACandidateThatEndsTheChildIsFailedAndTheSearchGoesOn) {
  setenv("FAKE_CUDA_CRASH", "1000", 1);
  WorkerMeasure measure(workerOptions());
  ASSERT_TRUE(measure.open(error)) << error;
  ASSERT_TRUE(measure.begin(workload, achieved, error)) << error;
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_EQ(sample.reason, "the measuring process ended by signal 6 (Aborted)");
  unsetenv("FAKE_CUDA_CRASH");
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_TRUE(sample.measured()) << sample.reason;
}

TEST_F(GpuMeasure, AFaultOfTheGpuLosesOneCandidate) {
  setenv("FAKE_CUDA_FAULT", "1000", 1);
  WorkerMeasure measure(workerOptions());
  ASSERT_TRUE(measure.open(error)) << error;
  ASSERT_TRUE(measure.begin(workload, achieved, error)) << error;
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_EQ(sample.status, Sample::Status::Failed);
  EXPECT_NE(sample.reason.find("TDA_ERROR_DRIVER"), std::string::npos)
      << sample.reason;
  unsetenv("FAKE_CUDA_FAULT");
  ASSERT_TRUE(measure.measure(Schedule(), sample, error)) << error;
  EXPECT_TRUE(sample.measured()) << sample.reason;
}

TEST_F(GpuMeasure, ChildrenThatAllEndAreAnError) {
  WorkerMeasure::Options options = workerOptions();
  options.command = {"/bin/false"};
  WorkerMeasure measure(options);
  EXPECT_FALSE(measure.open(error));
  EXPECT_NE(error.find("does not answer; it ended with exit code 1"),
            std::string::npos)
      << error;
}

TEST_F(GpuMeasure, WithoutAGpuItSaysSo) {
  setenv("TDA_LIBCUDA", "/nowhere/libcuda.so", 1);
  WorkerMeasure measure(workerOptions());
  EXPECT_FALSE(measure.open(error));
  EXPECT_NE(error.find("TDA_ERROR_NO_DEVICE"), std::string::npos) << error;
}

TEST_F(GpuMeasure, BundleReadsBack) {
  Bundle bundle, back;
  bundle.folder = folder.path;
  bundle.target = "sm_90";
  bundle.plan = {{workload, false}};
  Schedule s = defaultOf(workload.problem);
  bundle.kernels = {
      {workload.problem.str(), s.str(), Built{true, "", 168, "sha256:x"}}};
  ASSERT_TRUE(bundle.write(error)) << error;
  ASSERT_TRUE(Bundle::read(folder.path, back, error)) << error;
  EXPECT_EQ(back.plan[0].workload.str(), workload.str());
  EXPECT_EQ(back.find(workload.problem, s)->built.registers, 168);
  EXPECT_NE(back.manifestOf(workload.problem, s), "");
  EXPECT_FALSE(Bundle::read("/nowhere", back, error));
  EXPECT_NE(error.find("--emit-bundle"), std::string::npos) << error;
}

TEST_F(GpuMeasure, ABundleOfAnotherRevisionIsRefused) {
  Bundle bundle, back;
  bundle.folder = folder.path;
  bundle.target = "sm_90";
  bundle.codegen = "0";
  ASSERT_TRUE(bundle.write(error)) << error;
  EXPECT_FALSE(Bundle::read(folder.path, back, error));
  EXPECT_NE(error.find("is of another revision of tda"), std::string::npos)
      << error;
  write("bundle.json", "{\"schema\": 3}");
  EXPECT_FALSE(Bundle::read(folder.path, back, error));
  EXPECT_NE(error.find("no tuning bundle"), std::string::npos) << error;
}

TEST_F(GpuMeasure, RunsABundleAndResumes) {
  Bundle bundle;
  bundle.folder = folder.path;
  bundle.target = "sm_90";
  bundle.plan = {{workload, false}};
  bundle.candidates = 4;
  const Target &target = targetOf("sm_90");
  for (const Schedule &s : SearchSpace(workload.problem, target).candidates())
    bundle.kernels.push_back(
        {workload.problem.str(), s.str(), Built{true, "", 0, "sha256:x"}});
  WorkerMeasure measure(workerOptions());
  ASSERT_TRUE(measure.open(error)) << error;
  RunOptions options;
  int measured = 0;
  options.done = [&](const Workload &, const TuneResult &result,
                     const std::string &why) {
    EXPECT_EQ(why, "");
    measured = 0;
    for (const Sample &one : result.entry.samples)
      measured += one.measured();
  };
  EXPECT_EQ(runBundle(bundle, measure, options, error), 0) << error;
  EXPECT_EQ(measured, 4);
  std::vector<Cache::File> files = Cache(folder.path / "results").list();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].error, "");
  EXPECT_TRUE(files[0].entry.measured);
  EXPECT_EQ(files[0].entry.key.device.name, "Fake GPU");
  // Those four are known; a second run takes others.
  EXPECT_EQ(runBundle(bundle, measure, options, error), 0) << error;
  EXPECT_GE(measured, 7);
}

TEST_F(GpuMeasure, ARunThatTheClockDisturbedIsDoneAgain) {
  Bundle bundle;
  bundle.folder = folder.path;
  bundle.target = "sm_90";
  bundle.plan = {{workload, true}};
  for (const Schedule &s :
       SearchSpace(workload.problem, targetOf("sm_90")).candidates())
    bundle.kernels.push_back(
        {workload.problem.str(), s.str(), Built{true, "", 0, "sha256:x"}});
  int calls = 0;
  FakeMeasure fake([&](const Workload &, const Schedule &) {
    return timed(100 + (++calls < 40 ? 2.0 * calls : 0)); // then steady
  });
  RunOptions options;
  bool disturbed = true;
  options.done = [&](const Workload &, const TuneResult &result,
                     const std::string &) {
    disturbed = result.entry.disturbed;
  };
  EXPECT_EQ(runBundle(bundle, fake, options, error), 0) << error;
  EXPECT_FALSE(disturbed);
  EXPECT_GT(calls, 100);
}

TEST(TuneInputs, RealDataKeepsItsSurvivors) {
  // Columns repeated: the same scores against the same thresholds.
  Achieved narrow, wide;
  for (auto [d, achieved] : {std::make_pair(64, &narrow), {128, &wide}}) {
    Workload w = workloadOf("views=2 d=" + std::to_string(d) + " causal", 1024);
    w.lengths.Hq = w.lengths.Hkv = 2;
    std::vector<host::HostTensor> inputs;
    std::string error;
    ASSERT_TRUE(
        makeInputs(w, TDA_TEST_DATA "/real", inputs, achieved->source, error))
        << error;
    host::Lengths lengths;
    ASSERT_TRUE(host::bindLengths(host::inputSpecs(w.problem),
                                  host::pointersTo(inputs), lengths, error))
        << error;
    SampledReference reference;
    ASSERT_TRUE(reference.evaluate(w.problem, lengths, inputs, error)) << error;
    reference.describe(*achieved);
  }
  EXPECT_GT(narrow.survivorsPerRow, 0.1);
  EXPECT_NEAR(wide.survivorsPerRow, narrow.survivorsPerRow,
              0.05 * narrow.survivorsPerRow);
  EXPECT_NE(wide.source.find("64 columns repeated to 128"), std::string::npos);
}

TEST(TuneInputs, EveryKindFitsItsProblem) {
  for (const char *problem :
       {"views=2 d=64 causal", "views=1 d=32 dv=64 normalize norm",
        "views=2 d=96 causal lambda=token kappa=arg offset=arg",
        "views=2 d=64 beta=scalar lambda=scalar stats"})
    for (auto kind :
         {Density::Kind::Null, Density::Kind::Real, Density::Kind::Dense}) {
      Workload w = workloadOf(problem, 200, kind);
      w.lengths = {2, 8, 4, 200, 200};
      std::vector<host::HostTensor> inputs;
      std::string error, source;
      host::Lengths lengths;
      ASSERT_TRUE(makeInputs(w, TDA_TEST_DATA "/real", inputs, source, error))
          << error;
      ASSERT_TRUE(host::bindLengths(host::inputSpecs(w.problem),
                                    host::pointersTo(inputs), lengths, error))
          << problem << ": " << error;
      SampledReference reference;
      EXPECT_TRUE(reference.evaluate(w.problem, lengths, inputs, error))
          << error;
    }
}

TEST(TuneInputs, SampledRowsAreThoseOfTheWholeReference) {
  Workload w = workloadOf("views=2 d=32 causal window=70 lambda=token", 200);
  w.lengths = {2, 4, 2, 200, 240};
  std::vector<host::HostTensor> inputs =
      host::randomInputs(w.problem, w.lengths, 3);
  host::Reference whole;
  std::string error;
  ASSERT_TRUE(host::evaluate(w.problem, host::pointersTo(inputs), whole, error))
      << error;
  host::HostTensor o =
      host::HostTensor::fromValues(DType::BF16, {2, 4, 200, 32}, whole.o);
  SampledReference reference;
  ASSERT_TRUE(reference.evaluate(w.problem, w.lengths, inputs, error)) << error;
  double relative = 1;
  EXPECT_EQ(reference.whyWrong(o, relative), "");
  EXPECT_LT(relative, 5e-3);
  for (int64_t i = 0; i < o.numElements(); ++i)
    o.set(i, o.at(i) * 1.1);
  EXPECT_NE(reference.whyWrong(o, relative), "");
}
