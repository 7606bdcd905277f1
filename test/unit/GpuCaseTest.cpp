//===- GpuCaseTest.cpp - The GPU tests, tested without a GPU --------------===//
//
// That the runs of a kernel cover what they should, and that a wrong result or
// a stray write is noticed. The fake driver keeps device memory on the host and
// runs no kernel, so the tests play the kernel themselves.
//
//===----------------------------------------------------------------------===//
#include "RunCase.h"

#include "tda/device.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <set>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

namespace {

Problem parsed(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  return problem;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

//===----------------------------------------------------------------------===//
// The runs of a kernel
//===----------------------------------------------------------------------===//

const char *const masks[] = {"views=2 d=64 causal", "views=2 d=64",
                             "views=2 d=64 causal window=100",
                             "views=2 d=64 causal offset=arg"};

TEST(GridCase, EveryKernelSeesLengthsHeadsAndLayouts) {
  size_t total = 0;
  std::set<int64_t> ratiosOf[10];
  const int64_t lengths[] = {1, 2, 63, 64, 65, 127, 129, 641, 1000, 4096};
  for (size_t kernel = 0; kernel < 64; ++kernel) {
    Problem problem = parsed(masks[kernel % 4]);
    std::vector<GridCase> cases = casesOf(problem, kernel);
    total += cases.size();
    std::set<int64_t> ratios;
    std::set<int> layouts;
    bool isUnequal = false;
    for (const GridCase &c : cases) {
      EXPECT_EQ(host::checkLengths(c.lengths), "");
      int64_t ratio = c.lengths.Hq / c.lengths.Hkv;
      ratios.insert(ratio);
      layouts.insert(c.layout);
      isUnequal |= c.lengths.Nq != c.lengths.Nk;
      EXPECT_EQ(c.random.offset.has_value(), problem.offsetOperand);
      for (size_t i = 0; i < 10; ++i)
        if (c.lengths.Nq == lengths[i] || c.lengths.Nk == lengths[i])
          ratiosOf[i].insert(ratio);
      if (c.longest() > 1000) {
        EXPECT_LE(c.lengths.B * c.lengths.Hq, 4);
      }
    }
    EXPECT_EQ(ratios, (std::set<int64_t>{1, 4}));
    EXPECT_EQ(layouts.size(), size_t(NumCallLayouts));
    EXPECT_TRUE(isUnequal);
  }
  for (const std::set<int64_t> &ratios : ratiosOf)
    EXPECT_EQ(ratios.size(), 2u);
  EXPECT_GE(total, 800u);
}

TEST(GridCase, OneHotScoresAreZeroOrOne) {
  for (const char *text : {"views=2 d=96 causal stats",
                           "views=1 d=64 dtype=f16 normalize stats"}) {
    Problem problem = parsed(text);
    for (const GridCase &c : casesOf(problem, 3)) {
      if (!c.oneHot)
        continue;
      std::vector<HostTensor> inputs = c.inputs(problem);
      host::Reference reference;
      std::string error;
      ASSERT_TRUE(
          host::evaluate(problem, host::pointersTo(inputs), reference, error))
          << error;
      // Queries meet a sixteenth of the keys; all others are at the gate.
      double visible = problem.causal ? 33 : 65;
      EXPECT_NEAR(reference.survivorsPerRow[0], visible / 16, visible / 32);
    }
  }
}

TEST(GridCase, BurstsMakeDenseAndEmptyTiles) {
  Problem problem = parsed("views=2 d=64 causal stats");
  host::Lengths lengths{1, 1, 1, 8, 2000};
  std::vector<HostTensor> inputs = plantedInputs(problem, lengths, 4);
  makeBursts(problem, 4, inputs);
  inputs[5].set(0, 0.7);
  for (int view = 0; view < 2; ++view) {
    // Runs of 64 keys by how many survive for the last query.
    const HostTensor &q = inputs[2 * view], &k = inputs[2 * view + 1];
    double tau = 0.7 * std::sqrt(2 * std::log(2000.0) / 64);
    int dense = 0, sparse = 0;
    for (int64_t first = 0; first + 64 <= 2000; first += 64) {
      int live = 0;
      for (int64_t j = first; j < first + 64; ++j) {
        double score = 0;
        for (int64_t c = 0; c < 64; ++c)
          score += q.at(7 * 64 + c) * k.at(j * 64 + c);
        live += score > tau;
      }
      dense += live >= 48;
      sparse += live <= 6;
    }
    EXPECT_GE(dense, 4) << "view " << view;
    EXPECT_GE(sparse, 4) << "view " << view;
  }
}

TEST(GridCase, HugeValuesMeetNoWeight) {
  for (const char *text :
       {"views=2 d=64 causal stats", "views=2 d=16 normalize",
        "views=1 d=96 dv=64 dtype=f16 normalize window=100"}) {
    Problem problem = parsed(text);
    size_t huge = 0;
    for (size_t kernel = 0; kernel < 6; ++kernel) // each density
      for (const GridCase &c : casesOf(problem, kernel)) {
        if (!c.huge)
          continue;
        std::vector<HostTensor> inputs = c.inputs(problem);
        host::Reference reference, without;
        std::string error;
        ASSERT_TRUE(
            host::evaluate(problem, host::pointersTo(inputs), reference, error))
            << error;
        double largest = problem.dtype == DType::F16 ? 65504 : 0x1.fep127;
        HostTensor &v = inputs[2 * problem.views];
        int64_t count = 0;
        for (int64_t i = 0; i < v.numElements(); ++i)
          if (std::abs(v.at(i)) == largest) {
            v.set(i, 0.0);
            ++count;
          }
        EXPECT_GE(count * 4, v.numElements());
        ASSERT_TRUE(
            host::evaluate(problem, host::pointersTo(inputs), without, error))
            << error;
        EXPECT_EQ(reference.o, without.o);
        for (int i = 0; i < 2 * problem.views; ++i)
          for (int64_t j = 0; j < inputs[i].numElements(); ++j)
            ASSERT_TRUE(std::isfinite(inputs[i].at(j)));
        ++huge;
      }
    EXPECT_EQ(huge, 6u);
  }
}

//===----------------------------------------------------------------------===//
// What is noticed
//===----------------------------------------------------------------------===//

class OnFakeDevice : public testing::Test {
protected:
  OnFakeDevice() {
    setenv("TDA_LIBCUDA", TDA_FAKE_CUDA, 1);
    EXPECT_EQ(tda_device_use(0), TDA_OK) << tda_last_error();
    wanted.name = "x";
    wanted.strideMultiple = 8;
    wanted.alignment = 16;
  }

  void create(Layout layout) {
    std::vector<double> values(2 * 3 * 5 * 16);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = double(i % 251);
    value = HostTensor::fromValues(DType::BF16, {2, 3, 5, 16}, values);
    std::string error;
    ASSERT_TRUE(tensor.create(wanted, value, layout, 64, error)) << error;
  }

  uint8_t *data() { return static_cast<uint8_t *>(tensor.argument().data); }

  std::string whyNotCollected() {
    HostTensor seen;
    std::string error;
    return tensor.collect(seen, error) ? "" : error;
  }

  ManifestArgument wanted;
  HostTensor value;
  DeviceTensor tensor;
};

TEST_F(OnFakeDevice, LayoutsKeepTheElements) {
  const std::vector<int64_t> strides[] = {
      {240, 80, 16, 1}, {240, 16, 48, 1}, {360, 120, 24, 1}};
  for (int i = 0; i < NumLayouts; ++i) {
    tensor = DeviceTensor();
    create(static_cast<Layout>(i));
    tda_argument argument = tensor.argument();
    EXPECT_EQ(std::vector<int64_t>(argument.strides, argument.strides + 4),
              strides[i]);
    HostTensor seen;
    std::string error;
    ASSERT_TRUE(tensor.collect(seen, error)) << error;
    EXPECT_EQ(seen.data, value.data);
    // The last element, where the strides say it is.
    uint16_t last;
    int64_t at = strides[i][0] + 2 * strides[i][1] + 4 * strides[i][2] + 15;
    std::memcpy(&last, data() + 2 * at, 2);
    EXPECT_EQ(0, std::memcmp(&last, &value.data[value.data.size() - 2], 2));
  }
}

TEST_F(OnFakeDevice, WritesToInputsAreNoticed) {
  create(Layout::Contiguous);
  data()[6] ^= 1;
  EXPECT_EQ(whyNotCollected(),
            "input 'x' was written at byte 6 from its first element");
}

TEST_F(OnFakeDevice, WritesBesideOutputsAreNoticed) {
  wanted.output = true;
  create(Layout::Padded);
  EXPECT_EQ(data()[0], 0xff) << "poisoned with NaN";
  data()[0] = 0; // Its own element.
  EXPECT_EQ(whyNotCollected(), "");
  data()[16 * 2] = 0; // The gap after the first row.
  EXPECT_EQ(whyNotCollected(),
            "memory around output 'x' was written at byte 32 from its first "
            "element");
  std::string error;
  EXPECT_TRUE(tensor.restore(error)) << error;
  data()[-1] = 0;
  EXPECT_TRUE(contains(whyNotCollected(), "at byte -1 "));
}

TEST_F(OnFakeDevice, AxesOfOneElementHaveAnyStride) {
  value = HostTensor::zeros(DType::BF16, {1, 3, 1, 16});
  std::string error;
  ASSERT_TRUE(tensor.create(wanted, value, Layout::Padded, 64, error)) << error;
  tda_argument argument = tensor.argument();
  EXPECT_EQ(std::vector<int64_t>(argument.strides, argument.strides + 4),
            (std::vector<int64_t>{3, 24, 3, 1}));
}

TEST_F(OnFakeDevice, AnotherValueTakesThePlaceOfTheFirst) {
  create(Layout::Padded);
  uint8_t *before = data();
  for (int64_t i = 0; i < value.numElements(); ++i)
    value.set(i, 7);
  HostTensor seen;
  std::string error;
  ASSERT_TRUE(tensor.assign(value, error)) << error;
  EXPECT_EQ(data(), before);
  ASSERT_TRUE(tensor.collect(seen, error)) << error;
  EXPECT_EQ(seen.data, value.data);
}

TEST_F(OnFakeDevice, WritesBesideTheWorkspaceAreNoticed) {
  DeviceWorkspace workspace;
  std::string error;
  EXPECT_EQ(workspace.data(), nullptr);
  EXPECT_TRUE(workspace.check(error) && workspace.poison(error)) << error;
  ASSERT_TRUE(workspace.reserve(1000, error)) << error;
  auto *bytes = static_cast<uint8_t *>(workspace.data());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 256, 0u);
  EXPECT_EQ(bytes[0], 0xff) << "poisoned with NaN";
  EXPECT_EQ(bytes[999], 0xff);
  bytes[0] = bytes[999] = 0; // Its own.
  EXPECT_TRUE(workspace.check(error)) << error;
  for (int64_t at : {-1, 1000}) {
    uint8_t was = bytes[at];
    bytes[at] = 0;
    EXPECT_FALSE(workspace.check(error));
    EXPECT_TRUE(contains(error, "workspace of 1000 bytes was written at byte " +
                                    std::to_string(at) + " "))
        << error;
    bytes[at] = was;
  }
  EXPECT_TRUE(workspace.poison(error) && workspace.check(error)) << error;
  EXPECT_EQ(bytes[0], 0xff);
}

TEST(WhyWrong, NamesWhatIsWrong) {
  Problem problem = parsed("views=1 d=32 dv=64 causal stats");
  host::Lengths lengths{1, 2, 1, 20, 20};
  host::RandomOptions options;
  options.planted = 0.5;
  options.dead = 0.3;
  options.beta = 0.9;
  std::vector<HostTensor> inputs =
      host::randomInputs(problem, lengths, 1, options);
  host::Reference reference;
  std::string error;
  ASSERT_TRUE(
      host::evaluate(problem, host::pointersTo(inputs), reference, error));
  std::vector<HostTensor> right = {
      HostTensor::fromValues(DType::BF16, {1, 2, 20, 64}, reference.o),
      HostTensor::zeros(DType::I32, {1, 1, 2, 20})};
  for (size_t i = 0; i < reference.survivors.size(); ++i)
    right[1].set(i, reference.survivors[i]);
  auto why = [&](const std::vector<HostTensor> &outputs, bool exact = false) {
    CaseResult result;
    return whyWrong(problem, outputs, reference, exact, result);
  };
  EXPECT_EQ(why(right, true), "");

  std::vector<HostTensor> outputs = right;
  outputs[0].set(64 * 3 + 5, std::nan(""));
  EXPECT_TRUE(contains(why(outputs), "o[0, 0, 3, 5] is nan")) << why(outputs);

  outputs = right;
  int64_t live = 0, dead = 0;
  while (reference.dead[live])
    ++live;
  while (!reference.dead[dead])
    ++dead;
  for (int64_t c = 0; c < 64; ++c)
    outputs[0].set(64 * live + c, 0.0);
  EXPECT_TRUE(contains(why(outputs), "relative error")) << why(outputs);

  outputs = right;
  outputs[0].set(64 * dead, 1e-6);
  EXPECT_TRUE(contains(why(outputs), "1 dead rows of o")) << why(outputs);

  outputs = right;
  outputs[1].set(live, reference.survivors[live] + 1);
  EXPECT_EQ(why(outputs), "");
  EXPECT_TRUE(contains(why(outputs, true), "survivors differ by 1 of"));
  EXPECT_TRUE(contains(whyDifferent(outputs, right), "survivors[0, 0, 0, "));
  EXPECT_EQ(whyDifferent(right, right), "");
}

} // namespace
