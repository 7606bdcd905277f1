//===- ReferenceTest.cpp - The float64 evaluation -------------------------===//

#include "HostTestUtil.h"
#include "tda/Host/HostFloat.h"
#include "tda/Host/Visibility.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace tda;
using namespace tda::host;
using Values = std::vector<double>;
using Counts = std::vector<int32_t>;

namespace {

HostTensor i64(int64_t value) {
  HostTensor tensor = HostTensor::zeros(DType::I64, {});
  std::memcpy(tensor.data.data(), &value, sizeof(value));
  return tensor;
}

} // namespace

//===----------------------------------------------------------------------===//
// Cases done by hand. Scores are exactly 0 or 1 unless said otherwise.
//===----------------------------------------------------------------------===//

/// Three keys e0, e1, e0; v = 1, 10, 100; query e0.
TEST(Reference, OneViewPicksMatchingKeys) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 beta=scalar");
  Reference r = evaluated(
      problem, {oneHot({1, 1, 1, 2}, {0}), oneHot({1, 1, 3, 2}, {0, 1, 0}),
                f32({1, 1, 3, 1}, {1, 10, 100}), f32({}, {0})});
  EXPECT_EQ(r.o, Values{101}); // tau = 0: A = 1, 0, 1.
  EXPECT_EQ(r.survivors, Counts{2});
  EXPECT_DOUBLE_EQ(r.exactZeros, 1.0 / 3);
  EXPECT_EQ(r.survivorsPerRow[0], 2.0);
  EXPECT_EQ(r.survivorsPerRow[1], 0.0);
  EXPECT_EQ(r.liveTiles, 1.0);
}

TEST(Reference, GateAndPower) {
  // n = 3, D = 2, kappa = 0.5, beta = 0.25.
  double tau = 0.25 * std::sqrt(2 * std::log(3 / 0.5) / 2);
  for (double p : {1.0, 2.0, 3.0, 2.5}) {
    Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 kappa=0.5");
    problem.power = p;
    Reference r = evaluated(
        problem, {oneHot({1, 1, 1, 2}, {0}), oneHot({1, 1, 3, 2}, {0, 1, 0}),
                  f32({1, 1, 3, 1}, {1, 10, 100}), f32({1}, {0.25})});
    EXPECT_NEAR(r.o[0], 101 * std::pow(1 - tau, p), 1e-12);
  }
}

/// n <= kappa makes tau exactly 0, and key 1 scores exactly 0: no survivor.
/// Elsewhere the two f32 scores around tau fall on either side of the gate.
TEST(Reference, ScoreEqualToTauDoesNotSurvive) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 kappa=arg");
  auto run = [&](double kappa, double beta) {
    return evaluated(problem,
                     {oneHot({1, 1, 1, 2}, {0}), oneHot({1, 1, 2, 2}, {0, 1}),
                      f32({1, 1, 2, 1}, {1, 10}), f32({1}, {beta}),
                      f32({}, {kappa})});
  };
  EXPECT_EQ(run(2, 1).o, Values{1});
  EXPECT_EQ(run(2, 1).survivors, Counts{1});
  EXPECT_EQ(run(8, 1).o, Values{1}) << "n < kappa: tau is 0, not NaN";

  double kappa = 0.5, beta = 1.0;
  double tau = std::sqrt(2 * std::log(2 / kappa) / 2);
  float below = float(tau), above = std::nextafter(below, 2.0f);
  if (below > tau)
    above = below, below = std::nextafter(below, 0.0f);
  auto scored = [&](float score) {
    return evaluated(problem,
                     {oneHot({1, 1, 1, 2}, {0}, score),
                      oneHot({1, 1, 2, 2}, {0, 1}), f32({1, 1, 2, 1}, {1, 10}),
                      f32({1}, {beta}), f32({}, {kappa})})
        .survivors[0];
  };
  EXPECT_EQ(scored(below), 0);
  EXPECT_EQ(scored(above), 1);
}

