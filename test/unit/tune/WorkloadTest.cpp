//===- WorkloadTest.cpp - Buckets, ranges, densities ----------------------===//
#include "TuneTestUtil.h"

using namespace tda;
using namespace tda::tune;

TEST(Workload, BucketsAreTheNearestPowerOfTwo) {
  EXPECT_EQ(bucketOf(0), 0);
  EXPECT_EQ(bucketOf(1), 1);
  EXPECT_EQ(bucketOf(2800), 2048);
  EXPECT_EQ(bucketOf(3000), 4096);
  EXPECT_EQ(bucketOf(4096), 4096);
  EXPECT_EQ(bucketOf(65536), 65536);
}

TEST(Workload, BatchesCountAsHeads) {
  host::Lengths bucket = bucketed({2, 12, 3, 5000, 5000});
  EXPECT_EQ(shapeText(bucket), "B=1,Hq=32,Hkv=8,Nq=4096,Nk=4096");
  EXPECT_EQ(shapeText(bucketed(bucket)), shapeText(bucket));
}

TEST(Workload, RangeBecomesBuckets) {
  std::vector<host::Lengths> shapes;
  std::string error;
  ASSERT_TRUE(parseShapes("B=1,H=16,N=2048:65536", shapes, error)) << error;
  ASSERT_EQ(shapes.size(), 6u);
  EXPECT_EQ(shapes.front().Nq, 2048);
  EXPECT_EQ(shapes.back().Nk, 65536);
  for (const host::Lengths &l : shapes)
    EXPECT_EQ(l.Nq, l.Nk);
}

TEST(Workload, BadShapesNameThePiece) {
  std::vector<host::Lengths> shapes;
  std::string error;
  for (auto [text, part] : std::vector<std::pair<const char *, const char *>>{
           {"B=1,H=16", "length N is missing"},
           {"B=1,H=16,N=", "'N='"},
           {"B=1,H=16,N=9:3", "FROM <= TO"},
           {"B=1,H=16,N=1,N=2", "given twice"},
           {"B=1,H=16,M=1", "'M=1'"},
           {"B=1,Hq=6,Hkv=4,N=8", "Hkv"}}) {
    EXPECT_FALSE(parseShapes(text, shapes, error)) << text;
    EXPECT_NE(error.find(part), std::string::npos) << text << ": " << error;
  }
}

TEST(Workload, ShapeTextReadsBack) {
  host::Lengths lengths{1, 8, 2, 100, 4096}, back;
  std::string error;
  ASSERT_TRUE(parseShape(shapeText(lengths), back, error)) << error;
  EXPECT_EQ(shapeText(back), shapeText(lengths));
  EXPECT_FALSE(parseShape("B=1,H=2,N=1:64", back, error));
}

TEST(Workload, DensityNames) {
  Density density;
  std::string error;
  ASSERT_TRUE(Density::parse("dense", density, error));
  EXPECT_EQ(density.name(), "dense");
  EXPECT_FALSE(Density::parse("sparse", density, error));
  EXPECT_NE(error.find("null, real, dense"), std::string::npos) << error;
  EXPECT_FALSE(Density::parse("missing.npy", density, error));
  EXPECT_NE(error.find("missing.npy"), std::string::npos) << error;
}
