//===- ArgumentsTest.cpp - What a problem's function takes and gives ------===//

#include "HostTestUtil.h"

using namespace tda;
using namespace tda::host;

namespace {

/// "name type shape" of each, joined by "; ".
std::string describe(const std::vector<ArgumentSpec> &specs) {
  std::string text;
  for (const ArgumentSpec &spec : specs)
    text += (text.empty() ? "" : "; ") + spec.name + " " +
            dtypeName(spec.dtype) + " " + shapeText(spec);
  return text;
}

/// Inputs that fit, of which a test then spoils one.
class Binding : public testing::Test {
protected:
  Problem problem = parsed("views=2 d=64 dv=32 lambda=token");
  std::vector<HostTensor> tensors =
      randomInputs(problem, {1, 4, 2, 3, 5}, /*seed=*/1);

  void expectError(const std::string &expected) {
    Lengths lengths;
    std::string error;
    EXPECT_FALSE(
        bindLengths(inputSpecs(problem), pointersTo(tensors), lengths, error));
    EXPECT_EQ(error, expected);
  }
};

} // namespace

TEST(Arguments, OrderOfTwoViews) {
  EXPECT_EQ(describe(inputSpecs(parsed(
                "views=2 d=64 dv=32 kappa=arg offset=arg norm lambda=token"))),
            "q1 bf16 [B, Hq, Nq, 64]; k1 bf16 [B, Hkv, Nk, 64]; "
            "q2 bf16 [B, Hq, Nq, 64]; k2 bf16 [B, Hkv, Nk, 64]; "
            "v bf16 [B, Hkv, Nk, 32]; beta f32 [Hq]; lambda f32 [B, Hq, Nq]; "
            "kappa f32 []; offset i64 []; gain f32 [32]");
}

TEST(Arguments, OrderOfOneView) {
  EXPECT_EQ(describe(inputSpecs(parsed("views=1 d=8 dtype=f32 beta=scalar"))),
            "q f32 [B, Hq, Nq, 8]; k f32 [B, Hkv, Nk, 8]; "
            "v f32 [B, Hkv, Nk, 8]; beta f32 []");
}

TEST(Arguments, Outputs) {
  EXPECT_EQ(describe(outputSpecs(parsed("views=2 d=8 dv=4 dtype=f16 stats"))),
            "o f16 [B, Hq, Nq, 4]; survivors i32 [2, B, Hq, Nq]");
  EXPECT_EQ(describe(outputSpecs(parsed("views=1 d=8"))),
            "o bf16 [B, Hq, Nq, 8]");
}

TEST_F(Binding, InfersTheLengths) {
  Lengths lengths;
  std::string error;
  ASSERT_TRUE(
      bindLengths(inputSpecs(problem), pointersTo(tensors), lengths, error))
      << error;
  EXPECT_EQ(lengths.B, 1);
  EXPECT_EQ(lengths.Hq, 4);
  EXPECT_EQ(lengths.Hkv, 2);
  EXPECT_EQ(lengths.Nq, 3);
  EXPECT_EQ(lengths.Nk, 5);
  EXPECT_EQ(concreteShape(outputSpecs(problem)[0], lengths),
            (std::vector<int64_t>{1, 4, 3, 32}));
}

TEST_F(Binding, Number) {
  tensors.pop_back();
  expectError("6 arguments were given; expected 7: q1, k1, q2, k2, v, beta, "
              "lambda");
}

TEST_F(Binding, Type) {
  tensors[3].dtype = DType::F16;
  expectError("argument 'k2' is f16; expected bf16");
}

TEST_F(Binding, Rank) {
  tensors[0] = HostTensor::zeros(DType::BF16, {4, 3, 64});
  expectError("argument 'q1' has shape [4, 3, 64] of rank 3; expected "
              "[B, Hq, Nq, 64] of rank 4");
}

TEST_F(Binding, Number64) {
  tensors[1] = HostTensor::zeros(DType::BF16, {1, 2, 5, 32});
  expectError("argument 'k1' has shape [1, 2, 5, 32], but dimension 3 must be "
              "64: expected [B, Hkv, Nk, 64]");
}

TEST_F(Binding, Length) {
  tensors[4] = HostTensor::zeros(DType::BF16, {1, 2, 6, 32});
  expectError("argument 'v' has shape [1, 2, 6, 32], but Nk is 5 from 'k1': "
              "expected [B, Hkv, Nk, 32]");
}

TEST_F(Binding, Bytes) {
  tensors[4].data.resize(10);
  expectError("argument 'v' of shape [1, 2, 5, 32] does not have 10 bytes");
}

TEST_F(Binding, HeadsThatDoNotDivide) {
  for (int view : {1, 3})
    tensors[view] = HostTensor::zeros(DType::BF16, {1, 3, 5, 64});
  tensors[4] = HostTensor::zeros(DType::BF16, {1, 3, 5, 32});
  expectError("Hkv = 3 does not divide Hq = 4: every key head serves the same "
              "number of query heads");
}

TEST_F(Binding, NoHeads) {
  for (int view : {1, 3})
    tensors[view] = HostTensor::zeros(DType::BF16, {1, 0, 5, 64});
  tensors[4] = HostTensor::zeros(DType::BF16, {1, 0, 5, 32});
  expectError("Hq = 4 and Hkv = 0 must be at least 1");
}