TEST(Reference, NegativeBetaMeansNoGate) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 beta=scalar");
  Reference r = evaluated(problem, {oneHot({1, 1, 1, 2}, {0}, 0.125),
                                    oneHot({1, 1, 2, 2}, {0, 0}),
                                    f32({1, 1, 2, 1}, {1, 10}), f32({}, {-3})});
  EXPECT_EQ(r.o, Values{11 * 0.125 * 0.125});
}

/// View 1 keeps keys 0 and 1, view 2 keys 1 and 2.
TEST(Reference, DifferentialOfTwoViews) {
  Problem problem = parsed("views=2 d=2 dv=1 dtype=f32 beta=scalar");
  Reference r = evaluated(
      problem,
      {oneHot({1, 1, 1, 2}, {0}), oneHot({1, 1, 4, 2}, {0, 0, 1, 1}),
       oneHot({1, 1, 1, 2}, {1}), oneHot({1, 1, 4, 2}, {0, 1, 1, 0}),
       f32({1, 1, 4, 1}, {1, 10, 100, 1000}), f32({}, {0}), f32({1}, {0.25})});
  EXPECT_EQ(r.o, Values{1 + 0.75 * 10 - 0.25 * 100});
  EXPECT_EQ(r.survivors, (Counts{2, 2}));
  EXPECT_EQ(r.consensusPerRow, 1.0);
  EXPECT_EQ(r.exactZeros, 0.25);
}

/// With lambda = 1 equal views cancel: survivors, yet a map of zeros.
TEST(Reference, EqualViewsCancel) {
  Problem problem = parsed("views=2 d=2 dv=1 dtype=f32 beta=scalar "
                           "lambda=scalar");
  HostTensor q = oneHot({1, 1, 1, 2}, {0}), k = oneHot({1, 1, 2, 2}, {0, 1});
  Reference r = evaluated(problem, {q, k, q, k, f32({1, 1, 2, 1}, {1, 10}),
                                    f32({}, {0}), f32({}, {1})});
  EXPECT_EQ(r.o, Values{0});
  EXPECT_EQ(r.exactZeros, 1.0);
  EXPECT_EQ(r.survivors, (Counts{1, 1}));
  EXPECT_EQ(r.dead, std::vector<uint8_t>{0});
}

TEST(Reference, ExtentsOfLambda) {
  // B = 2, Hq = 2, Nq = 2; view 1 sees nothing, view 2 the one key: o is
  // -lambda.
  Values lambdas = {1, 2, 3, 4, 5, 6, 7, 8};
  auto run = [&](const char *extent, HostTensor lambda) {
    Problem problem = parsed(
        std::string("views=2 d=2 dv=1 dtype=f32 beta=scalar lambda=") + extent);
    HostTensor q = oneHot({2, 2, 2, 2}, std::vector<int>(8, 0));
    return evaluated(problem,
                     {q, oneHot({2, 1, 1, 2}, {1, 1}), q,
                      oneHot({2, 1, 1, 2}, {0, 0}), f32({2, 1, 1, 1}, {-1, -1}),
                      f32({}, {0}), lambda})
        .o;
  };
  EXPECT_EQ(run("scalar", f32({}, {3})), Values(8, 3));
  EXPECT_EQ(run("head", f32({2}, {3, 4})), (Values{3, 3, 4, 4, 3, 3, 4, 4}));
  EXPECT_EQ(run("token", f32({2, 2, 2}, lambdas)), lambdas);
}

/// Every key matches with v = 1, so o is the number of visible keys.
static Values visibleCounts(const std::string &words, int64_t Nq, int64_t Nk,
                            std::optional<int64_t> offset = std::nullopt) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 beta=scalar " + words +
                           (offset ? " offset=arg" : ""));
  std::vector<HostTensor> inputs = {
      oneHot({1, 1, Nq, 2}, std::vector<int>(Nq, 0)),
      oneHot({1, 1, Nk, 2}, std::vector<int>(Nk, 0)),
      f32({1, 1, Nk, 1}, Values(Nk, 1)), f32({}, {0})};
  if (offset)
    inputs.push_back(i64(*offset));
  return evaluated(problem, inputs).o;
}

