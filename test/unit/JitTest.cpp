//===- JitTest.cpp - The CPU path against float64 -------------------------===//
#include "CpuKernel.h"
#include "GridCase.h"

#include "tda/Host/Random.h"
#include "tda/Host/Reference.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace tda;
using namespace tda::test;
using host::HostTensor;
using host::Lengths;
using host::RandomOptions;

namespace {

Problem parse(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  return problem;
}

RandomOptions planted() {
  RandomOptions options;
  options.planted = 0.3;
  options.dead = 0.1;
  return options;
}

/// The results are within the contract, dead rows are zero, counts agree.
void expectRight(const Problem &problem, const std::vector<HostTensor> &inputs,
                 const std::vector<HostTensor> &outputs) {
  host::Reference reference;
  std::string error;
  ASSERT_TRUE(evaluate(problem, pointersTo(inputs), reference, error)) << error;
  EXPECT_LE(relativeError(outputs[0], reference),
            host::contract(problem.dtype));
  EXPECT_EQ(countDeadRowViolations(outputs[0], reference), 0);
  if (!problem.stats)
    return;
  int64_t wrong = 0;
  for (size_t i = 0; i < reference.survivors.size(); ++i)
    wrong += std::abs(outputs[1].at(i) - reference.survivors[i]) > 0;
  // A score within rounding of its gate may fall on either side.
  EXPECT_LE(wrong, int64_t(reference.survivors.size() / 100));
}

void expectRight(const std::string &text, const Lengths &lengths,
                 const std::string &schedule = "", int64_t vectorBits = 0,
                 RandomOptions options = planted()) {
  SCOPED_TRACE(text + ", " + schedule);
  Problem problem = parse(text);
  auto kernel = CpuKernel::compile(problem, schedule, false, vectorBits);
  ASSERT_TRUE(kernel);
  auto inputs = randomInputs(problem, lengths, 7, options);
  expectRight(problem, inputs, kernel->run(inputs, lengths));
}

} // namespace

TEST(Jit, HeadDimensions) {
  for (const char *d : {"1", "7", "40", "96", "128"})
    for (const char *dtype : {"f32", "bf16", "f16"})
      expectRight(std::string("views=2 causal stats d=") + d +
                      " dtype=" + dtype,
                  {1, 2, 1, 130, 130});
}

TEST(Jit, Powers) {
  for (const char *p : {"1", "1.5", "2", "2.5", "2.7", "3"})
    expectRight(std::string("views=2 d=32 dv=24 dtype=f16 causal power=") + p,
                {2, 2, 1, 100, 150});
}

TEST(Jit, Visibility) {
  for (const char *rule : {"", "causal", "window=50", "causal window=50"})
    for (int64_t queries : {1, 63, 200})
      expectRight(std::string("views=1 d=32 dtype=f32 stats ") + rule,
                  {1, 4, 1, queries, 128});
}

TEST(Jit, Operands) {
  expectRight("views=2 d=32 dtype=bf16 causal lambda=token beta=scalar "
              "kappa=arg offset=arg stats",
              {2, 4, 2, 65, 200});
  expectRight("views=2 d=32 dtype=bf16 lambda=scalar", {2, 4, 2, 65, 200});
}

TEST(Jit, Norms) {
  for (const char *dtype : {"f32", "bf16", "f16"})
    expectRight(std::string("views=2 d=37 dv=19 causal normalize norm dtype=") +
                    dtype,
                {1, 2, 2, 150, 150});
}

TEST(Jit, SchedulesAndVectorWidths) {
  for (const char *schedule :
       {"tile_m=16 tile_n=16", "tile_m=48 tile_n=80", "tile_m=128 tile_n=32"})
    for (int64_t bits : {128, 256, 512})
      if (bits <= hostVectorBits())
        expectRight("views=2 d=40 dv=52 dtype=f32 causal stats",
                    {1, 2, 2, 200, 200}, schedule, bits);
}

TEST(Jit, Dense) {
  RandomOptions dense;
  dense.beta = 0;
  for (const char *dtype : {"f32", "bf16", "f16"})
    expectRight(std::string("views=2 d=64 causal dtype=") + dtype,
                {1, 1, 1, 300, 300}, "", 0, dense);
}

