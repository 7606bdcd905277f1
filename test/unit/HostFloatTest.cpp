//===- HostFloatTest.cpp - f32 to and from the 16-bit float types ---------===//

#include "tda/Host/HostFloat.h"
#include "tda/Host/HostTensor.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

using namespace tda;
using namespace tda::host;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

static float floatFromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

TEST(BF16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(floatToBF16(1.0f), 0x3f80);
  EXPECT_EQ(floatToBF16(floatFromBits(0x3f808000)), 0x3f80); // tie, even below
  EXPECT_EQ(floatToBF16(floatFromBits(0x3f818000)), 0x3f82); // tie, even above
  EXPECT_EQ(floatToBF16(floatFromBits(0x3f808001)), 0x3f81);
  EXPECT_EQ(floatToBF16(floatFromBits(0x3f807fff)), 0x3f80);
  EXPECT_EQ(floatToBF16(floatFromBits(0xbf818000)), 0xbf82);
  EXPECT_EQ(floatToBF16(floatFromBits(0x3fffffff)), 0x4000) << "carry";
}

TEST(BF16, Extremes) {
  EXPECT_EQ(floatToBF16(0.0f), 0x0000);
  EXPECT_EQ(floatToBF16(-0.0f), 0x8000);
  EXPECT_EQ(floatToBF16(kInfinity), 0x7f80);
  EXPECT_EQ(floatToBF16(-kInfinity), 0xff80);
  EXPECT_EQ(floatToBF16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(floatToBF16(floatFromBits(0x7f7f0000)), 0x7f7f);
  // Subnormals, down to half of the smallest, which is a tie to zero.
  EXPECT_EQ(floatToBF16(floatFromBits(0x00010000)), 0x0001);
  EXPECT_EQ(floatToBF16(floatFromBits(0x00008000)), 0x0000);
  EXPECT_EQ(floatToBF16(floatFromBits(0x00008001)), 0x0001);
  // A NaN whose payload lies in the dropped bits must not become infinity.
  EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBF16(floatFromBits(0x7f800001)))));
  EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBF16(floatFromBits(0xffffffff)))));
}

TEST(BF16, EveryPatternReadsBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = bf16ToFloat(bits);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBF16(value))));
    else
      ASSERT_EQ(floatToBF16(value), bits);
  }
}

TEST(F16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(floatToF16(1.0f), 0x3c00);
  EXPECT_EQ(floatToF16(1.0f + 0x1p-11f), 0x3c00);            // tie, even below
  EXPECT_EQ(floatToF16(1.0f + 3 * 0x1p-11f), 0x3c02);        // tie, even above
  EXPECT_EQ(floatToF16(1.0f + 0x1p-11f + 0x1p-23f), 0x3c01); // beyond the tie
  EXPECT_EQ(floatToF16(-1.0f - 3 * 0x1p-11f), 0xbc02);
  EXPECT_EQ(floatToF16(2.0f - 0x1p-23f), 0x4000) << "carry";
}

TEST(F16, Extremes) {
  EXPECT_EQ(floatToF16(-0.0f), 0x8000);
  EXPECT_EQ(floatToF16(65504.0f), 0x7bff);
  EXPECT_EQ(floatToF16(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(floatToF16(65520.0f), 0x7c00);
  EXPECT_EQ(floatToF16(-1e30f), 0xfc00);
  EXPECT_EQ(floatToF16(kInfinity), 0x7c00);
  EXPECT_TRUE(std::isnan(f16ToFloat(floatToF16(floatFromBits(0x7f800001)))));
  EXPECT_TRUE(std::isnan(f16ToFloat(floatToF16(floatFromBits(0xff800001)))));
}

TEST(F16, Subnormals) {
  EXPECT_EQ(floatToF16(0x1p-14f), 0x0400);
  EXPECT_EQ(floatToF16(std::nextafter(0x1p-14f, 0.0f)), 0x0400) << "carry";
  EXPECT_EQ(floatToF16(0x1p-24f), 0x0001);
  EXPECT_EQ(floatToF16(0x1p-25f), 0x0000) << "tie to zero";
  EXPECT_EQ(floatToF16(std::nextafter(0x1p-25f, 1.0f)), 0x0001);
  EXPECT_EQ(floatToF16(3 * 0x1p-25f), 0x0002) << "tie to even above";
  EXPECT_EQ(floatToF16(5 * 0x1p-25f), 0x0002) << "tie to even below";
  EXPECT_EQ(floatToF16(-3 * 0x1p-24f), 0x8003);
  EXPECT_EQ(floatToF16(0x1p-140f), 0x0000) << "an f32 subnormal";
}

TEST(F16, EveryPatternReadsBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = f16ToFloat(bits);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f16ToFloat(floatToF16(value))));
    else
      ASSERT_EQ(floatToF16(value), bits);
  }
}

/// Against the definition: of the two neighbours the nearer one.
TEST(F16, NearestOfNeighbours) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    double low = f16ToFloat(bits), high = f16ToFloat(bits + 1);
    ASSERT_LT(low, high);
    double middle = (low + high) / 2; // Exact, also as an f32.
    ASSERT_EQ(floatToF16(float(middle)), bits + (bits & 1));
    ASSERT_EQ(floatToF16(std::nextafter(float(middle), 0.0f)), bits);
    ASSERT_EQ(floatToF16(std::nextafter(float(middle), 1e9f)), bits + 1);
  }
}

TEST(HostTensor, ElementsOfEveryType) {
  for (DType type :
       {DType::F32, DType::BF16, DType::F16, DType::I32, DType::I64}) {
    HostTensor tensor =
        HostTensor::fromValues(type, {2, 3}, {0, 1, -2, 3, -4, 5});
    EXPECT_EQ(tensor.numElements(), 6);
    EXPECT_EQ(tensor.data.size(), 6 * dtypeSize(type));
    EXPECT_EQ(tensor.at(4), -4.0);
    EXPECT_EQ(tensor.toFloats(), (std::vector<float>{0, 1, -2, 3, -4, 5}));
    double middle[2];
    tensor.readDoubles(2, 2, middle);
    EXPECT_EQ(middle[0], -2.0);
    EXPECT_EQ(middle[1], 3.0);
  }
}

TEST(HostTensor, Sizes) {
  EXPECT_EQ(HostTensor::zeros(DType::F32, {}).numElements(), 1);
  EXPECT_EQ(HostTensor::zeros(DType::F32, {3, 0, 5}).numElements(), 0);
  int64_t count;
  EXPECT_FALSE(checkedNumElements({1LL << 32, 1LL << 31}, 2, count));
  EXPECT_FALSE(checkedNumElements({1LL << 32, 0, 1LL << 31}, 2, count));
  EXPECT_FALSE(checkedNumElements({2, -1}, 2, count));
  EXPECT_TRUE(checkedNumElements({1LL << 40, 0}, 8, count));
  EXPECT_EQ(count, 0);
  EXPECT_EQ(shapeText(std::vector<int64_t>{1, 20}), "[1, 20]");
}