TEST(Reference, Visibility) {
  EXPECT_EQ(visibleCounts("", 2, 3), (Values{3, 3}));
  EXPECT_EQ(visibleCounts("causal", 3, 3), (Values{1, 2, 3}));
  EXPECT_EQ(visibleCounts("causal window=2", 4, 4), (Values{1, 2, 2, 2}));
  EXPECT_EQ(visibleCounts("causal window=1", 3, 3), (Values{1, 1, 1}));
  // Without `causal` a window bounds from below alone.
  EXPECT_EQ(visibleCounts("window=1", 3, 3), (Values{3, 2, 1}));
}

TEST(Reference, VisibilityWithOffset) {
  // The default is Nk - Nq: the last query sees the last key.
  EXPECT_EQ(visibleCounts("causal", 2, 5), (Values{4, 5}));
  EXPECT_EQ(visibleCounts("causal", 4, 2), (Values{0, 0, 1, 2}));
  EXPECT_EQ(visibleCounts("causal", 3, 5, 0), (Values{1, 2, 3}));
  EXPECT_EQ(visibleCounts("causal", 3, 5, -2), (Values{0, 0, 1}));
  EXPECT_EQ(visibleCounts("causal window=2", 3, 5, 4), (Values{2, 1, 0}));
  EXPECT_EQ(visibleCounts("", 2, 3, 1000), (Values{3, 3}));
  int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(visibleCounts("causal", 2, 3, huge), (Values{3, 3}));
  EXPECT_EQ(visibleCounts("causal", 2, 3, -huge - 1), (Values{0, 0}));
  EXPECT_EQ(visibleCounts("causal window=2147483647", 2, 3, huge),
            (Values{0, 0}));
}

/// tau follows the number of visible keys, not Nk.
TEST(Reference, GateCountsVisibleKeys) {
  Problem problem = parsed("views=1 d=8 dv=1 dtype=f32 causal window=3 "
                           "power=1");
  Reference r =
      evaluated(problem, {oneHot({1, 1, 5, 8}, {0, 0, 0, 0, 0}),
                          oneHot({1, 1, 5, 8}, {0, 0, 0, 0, 0}),
                          f32({1, 1, 5, 1}, Values(5, 1)), f32({1}, {1})});
  for (int i = 0; i < 5; ++i) {
    double n = std::min(i + 1, 3);
    EXPECT_NEAR(r.o[i], n * (1 - std::sqrt(2 * std::log(n) / 8)), 1e-12);
  }
}

TEST(Reference, RowsThatSeeNothingAreDead) {
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32 causal norm");
  Reference r = evaluated(
      problem, {oneHot({1, 1, 3, 2}, {0, 0, 0}), oneHot({1, 1, 1, 2}, {0}),
                f32({1, 1, 1, 1}, {5}), f32({1}, {1}), f32({1}, {2})});
  EXPECT_EQ(r.dead, (std::vector<uint8_t>{1, 1, 0}));
  EXPECT_EQ(r.o[0], 0.0);
  EXPECT_NEAR(r.o[2], 2 * 5 / std::sqrt(25 + 1e-5), 1e-12);
}

TEST(Reference, GroupedQueries) {
  // Four query heads over two key heads, whose keys have v = 1 and v = 10.
  Problem problem = parsed("views=1 d=2 dv=1 dtype=f32");
  Reference r =
      evaluated(problem, {oneHot({1, 4, 1, 2}, {0, 0, 0, 0}),
                          oneHot({1, 2, 1, 2}, {0, 0}),
                          f32({1, 2, 1, 1}, {1, 10}), f32({4}, {0, 0, 0, 0})});
  EXPECT_EQ(r.o, (Values{1, 1, 10, 10}));
}

TEST(Reference, Normalise) {
  // (3, 4) becomes (0.6, 0.8) rounded to bf16; a row of zeros stays zero.
  Problem problem = parsed("views=1 d=2 dv=1 dtype=bf16 normalize power=1 "
                           "beta=scalar");
  HostTensor q =
      HostTensor::fromValues(DType::BF16, {1, 1, 2, 2}, {3, 4, 0, 0});
  HostTensor k = HostTensor::fromValues(DType::BF16, {1, 1, 1, 2}, {0, 256});
  HostTensor v = HostTensor::fromValues(DType::BF16, {1, 1, 1, 1}, {1});
  Reference r = evaluated(problem, {q, k, v, f32({}, {0})});
  EXPECT_EQ(r.o, (Values{roundToType(0.8f, DType::BF16), 0}));
  EXPECT_EQ(r.dead, (std::vector<uint8_t>{0, 1}));
}

