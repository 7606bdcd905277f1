//===- GridExpressionTest.cpp ---------------------------------------------===//
#include "tda/GridExpression.h"

#include <gtest/gtest.h>

using namespace tda;

namespace {

/// B = 2, Hq = 8, Hkv = 4, Nq = 1000, Nk = 3.
constexpr LengthValues Lengths = {2, 8, 4, 1000, 3};

int64_t valueOf(const std::string &text) {
  GridExpression expression;
  std::string error;
  int64_t value = -999;
  EXPECT_TRUE(GridExpression::parse(text, expression, error)) << error;
  EXPECT_TRUE(expression.evaluate(Lengths, value, error)) << error;
  return value;
}

std::string parseError(const std::string &text) {
  GridExpression expression;
  std::string error;
  EXPECT_FALSE(GridExpression::parse(text, expression, error)) << text;
  return error;
}

std::string evaluateError(const std::string &text) {
  GridExpression expression;
  std::string error;
  int64_t value;
  EXPECT_TRUE(GridExpression::parse(text, expression, error)) << error;
  EXPECT_FALSE(expression.evaluate(Lengths, value, error)) << text;
  return error;
}

TEST(GridExpression, Values) {
  EXPECT_EQ(valueOf("0"), 0);
  EXPECT_EQ(valueOf("ceildiv(Nq, 128) * Hq * B"), 8 * 8 * 2);
  EXPECT_EQ(valueOf("B+Hq*Hkv"), 34);
  EXPECT_EQ(valueOf("(B + Hq) * Hkv"), 40);
  EXPECT_EQ(valueOf("Nq - Hq - B"), 990); // From the left.
  EXPECT_EQ(valueOf("Nq / Hq / Nk"), 41);
  EXPECT_EQ(valueOf(" min( Nq , max(Nk, Hkv) ) "), 4);
  EXPECT_EQ(valueOf("9223372036854775807"), INT64_MAX);
}

TEST(GridExpression, Rounding) {
  EXPECT_EQ(valueOf("(0 - 7) / 2"), -3);
  EXPECT_EQ(valueOf("ceildiv(7, 2)"), 4);
  EXPECT_EQ(valueOf("ceildiv(8, 2)"), 4);
  EXPECT_EQ(valueOf("ceildiv(0 - 7, 2)"), -3);
  EXPECT_EQ(valueOf("ceildiv(0 - 7, 0 - 2)"), 4);
  EXPECT_EQ(valueOf("ceildiv(9223372036854775807, 2)"), 4611686018427387904);
}

TEST(GridExpression, Uses) {
  GridExpression expression;
  std::string error;
  ASSERT_TRUE(GridExpression::parse("Nq * 2", expression, error));
  EXPECT_TRUE(expression.uses(Length::Nq));
  EXPECT_FALSE(expression.uses(Length::Nk));
}

TEST(GridExpression, SyntaxErrorsNameThePlace) {
  EXPECT_EQ(parseError("Nq + * 2"),
            "expression 'Nq + * 2', column 6: expected an integer, a length, a "
            "function or '('");
  EXPECT_EQ(parseError("B * n"),
            "expression 'B * n', column 5: unknown name 'n'; known are B, Hq, "
            "Hkv, Nq, Nk, ceildiv, min, max");
  EXPECT_NE(parseError("").find("column 1"), std::string::npos);
  EXPECT_NE(parseError("B Hq").find("expected an operator"), std::string::npos);
  EXPECT_NE(parseError("(B").find("expected ')'"), std::string::npos);
  EXPECT_NE(parseError("min(B)").find("expected ','"), std::string::npos);
  EXPECT_NE(parseError("min B").find("expected '('"), std::string::npos);
  EXPECT_NE(parseError("1.5").find("expected an operator"), std::string::npos);
  EXPECT_NE(parseError("-1").find("expected an integer"), std::string::npos);
  EXPECT_NE(parseError("9223372036854775808").find("64 bits"),
            std::string::npos);
}

TEST(GridExpression, DepthIsBounded) {
  EXPECT_NE(parseError(std::string(100000, '(')).find("too deeply"),
            std::string::npos);
  std::string nested = "1";
  for (int i = 0; i < 50; ++i)
    nested = "1 + (" + nested + ")";
  EXPECT_NE(parseError(nested).find("too many operands"), std::string::npos);
}

TEST(GridExpression, ArithmeticErrors) {
  EXPECT_EQ(evaluateError("B / (Hq - 8)"), "division of 2 by zero");
  EXPECT_EQ(evaluateError("ceildiv(B, 0)"), "division of 2 by zero");
  for (const char *text :
       {"9223372036854775807 + 1", "0 - 9223372036854775807 - 2",
        "9223372036854775807 * 2", "(0 - 9223372036854775807 - 1) / (0 - 1)"})
    EXPECT_NE(evaluateError(text).find("64-bit overflow"), std::string::npos);
}

} // namespace
