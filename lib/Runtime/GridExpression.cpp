//===- GridExpression.cpp - Integer formulas over lengths -----------------===//
//
// A recursive-descent parser to postfix steps, and their evaluation on a stack
// of fixed depth.
//
//===----------------------------------------------------------------------===//
#include "tda/GridExpression.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace tda {

/// Operands that wait at once while evaluating; parsing refuses more.
static constexpr int MaxStack = 32;
/// Parentheses and calls inside each other.
static constexpr int MaxNesting = 64;

static constexpr const char *LengthNames[NumLengths] = {"B", "Hq", "Hkv", "Nq",
                                                        "Nk"};

const char *lengthName(Length length) {
  return LengthNames[static_cast<int>(length)];
}

bool parseLength(std::string_view name, Length &length) {
  for (int i = 0; i < NumLengths; ++i) {
    if (name == LengthNames[i]) {
      length = static_cast<Length>(i);
      return true;
    }
  }
  return false;
}

/// Parses one text; the first error sticks and ends the descent.
class GridExpressionParser {
  using Op = GridExpression::Op;

public:
  GridExpressionParser(std::string_view text) : text(text) {}

  bool run(GridExpression &expression, std::string &error) {
    expression.steps.clear();
    steps = &expression.steps;
    if (parseSum() && peek() != '\0')
      fail("expected an operator or the end");
    if (!message.empty())
      error = fmt::format("expression '{}', column {}: {}", text, position + 1,
                          message);
    return message.empty();
  }

private:
  bool fail(std::string why) {
    if (message.empty())
      message = std::move(why);
    return false;
  }

  /// The next character that is not a blank; NUL at the end.
  char peek() {
    while (position < text.size() && text[position] == ' ')
      ++position;
    return position < text.size() ? text[position] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted)
      return false;
    ++position;
    return true;
  }

  bool expect(char wanted) {
    return accept(wanted) || fail(fmt::format("expected '{}'", wanted));
  }

  bool push(Op op, int64_t value) {
    steps->push_back({op, value});
    return ++depth <= MaxStack || fail("too many operands wait at once");
  }

  void combine(Op op) {
    steps->push_back({op, 0});
    --depth;
  }

  bool parseSum() {
    if (!parseProduct())
      return false;
    while (peek() == '+' || peek() == '-') {
      Op op = text[position++] == '+' ? Op::Add : Op::Sub;
      if (!parseProduct())
        return false;
      combine(op);
    }
    return true;
  }

  bool parseProduct() {
    if (!parseOperand())
      return false;
    while (peek() == '*' || peek() == '/') {
      Op op = text[position++] == '*' ? Op::Mul : Op::Div;
      if (!parseOperand())
        return false;
      combine(op);
    }
    return true;
  }

  bool parseOperand() {
    unsigned char next = peek();
    if (std::isdigit(next))
      return parseInteger();
    if (std::isalpha(next))
      return parseName();
    if (accept('('))
      return parseNested() && expect(')');
    return fail("expected an integer, a length, a function or '('");
  }

  bool parseInteger() {
    int64_t value = 0;
    while (position < text.size() &&
           std::isdigit(static_cast<unsigned char>(text[position]))) {
      if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
          __builtin_add_overflow(value, int64_t{text[position] - '0'}, &value))
        return fail("integer does not fit 64 bits");
      ++position;
    }
    return push(Op::Push, value);
  }

  bool parseName() {
    size_t start = position;
    while (position < text.size() &&
           std::isalnum(static_cast<unsigned char>(text[position])))
      ++position;
    std::string_view name = text.substr(start, position - start);
    Length length;
    if (parseLength(name, length))
      return push(Op::Symbol, static_cast<int>(length));
    Op op;
    if (name == "ceildiv")
      op = Op::CeilDiv;
    else if (name == "min")
      op = Op::Min;
    else if (name == "max")
      op = Op::Max;
    else {
      position = start;
      return fail(fmt::format("unknown name '{}'; known are B, Hq, Hkv, Nq, "
                              "Nk, ceildiv, min, max",
                              name));
    }
    if (!expect('(') || !parseNested() || !expect(',') || !parseNested() ||
        !expect(')'))
      return false;
    combine(op);
    return true;
  }

  bool parseNested() {
    if (++nesting > MaxNesting)
      return fail("nested too deeply");
    bool parsed = parseSum();
    --nesting;
    return parsed;
  }

  std::string_view text;
  size_t position = 0;
  std::vector<GridExpression::Step> *steps = nullptr;
  int depth = 0;
  int nesting = 0;
  std::string message;
};

GridExpression::GridExpression() : steps{{Op::Push, 0}} {}

bool GridExpression::parse(std::string_view text, GridExpression &expression,
                           std::string &error) {
  GridExpression parsed;
  if (!GridExpressionParser(text).run(parsed, error))
    return false;
  expression = std::move(parsed);
  return true;
}

bool GridExpression::apply(Op op, int64_t a, int64_t b, int64_t &result,
                           std::string &error) {
  bool overflow = false;
  switch (op) {
  case Op::Add:
    overflow = __builtin_add_overflow(a, b, &result);
    break;
  case Op::Sub:
    overflow = __builtin_sub_overflow(a, b, &result);
    break;
  case Op::Mul:
    overflow = __builtin_mul_overflow(a, b, &result);
    break;
  case Op::Div:
  case Op::CeilDiv:
    if (b == 0) {
      error = fmt::format("division of {} by zero", a);
      return false;
    }
    overflow = a == INT64_MIN && b == -1;
    if (overflow)
      break;
    result = a / b;
    // Truncation rounded down where the exact quotient is positive.
    if (op == Op::CeilDiv && a % b != 0 && (a < 0) == (b < 0))
      ++result;
    break;
  case Op::Min:
    result = std::min(a, b);
    break;
  case Op::Max:
    result = std::max(a, b);
    break;
  case Op::Push:
  case Op::Symbol:
    break;
  }
  if (overflow)
    error = fmt::format("64-bit overflow with the operands {} and {}", a, b);
  return !overflow;
}

bool GridExpression::evaluate(const LengthValues &lengths, int64_t &result,
                              std::string &error) const {
  int64_t stack[MaxStack];
  int top = 0;
  for (const Step &step : steps) {
    if (step.op == Op::Push) {
      stack[top++] = step.value;
    } else if (step.op == Op::Symbol) {
      stack[top++] = lengths[step.value];
    } else {
      --top;
      if (!apply(step.op, stack[top - 1], stack[top], stack[top - 1], error))
        return false;
    }
  }
  result = stack[0];
  return true;
}

std::string GridExpression::asCalls() const {
  constexpr char Names[] = "  +-*/c<>"; // By Op.
  std::vector<std::string> stack;
  for (const Step &step : steps) {
    if (step.op == Op::Push) {
      stack.push_back(fmt::format("INT64_C({})", step.value));
    } else if (step.op == Op::Symbol) {
      stack.push_back(fmt::format("n[{}]", LengthNames[step.value]));
    } else {
      std::string right = std::move(stack.back());
      stack.pop_back();
      stack.back() =
          fmt::format("calc('{}', {}, {}, bad)",
                      Names[static_cast<int>(step.op)], stack.back(), right);
    }
  }
  return stack.back();
}

bool GridExpression::uses(Length length) const {
  return std::any_of(steps.begin(), steps.end(), [&](const Step &step) {
    return step.op == Op::Symbol && step.value == static_cast<int>(length);
  });
}

} // namespace tda
