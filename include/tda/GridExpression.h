//===- GridExpression.h - Integer formulas over lengths --------*- C++ -*-===//
//
// A manifest gives the grid and the workspace of a kernel as integer formulas
// of the run-time lengths, for example "ceildiv(Nq, 128) * Hq * B":
//
//   sum     := product (('+' | '-') product)*
//   product := operand (('*' | '/') operand)*
//   operand := integer | symbol | '(' sum ')' | function '(' sum ',' sum ')'
//   function: ceildiv, min, max          symbol: B, Hq, Hkv, Nq, Nk
//
// Values are signed 64 bit. '/' truncates toward zero, ceildiv rounds toward
// plus infinity; overflow and division by zero are errors, never wrap.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_GRIDEXPRESSION_H
#define TDA_GRIDEXPRESSION_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tda {

/// The run-time lengths of an attention.
enum class Length { B, Hq, Hkv, Nq, Nk };
constexpr int NumLengths = 5;

/// "B", "Hq", "Hkv", "Nq", "Nk".
const char *lengthName(Length length);
bool parseLength(std::string_view name, Length &length);

/// One value a length, indexed by `Length`.
using LengthValues = std::array<int64_t, NumLengths>;

/// A formula parsed once and evaluated often: evaluating allocates nothing.
class GridExpression {
public:
  /// The constant 0.
  GridExpression();

  /// Parses `text`; on failure returns false and `error` says where and why.
  static bool parse(std::string_view text, GridExpression &expression,
                    std::string &error);

  /// Evaluates for `lengths`; false with `error` on overflow or division by
  /// zero.
  bool evaluate(const LengthValues &lengths, int64_t &result,
                std::string &error) const;

  bool uses(Length length) const;

  /// The formula in C, as calls of `calc(op, a, b, bad)` on lengths `n[B]`,
  /// where op is one of + - * / c (ceildiv) < (min) > (max).
  std::string asCalls() const;

private:
  friend class GridExpressionParser;

  enum class Op : uint8_t {
    Push,
    Symbol,
    Add,
    Sub,
    Mul,
    Div,
    CeilDiv,
    Min,
    Max
  };
  /// One step of the postfix form; `value` is the constant or the length.
  struct Step {
    Op op;
    int64_t value;
  };
  static bool apply(Op op, int64_t a, int64_t b, int64_t &result,
                    std::string &error);

  std::vector<Step> steps;
};

} // namespace tda

#endif // TDA_GRIDEXPRESSION_H
