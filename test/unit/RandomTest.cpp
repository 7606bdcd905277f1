//===- RandomTest.cpp - Repeatable inputs for a problem -------------------===//

#include "HostTestUtil.h"

#include <cmath>
#include <cstring>

using namespace tda;
using namespace tda::host;

namespace {

double rowNorm(const HostTensor &tensor, int64_t row) {
  int64_t d = tensor.shape.back();
  double sum = 0;
  for (int64_t c = 0; c < d; ++c)
    sum += tensor.at(row * d + c) * tensor.at(row * d + c);
  return std::sqrt(sum);
}

} // namespace

TEST(Random, FitsTheSpecsAndRepeats) {
  Problem problem =
      parsed("views=2 d=16 dv=8 dtype=f16 causal kappa=arg offset=arg norm "
             "lambda=token beta=scalar");
  Lengths lengths{2, 4, 2, 7, 9};
  std::vector<HostTensor> inputs = randomInputs(problem, lengths, 5);
  std::string error;
  Lengths bound;
  EXPECT_TRUE(
      bindLengths(inputSpecs(problem), pointersTo(inputs), bound, error))
      << error;
  std::vector<HostTensor> again = randomInputs(problem, lengths, 5);
  std::vector<HostTensor> other = randomInputs(problem, lengths, 6);
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_EQ(inputs[i].data, again[i].data);
  for (int i : {0, 1, 2, 3, 4, 5, 6})
    EXPECT_NE(inputs[i].data, other[i].data);
  EXPECT_NE(inputs[0].data, inputs[2].data) << "the views differ";
  EXPECT_EQ(inputs[7].at(0), 1.0); // kappa
  EXPECT_EQ(inputs[8].at(0), 2.0); // offset
}

/// A fixed value, so that a change of the generator does not pass unseen.
TEST(Random, IsTheSameEverywhere) {
  Problem problem = parsed("views=1 d=4 dtype=f32");
  std::vector<HostTensor> inputs = randomInputs(problem, {1, 1, 1, 2, 2}, 42);
  uint64_t hash = 1469598103934665603u; // FNV-1a
  for (const HostTensor &tensor : inputs)
    for (uint8_t byte : tensor.data)
      hash = (hash ^ byte) * 1099511628211u;
  EXPECT_EQ(hash, 13422747856424346837u);
}

TEST(Random, RowNorms) {
  Lengths lengths{1, 1, 1, 200, 200};
  HostTensor unit = randomInputs(parsed("views=1 d=64"), lengths, 1)[0];
  HostTensor varied =
      randomInputs(parsed("views=1 d=64 normalize"), lengths, 1)[1];
  double low = 1e9, high = 0;
  for (int64_t row = 0; row < 200; ++row) {
    EXPECT_NEAR(rowNorm(unit, row), 1.0, 4e-3);
    low = std::min(low, rowNorm(varied, row));
    high = std::max(high, rowNorm(varied, row));
  }
  EXPECT_LT(low, 0.5);
  EXPECT_GT(high, 3.0);
}

TEST(Random, NormalMoments) {
  HostTensor v =
      randomInputs(parsed("views=1 d=64 dtype=f32"), {1, 1, 1, 1, 2000}, 3)[2];
  double sum = 0, squares = 0;
  for (double value : v.toFloats()) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / v.numElements(), 0.0, 0.01);
  EXPECT_NEAR(squares / v.numElements(), 1.0, 0.02);
}

/// The paper's claim: at most kappa spurious survivors a row on null input.
TEST(Random, NullInputHasFewSurvivors) {
  Problem problem = parsed("views=2 d=64 dtype=f32 causal");
  RandomOptions options;
  options.beta = 1.0;
  Reference reference = evaluated(
      problem, randomInputs(problem, {1, 2, 1, 1024, 1024}, 7, options));
  for (double survivors : reference.survivorsPerRow) {
    EXPECT_GT(survivors, 0.0);
    EXPECT_LT(survivors, 1.0);
  }
  EXPECT_GT(reference.exactZeros, 0.99);
}

TEST(Random, PlantedInputHasSurvivorsInBothViews) {
  Problem problem = parsed("views=2 d=128 causal normalize");
  RandomOptions options;
  options.planted = 0.5;
  options.dead = 0.1;
  std::vector<HostTensor> inputs =
      randomInputs(problem, {1, 4, 2, 2048, 2048}, 7, options);
  Reference reference = evaluated(problem, inputs);
  EXPECT_GT(reference.survivorsPerRow[0], 0.4);
  EXPECT_GT(reference.survivorsPerRow[1], 0.4);
  EXPECT_GT(reference.consensusPerRow, 0.15);
  EXPECT_LT(reference.liveTiles, 1.0);
  int64_t dead = 0;
  for (uint8_t isDead : reference.dead)
    dead += isDead;
  EXPECT_GT(dead, 4 * 2048 / 20);
}

TEST(Random, Options) {
  Problem problem = parsed("views=2 d=8 kappa=arg offset=arg");
  RandomOptions options;
  options.beta = 0.25;
  options.lambda = 0.5;
  options.kappa = 4;
  options.offset = (int64_t(1) << 62) + 1;
  options.dead = 1.0;
  std::vector<HostTensor> inputs =
      randomInputs(problem, {1, 1, 1, 2, 2}, 1, options);
  EXPECT_EQ(inputs[5].at(0), 0.25);
  EXPECT_EQ(inputs[6].at(0), 0.5);
  EXPECT_EQ(inputs[7].at(0), 4.0);
  int64_t offset;
  std::memcpy(&offset, inputs[8].data.data(), sizeof(offset));
  EXPECT_EQ(offset, *options.offset);
  EXPECT_EQ(rowNorm(inputs[0], 0), 0.0);
  EXPECT_EQ(rowNorm(inputs[2], 1), 0.0);
}

TEST(Random, EmptyLengths) {
  Problem problem = parsed("views=2 d=8 causal");
  for (Lengths lengths : {Lengths{0, 1, 1, 2, 2}, Lengths{1, 1, 1, 0, 2},
                          Lengths{1, 1, 1, 2, 0}}) {
    RandomOptions options;
    options.planted = 1.0;
    std::vector<HostTensor> inputs = randomInputs(problem, lengths, 1, options);
    EXPECT_EQ(evaluated(problem, inputs).o.size(),
              size_t(lengths.B * lengths.Nq * 8));
  }
}
