//===- ProblemTest.cpp - The shorthand of an attention problem ------------===//

#include "tda/Problem.h"

#include <gtest/gtest.h>

using namespace tda;

namespace {

Problem parsed(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  EXPECT_EQ(error, "");
  return problem;
}

/// The error of a text that must not parse.
std::string errorOf(const std::string &text) {
  Problem problem;
  problem.d = 77;
  std::string error;
  EXPECT_FALSE(Problem::parse(text, problem, error)) << text;
  EXPECT_EQ(problem.d, 77) << "changed by a failure";
  return error;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_ERROR(text, part)                                               \
  EXPECT_TRUE(contains(errorOf(text), part)) << errorOf(text)

} // namespace

TEST(Problem, Defaults) {
  Problem problem = parsed("views=2 d=64");
  EXPECT_EQ(problem.views, 2);
  EXPECT_EQ(problem.d, 64);
  EXPECT_EQ(problem.dv, 64);
  EXPECT_EQ(problem.dtype, DType::BF16);
  EXPECT_FALSE(problem.causal || problem.normalize || problem.norm ||
               problem.stats || problem.kappaOperand || problem.offsetOperand);
  EXPECT_EQ(problem.window, 0);
  EXPECT_EQ(problem.power, 2.0);
  EXPECT_EQ(problem.kappa, 1.0);
  EXPECT_EQ(problem.beta, Extent::Head);
  EXPECT_EQ(problem.lambda, Extent::Head);
}

TEST(Problem, EveryWord) {
  Problem problem = parsed(
      "\tstats norm  eps=1e-6 lambda=token beta=scalar offset=arg kappa=0.5\n"
      "normalize power=2.5 window=128 causal dtype=f16 dv=96 d=128 views=2 ");
  EXPECT_TRUE(problem.causal && problem.normalize && problem.norm &&
              problem.stats && problem.offsetOperand);
  EXPECT_FALSE(problem.kappaOperand);
  EXPECT_EQ(problem.d, 128);
  EXPECT_EQ(problem.dv, 96);
  EXPECT_EQ(problem.dtype, DType::F16);
  EXPECT_EQ(problem.window, 128);
  EXPECT_EQ(problem.power, 2.5);
  EXPECT_EQ(problem.kappa, 0.5);
  EXPECT_EQ(problem.eps, 1e-6);
  EXPECT_EQ(problem.beta, Extent::Scalar);
  EXPECT_EQ(problem.lambda, Extent::Token);
}

TEST(Problem, TextReadsBack) {
  for (const char *text : {
           "views=2 d=128 dv=128 dtype=bf16 causal power=2 normalize",
           "views=1 d=1 dv=3 dtype=f32 power=1 kappa=arg offset=arg",
           "views=2 d=64 dv=64 dtype=f16 causal window=7 power=2.1 normalize "
           "kappa=0.1 offset=arg beta=scalar lambda=token norm eps=1e-06 stats",
       })
    EXPECT_EQ(parsed(text).str(), text);
}

TEST(Problem, TextDoesNotDependOnOrderOrDefaults) {
  EXPECT_EQ(parsed("d=64 views=2").str(),
            parsed("views=2 kappa=1 beta=head lambda=head dtype=bf16 power=2.0 "
                   "dv=64 d=64")
                .str());
  // A field without meaning does not show.
  Problem problem = parsed("views=1 d=8");
  std::string text = problem.str();
  problem.lambda = Extent::Token;
  problem.eps = 0.5;
  EXPECT_EQ(problem.str(), text);
}

TEST(Problem, UnknownOrRepeatedWordsListTheKnownOnes) {
  for (const char *text :
       {"views=2 d=64 casual", "views=2 d=64 causal causal", "views=2 d=64 d=8",
        "views=2 d=64 =", "views=2 d=64 Causal", "views=2", "d=64", ""})
    EXPECT_ERROR(text, "known words: views=1|2 d=N dv=N");
  EXPECT_ERROR("views=2 d=64 casual", "unknown word 'casual'");
  EXPECT_ERROR("views=2 d=64 causal causal", "'causal' is given twice");
  EXPECT_ERROR("views=2 causal", "'d=N' is missing");
  EXPECT_ERROR("", "'views=1|2' is missing");
}

TEST(Problem, MalformedValues) {
  EXPECT_ERROR("views=2 d=64 causal=1", "'causal' takes no value");
  EXPECT_ERROR("views=2 d=64 norm=", "'norm' takes no value");
  EXPECT_ERROR("views=2 d=64 window", "'window' needs a value: window=W");
  EXPECT_ERROR("views=3 d=64", "views must be 1");
  EXPECT_ERROR("views=2 d=", "d must be a whole number");
  EXPECT_ERROR("views=2 d=64x", "d must be a whole number");
  EXPECT_ERROR("views=2 d=6.5", "d must be a whole number");
  EXPECT_ERROR("views=2 d=99999999999999999999", "d must be a whole number");
  EXPECT_ERROR("views=2 d=64 dtype=i32", "dtype must be f32, bf16 or f16");
  EXPECT_ERROR("views=2 d=64 dtype=fp16", "dtype must be f32, bf16 or f16");
  EXPECT_ERROR("views=2 d=64 window=0", "at least 1");
  EXPECT_ERROR("views=2 d=64 window=-5", "at least 1");
  EXPECT_ERROR("views=2 d=64 power=two", "power must be a finite");
  EXPECT_ERROR("views=2 d=64 power=nan", "power must be a finite");
  EXPECT_ERROR("views=2 d=64 power=inf", "power must be a finite");
  EXPECT_ERROR("views=2 d=64 power=2,5", "power must be a finite");
  EXPECT_ERROR("views=2 d=64 kappa=argh", "or 'arg' for an operand");
  EXPECT_ERROR("views=2 d=64 offset=3", "offset must be 'arg'");
  EXPECT_ERROR("views=2 d=64 beta=token", "beta must be scalar or head");
  EXPECT_ERROR("views=2 d=64 lambda=row", "lambda must be scalar, head");
}

TEST(Problem, WordsThatNeedAnother) {
  EXPECT_ERROR("views=1 d=64 lambda=head", "no meaning with views=1");
  EXPECT_ERROR("lambda=head d=64 views=1", "no meaning with views=1");
  EXPECT_ERROR("views=2 d=64 eps=1e-5", "add 'norm'");
}

TEST(Problem, IllegalValues) {
  EXPECT_ERROR("views=2 d=0", "d = 0, but the head dimension");
  EXPECT_ERROR("views=2 d=-1", "d = -1, but the head dimension");
  EXPECT_ERROR("views=2 d=9223372036854775807", "but the head dimension");
  EXPECT_ERROR("views=2 d=64 dv=0", "dv = 0, but the head dimension of v");
  EXPECT_ERROR("views=2 d=64 power=0.5", "power = 0.5, but must be");
  EXPECT_ERROR("views=2 d=64 kappa=0", "kappa = 0, but must be > 0");
  EXPECT_ERROR("views=2 d=64 kappa=-1", "kappa = -1, but must be > 0");
  EXPECT_ERROR("views=2 d=64 kappa=1e-300", "as an f32");
  EXPECT_ERROR("views=2 d=64 norm eps=0", "eps = 0, but must be > 0");
  EXPECT_ERROR("views=2 d=64 window=4294967296",
               "must be from 1 to 2147483647");
}

TEST(Problem, CheckOfFieldsSetByHand) {
  Problem problem;
  EXPECT_NE(problem.check(), "") << "d and dv are 0 by default";
  problem.d = problem.dv = 8;
  EXPECT_EQ(problem.check(), "");
  problem.power = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(contains(problem.check(), "power"));
  problem = parsed("views=2 d=8");
  problem.dtype = DType::I64;
  EXPECT_TRUE(contains(problem.check(), "dtype = i64"));
  problem = parsed("views=2 d=8");
  problem.beta = Extent::Token;
  EXPECT_TRUE(contains(problem.check(), "beta"));
  problem = parsed("views=2 d=8 kappa=arg");
  problem.kappa = -1; // Not used.
  EXPECT_EQ(problem.check(), "");
}

TEST(Problem, Names) {
  for (DType type :
       {DType::F32, DType::BF16, DType::F16, DType::I32, DType::I64}) {
    DType readBack;
    EXPECT_TRUE(parseDType(dtypeName(type), readBack));
    EXPECT_EQ(readBack, type);
  }
  for (Extent extent : {Extent::Scalar, Extent::Head, Extent::Token}) {
    Extent readBack;
    EXPECT_TRUE(parseExtent(extentName(extent), readBack));
    EXPECT_EQ(readBack, extent);
  }
  DType type;
  EXPECT_FALSE(parseDType("float", type));
  EXPECT_EQ(dtypeSize(DType::BF16), 2u);
  EXPECT_EQ(dtypeSize(DType::I64), 8u);
}