TEST(Reference, EmptyLengths) {
  Problem problem = parsed("views=2 d=4 causal stats");
  auto run = [&](Lengths lengths) {
    return evaluated(problem, randomInputs(problem, lengths, 1));
  };
  EXPECT_TRUE(run({0, 2, 1, 3, 3}).o.empty());
  EXPECT_TRUE(run({2, 2, 1, 0, 3}).o.empty());
  Reference noKeys = run({1, 2, 1, 3, 0});
  EXPECT_EQ(noKeys.o, Values(2 * 3 * 4, 0));
  EXPECT_EQ(noKeys.survivors, Counts(2 * 2 * 3, 0));
  EXPECT_EQ(noKeys.dead, std::vector<uint8_t>(6, 1));
  EXPECT_EQ(noKeys.exactZeros, 1.0);
  EXPECT_EQ(noKeys.liveTiles, 0.0);
}

TEST(Reference, IllegalInputs) {
  Problem problem = parsed("views=1 d=4 kappa=arg");
  std::vector<HostTensor> inputs = randomInputs(problem, {1, 1, 1, 2, 2}, 1);
  Reference r;
  std::string error;
  for (double kappa : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    inputs.back() = f32({}, {kappa});
    EXPECT_FALSE(evaluate(problem, pointersTo(inputs), r, error));
    EXPECT_NE(error.find("argument 'kappa' is"), std::string::npos) << error;
  }
  inputs.pop_back();
  EXPECT_FALSE(evaluate(problem, pointersTo(inputs), r, error));
  EXPECT_NE(error.find("expected 5"), std::string::npos) << error;
  problem.d = 0;
  EXPECT_FALSE(evaluate(problem, pointersTo(inputs), r, error));
  EXPECT_NE(error.find("d = 0"), std::string::npos) << error;
}

TEST(Reference, LiveTiles) {
  // 128 queries and keys, causal: three visible tiles of 64 x 64. Query 100
  // matches key 3, and none else.
  Problem problem = parsed("views=1 d=4 dv=1 dtype=f32 causal beta=scalar");
  HostTensor q = HostTensor::zeros(DType::F32, {1, 1, 128, 4});
  HostTensor k = q;
  q.set(100 * 4, 1);
  k.set(3 * 4, 1);
  std::vector<HostTensor> inputs = {q, k, f32({1, 1, 128, 1}, Values(128, 1)),
                                    f32({}, {0})};
  EXPECT_DOUBLE_EQ(evaluated(problem, inputs).liveTiles, 1.0 / 3);
  EXPECT_DOUBLE_EQ(evaluated(problem, inputs, 0, {128, 64}).liveTiles, 0.5);
  EXPECT_DOUBLE_EQ(evaluated(problem, inputs, 0, {7, 1000}).liveTiles,
                   1.0 / 19);
}

//===----------------------------------------------------------------------===//
// Against the plainest loops
//===----------------------------------------------------------------------===//