TEST(Jit, EmptyLengths) {
  Problem problem = parse("views=2 d=8 dtype=f32 causal stats norm");
  auto kernel = CpuKernel::compile(problem);
  ASSERT_TRUE(kernel);
  for (Lengths lengths : {Lengths{0, 2, 1, 5, 5}, Lengths{2, 2, 1, 0, 5},
                          Lengths{2, 2, 1, 5, 0}}) {
    auto inputs = randomInputs(problem, lengths, 1);
    auto outputs = kernel->run(inputs, lengths);
    for (const HostTensor &output : outputs)
      for (uint8_t byte : output.data)
        ASSERT_EQ(byte, 0);
  }
}

// Sixteen-bit weights keep their exponent: neither (s - tau)^3 of small scores
// nor that of large ones leaves f16 before it meets v.
TEST(Jit, HalfPrecisionRange) {
  Problem problem = parse("views=1 d=16 dtype=f16 power=3");
  auto kernel = CpuKernel::compile(problem);
  ASSERT_TRUE(kernel);
  Lengths lengths{1, 1, 1, 32, 32};
  RandomOptions dense;
  dense.beta = 0;
  auto inputs = randomInputs(problem, lengths, 3, dense);
  for (double scale : {1.0 / 64, 64.0}) {
    std::vector<HostTensor> scaled(inputs);
    for (int64_t i = 0; i < scaled[0].numElements(); ++i) {
      scaled[0].set(i, inputs[0].at(i) * scale);
      scaled[2].set(i, inputs[2].at(i) / scale / (scale > 1 ? scale : 1));
    }
    expectRight(problem, scaled, kernel->run(scaled, lengths));
  }
}

// The largest values that the type has meet weights that are exactly 0, and
// rows whose squared norm f32 just holds become unit rows.
TEST(Jit, HugeValues) {
  for (const char *text :
       {"views=2 d=64 causal stats", "views=2 d=40 normalize dtype=f16",
        "views=1 d=96 normalize power=1.5", "views=2 d=64 norm dtype=f32"}) {
    SCOPED_TRACE(text);
    Problem problem = parse(text);
    auto kernel = CpuKernel::compile(problem);
    ASSERT_TRUE(kernel);
    Lengths lengths{1, 2, 1, 193, 193};
    auto inputs = randomInputs(problem, lengths, 3, planted());
    gputest::makeHuge(problem, inputs);
    expectRight(problem, inputs, kernel->run(inputs, lengths));
  }
}

TEST(Jit, SkippingChangesNoBit) {
  for (const char *dtype : {"f32", "bf16"}) {
    Problem problem =
        parse(std::string("views=2 d=64 causal stats norm dtype=") + dtype);
    Lengths lengths{1, 2, 1, 500, 500};
    auto inputs = randomInputs(problem, lengths, 5);
    auto skipping = CpuKernel::compile(problem, "", /*noSkip=*/false);
    auto always = CpuKernel::compile(problem, "", /*noSkip=*/true);
    ASSERT_TRUE(skipping && always);
    auto a = skipping->run(inputs, lengths), b = always->run(inputs, lengths);
    EXPECT_EQ(a[0].data, b[0].data);
    EXPECT_EQ(a[1].data, b[1].data);
  }
}

TEST(Jit, ThreadsChangeNoBit) {
  Problem problem = parse("views=2 d=32 causal dtype=f32");
  Lengths lengths{2, 3, 1, 200, 200};
  auto inputs = randomInputs(problem, lengths, 5, planted());
  auto kernel = CpuKernel::compile(problem);
  ASSERT_TRUE(kernel);
  auto one = kernel->run(inputs, lengths, 1);
  for (unsigned threads : {2, 5, 0})
    EXPECT_EQ(one[0].data, kernel->run(inputs, lengths, threads)[0].data);
}

// q, k, v and o as [B, N, H, D] in memory.
TEST(Jit, StridedTensors) {
  Problem problem = parse("views=1 d=24 causal dtype=f32");
  Lengths lengths{2, 3, 3, 70, 70};
  auto inputs = randomInputs(problem, lengths, 5, planted());
  auto kernel = CpuKernel::compile(problem);
  ASSERT_TRUE(kernel);
  auto expected = kernel->run(inputs, lengths);
  auto strided = kernel->run(inputs, lengths, 0, /*tokenMajor=*/true);
  EXPECT_EQ(expected[0].data, strided[0].data);
}

TEST(Jit, MissingFunction) {
  Problem problem = parse("views=1 d=8 dtype=f32");
  auto kernel = CpuKernel::compile(problem);
  ASSERT_TRUE(kernel);
  auto function = kernel->getJit().lookup("other");
  ASSERT_FALSE(bool(function));
  EXPECT_NE(toString(function.takeError()).find("other"), std::string::npos);
}