/// o by the formulas of docs/semantics.md, one element after another; for
/// problems without normalize, norm and operands for kappa and offset.
static Values plainLoops(const Problem &p, const Lengths &n,
                         const std::vector<HostTensor> &in) {
  const HostTensor &v = in[2 * p.views], &beta = in[2 * p.views + 1];
  Values o(n.B * n.Hq * n.Nq * p.dv, 0);
  for (int64_t b = 0; b < n.B; ++b)
    for (int64_t h = 0; h < n.Hq; ++h)
      for (int64_t i = 0; i < n.Nq; ++i) {
        int64_t row = (b * n.Hq + h) * n.Nq + i, offset = n.Nk - n.Nq;
        int64_t kv = b * n.Hkv + h / (n.Hq / n.Hkv);
        auto isVisible = [&](int64_t j) {
          return (!p.causal || j <= i + offset) &&
                 (p.window == 0 || j > i + offset - p.window);
        };
        int64_t count = 0;
        for (int64_t j = 0; j < n.Nk; ++j)
          count += isVisible(j);
        double tau =
            std::max(0.0, beta.at(p.beta == Extent::Head ? h : 0)) *
            std::sqrt(2 * std::max(0.0, std::log(count / p.kappa)) / p.d);
        for (int64_t j = 0; j < n.Nk; ++j) {
          if (!isVisible(j))
            continue;
          double weight = 0;
          for (int view = 0; view < p.views; ++view) {
            double score = 0, factor = 1;
            for (int64_t c = 0; c < p.d; ++c)
              score += in[2 * view].at(row * p.d + c) *
                       in[2 * view + 1].at((kv * n.Nk + j) * p.d + c);
            if (view == 1)
              factor = -in.back().at(p.lambda == Extent::Token  ? row
                                     : p.lambda == Extent::Head ? h
                                                                : 0);
            weight += factor * std::pow(std::max(0.0, score - tau), p.power);
          }
          for (int64_t c = 0; c < p.dv; ++c)
            o[row * p.dv + c] += weight * v.at((kv * n.Nk + j) * p.dv + c);
        }
      }
  return o;
}

TEST(Reference, AgreesWithPlainLoops) {
  const Lengths lengthsList[] = {
      {1, 1, 1, 1, 1},  {2, 4, 2, 65, 65}, {1, 2, 2, 3, 130},
      {1, 3, 1, 70, 9}, {1, 1, 1, 63, 64},
  };
  for (const char *words :
       {"views=2 d=16", "views=2 d=16 dv=7 causal power=3 lambda=token",
        "views=1 d=5 dtype=f16 causal window=10 beta=scalar",
        "views=2 d=33 dtype=f32 window=20 power=2.5 lambda=scalar",
        "views=2 d=16 causal power=1 kappa=3"}) {
    for (const Lengths &lengths : lengthsList) {
      Problem problem = parsed(words);
      RandomOptions options;
      options.planted = 0.3;
      std::vector<HostTensor> inputs =
          randomInputs(problem, lengths, 11, options);
      Values expected = plainLoops(problem, lengths, inputs);
      Reference r = evaluated(problem, inputs);
      ASSERT_EQ(r.o.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(r.o[i], expected[i], 1e-12) << words << " element " << i;
    }
  }
}

TEST(Reference, DoesNotDependOnThreadsOrTiles) {
  Problem problem = parsed("views=2 d=32 causal normalize");
  std::vector<HostTensor> inputs =
      randomInputs(problem, {2, 2, 1, 150, 170}, 2);
  Reference one = evaluated(problem, inputs, 1);
  for (unsigned threads : {2u, 7u, 1000u}) {
    Reference many = evaluated(problem, inputs, threads);
    EXPECT_EQ(many.o, one.o);
    EXPECT_EQ(many.survivors, one.survivors);
    EXPECT_EQ(many.liveTiles, one.liveTiles);
  }
  for (TileShape tile : {TileShape{1, 1}, {3, 13}, {1000, 1000}}) {
    Reference other = evaluated(problem, inputs, 0, tile);
    EXPECT_EQ(other.o, one.o);
    EXPECT_EQ(other.exactZeros, one.exactZeros);
    EXPECT_EQ(other.consensusPerRow, one.consensusPerRow);
  }
}

/// Keys that no query sees may hold anything.
TEST(Reference, InvisibleKeysDoNotMatter) {
  Problem problem = parsed("views=1 d=4 dtype=f32 causal offset=arg");
  RandomOptions options;
  options.offset = 0;
  std::vector<HostTensor> inputs =
      randomInputs(problem, {1, 1, 1, 3, 6}, 2, options);
  Values before = evaluated(problem, inputs).o;
  for (int64_t i = 3 * 4; i < 6 * 4; ++i) {
    inputs[1].set(i, std::nan(""));
    inputs[2].set(i, HUGE_VAL);
  }
  EXPECT_EQ(evaluated(problem, inputs).o, before);
}
