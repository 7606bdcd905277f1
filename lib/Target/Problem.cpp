//===- Problem.cpp - The shorthand of an attention problem ----------------===//

#include "tda/Problem.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

namespace tda {

//===----------------------------------------------------------------------===//
// Names of types and extents
//===----------------------------------------------------------------------===//

static constexpr std::pair<DType, const char *> kDTypes[] = {
    {DType::F32, "f32"}, {DType::BF16, "bf16"}, {DType::F16, "f16"},
    {DType::I32, "i32"}, {DType::I64, "i64"},
};

static constexpr std::pair<Extent, const char *> kExtents[] = {
    {Extent::Scalar, "scalar"},
    {Extent::Head, "head"},
    {Extent::Token, "token"},
};

template <typename Table, typename Value>
static const char *nameOf(const Table &table, Value value) {
  for (const auto &[candidate, name] : table)
    if (candidate == value)
      return name;
  return "?";
}

template <typename Table, typename Value>
static bool valueOf(const Table &table, std::string_view name, Value &value) {
  for (const auto &[candidate, text] : table) {
    if (name == text) {
      value = candidate;
      return true;
    }
  }
  return false;
}

const char *dtypeName(DType type) { return nameOf(kDTypes, type); }

bool parseDType(const std::string &name, DType &type) {
  return valueOf(kDTypes, name, type);
}

size_t dtypeSize(DType type) {
  switch (type) {
  case DType::BF16:
  case DType::F16:
    return 2;
  case DType::F32:
  case DType::I32:
    return 4;
  case DType::I64:
    return 8;
  }
  return 0;
}

const char *extentName(Extent extent) { return nameOf(kExtents, extent); }

bool parseExtent(const std::string &name, Extent &extent) {
  return valueOf(kExtents, name, extent);
}

//===----------------------------------------------------------------------===//
// The shorthand
//===----------------------------------------------------------------------===//

namespace {

/// Reads the value of one word into the problem; returns what it should have
/// been ("a whole number, ...") when it cannot, else nullptr.
using ReadValue = const char *(*)(std::string_view value, Problem &problem);

/// One word of the shorthand: a flag where `read` takes no value.
struct Word {
  const char *name;
  const char *form; ///< As the list of known words shows it.
  bool takesValue;
  ReadValue read;
};

} // namespace

/// The whole of `text` as one number: no sign '+', no spaces, no rest.
template <typename Number>
static bool readNumber(std::string_view text, Number &number) {
  const char *end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, number);
  return code == std::errc() && stop == end;
}

static const char *readReal(std::string_view text, double &number) {
  if (readNumber(text, number) && std::isfinite(number))
    return nullptr;
  return "a finite decimal number";
}

static const char *readWhole(std::string_view text, int64_t &number) {
  return readNumber(text, number) ? nullptr : "a whole number";
}

static constexpr Word kWords[] = {
    {"views", "views=1|2", true,
     [](std::string_view value, Problem &problem) -> const char * {
       if (value != "1" && value != "2")
         return "1 (rectified) or 2 (differential)";
       problem.views = value[0] - '0';
       return nullptr;
     }},
    {"d", "d=N", true,
     [](std::string_view value, Problem &problem) {
       return readWhole(value, problem.d);
     }},
    {"dv", "dv=N", true,
     [](std::string_view value, Problem &problem) {
       return readWhole(value, problem.dv);
     }},
    {"dtype", "dtype=f32|bf16|f16", true,
     [](std::string_view value, Problem &problem) -> const char * {
       bool known = parseDType(std::string(value), problem.dtype) &&
                    problem.dtype != DType::I32 && problem.dtype != DType::I64;
       return known ? nullptr : "f32, bf16 or f16";
     }},
    {"causal", "causal", false,
     [](std::string_view, Problem &problem) -> const char * {
       problem.causal = true;
       return nullptr;
     }},
    {"window", "window=W", true,
     [](std::string_view value, Problem &problem) -> const char * {
       if (readWhole(value, problem.window) || problem.window < 1)
         return "a whole number of keys, at least 1 (leave the word out for "
                "no window)";
       return nullptr;
     }},
    {"power", "power=P", true,
     [](std::string_view value, Problem &problem) {
       return readReal(value, problem.power);
     }},
    {"normalize", "normalize", false,
     [](std::string_view, Problem &problem) -> const char * {
       problem.normalize = true;
       return nullptr;
     }},
    {"unit", "unit", false,
     [](std::string_view, Problem &problem) -> const char * {
       problem.unit = true;
       return nullptr;
     }},
    {"kappa", "kappa=X|arg", true,
     [](std::string_view value, Problem &problem) -> const char * {
       problem.kappaOperand = value == "arg";
       if (problem.kappaOperand || !readReal(value, problem.kappa))
         return nullptr;
       return "a finite decimal number, or 'arg' for an operand";
     }},
    {"offset", "offset=arg", true,
     [](std::string_view value, Problem &problem) -> const char * {
       problem.offsetOperand = value == "arg";
       return problem.offsetOperand ? nullptr
                                    : "'arg' (leave the word out for Nk - Nq)";
     }},
    {"beta", "beta=scalar|head", true,
     [](std::string_view value, Problem &problem) -> const char * {
       bool known = valueOf(kExtents, value, problem.beta) &&
                    problem.beta != Extent::Token;
       return known ? nullptr : "scalar or head";
     }},
    {"lambda", "lambda=scalar|head|token", true,
     [](std::string_view value, Problem &problem) -> const char * {
       return valueOf(kExtents, value, problem.lambda)
                  ? nullptr
                  : "scalar, head or token";
     }},
    {"norm", "norm", false,
     [](std::string_view, Problem &problem) -> const char * {
       problem.norm = true;
       return nullptr;
     }},
    {"eps", "eps=X", true,
     [](std::string_view value, Problem &problem) {
       return readReal(value, problem.eps);
     }},
    {"stats", "stats", false,
     [](std::string_view, Problem &problem) -> const char * {
       problem.stats = true;
       return nullptr;
     }},
};

static std::string knownWords() {
  std::string list = "known words:";
  for (const Word &word : kWords)
    list += fmt::format(" {}", word.form);
  return list;
}

/// Reads one word; fills `error` (without the list of known words).
static bool readWord(std::string_view text, std::set<std::string_view> &seen,
                     Problem &problem, std::string &error) {
  size_t equals = text.find('=');
  bool hasValue = equals != std::string_view::npos;
  std::string_view name = text.substr(0, equals);
  std::string_view value = hasValue ? text.substr(equals + 1) : "";

  for (const Word &word : kWords) {
    if (name != word.name)
      continue;
    if (!seen.insert(word.name).second)
      error = fmt::format("'{}' is given twice", name);
    else if (hasValue && !word.takesValue)
      error = fmt::format("'{}' takes no value: '{}'", name, text);
    else if (!hasValue && word.takesValue)
      error = fmt::format("'{}' needs a value: {}", name, word.form);
    else if (const char *expected = word.read(value, problem))
      error = fmt::format("'{}': {} must be {}", text, name, expected);
    return error.empty();
  }
  error = fmt::format("unknown word '{}'", text);
  return false;
}

bool Problem::parse(const std::string &text, Problem &problem,
                    std::string &error) {
  Problem result;
  std::set<std::string_view> seen;
  error.clear();

  constexpr std::string_view spaces = " \t\r\n\f\v";
  std::string_view rest = text;
  while (error.empty()) {
    size_t begin = rest.find_first_not_of(spaces);
    if (begin == std::string_view::npos)
      break;
    rest.remove_prefix(begin);
    std::string_view word = rest.substr(0, rest.find_first_of(spaces));
    rest.remove_prefix(word.size());
    readWord(word, seen, result, error);
  }

  if (error.empty()) {
    if (!seen.count("views") || !seen.count("d"))
      error = fmt::format("'{}' is missing",
                          seen.count("views") ? "d=N" : "views=1|2");
    else if (seen.count("lambda") && result.views == 1)
      error = "'lambda' has no meaning with views=1: there is no second view";
    else if (seen.count("eps") && !result.norm)
      error = "'eps' is the epilogue norm's: add 'norm', or leave it out";
  }
  if (!error.empty()) {
    error = fmt::format("attention \"{}\": {}; {}", text, error, knownWords());
    return false;
  }

  if (!seen.count("dv"))
    result.dv = result.d;
  std::string illegal = result.check();
  if (!illegal.empty()) {
    error = fmt::format("attention \"{}\": {}", text, illegal);
    return false;
  }
  problem = result;
  return true;
}

std::string Problem::str() const {
  std::string text = fmt::format("views={} d={} dv={} dtype={}", views, d, dv,
                                 dtypeName(dtype));
  auto add = [&text](const std::string &word) { text += " " + word; };
  const Problem defaults;
  if (causal)
    add("causal");
  if (window > 0)
    add(fmt::format("window={}", window));
  add(fmt::format("power={}", power));
  if (normalize)
    add("normalize");
  if (unit)
    add("unit");
  if (kappaOperand)
    add("kappa=arg");
  else if (kappa != defaults.kappa)
    add(fmt::format("kappa={}", kappa));
  if (offsetOperand)
    add("offset=arg");
  if (beta != defaults.beta)
    add(fmt::format("beta={}", extentName(beta)));
  if (views == 2 && lambda != defaults.lambda)
    add(fmt::format("lambda={}", extentName(lambda)));
  if (norm)
    add("norm");
  if (norm && eps != defaults.eps)
    add(fmt::format("eps={}", eps));
  if (stats)
    add("stats");
  return text;
}

//===----------------------------------------------------------------------===//
// Legality
//===----------------------------------------------------------------------===//

/// Constants reach the kernels as f32: they must be positive there too.
static bool isPositiveF32(double value) {
  return value >= std::numeric_limits<float>::min() &&
         value <= std::numeric_limits<float>::max();
}

std::string Problem::check() const {
  constexpr int64_t maxDim = 1 << 16;
  constexpr int64_t maxWindow = std::numeric_limits<int32_t>::max();
  if (views != 1 && views != 2)
    return fmt::format("views = {}, but must be 1 or 2", views);
  if (d < 1 || d > maxDim)
    return fmt::format("d = {}, but the head dimension must be from 1 to {}", d,
                       maxDim);
  if (dv < 1 || dv > maxDim)
    return fmt::format(
        "dv = {}, but the head dimension of v must be from 1 to {}", dv,
        maxDim);
  if (dtype != DType::F32 && dtype != DType::BF16 && dtype != DType::F16)
    return fmt::format("dtype = {}, but must be f32, bf16 or f16",
                       dtypeName(dtype));
  if (window < 0 || window > maxWindow)
    return fmt::format(
        "window = {}, but must be from 1 to {} keys, or 0 for none", window,
        maxWindow);
  if (!(power >= 1.0 && power <= std::numeric_limits<float>::max()))
    return fmt::format("power = {}, but must be a finite number >= 1", power);
  if (normalize && unit)
    return "'unit' says that rows are unit vectors, 'normalize' makes them so: "
           "leave one of them out";
  if (!kappaOperand && !isPositiveF32(kappa))
    return fmt::format("kappa = {}, but must be > 0 and finite as an f32",
                       kappa);
  if (beta == Extent::Token)
    return "beta = token, but must be scalar or head";
  if (norm && !isPositiveF32(eps))
    return fmt::format("eps = {}, but must be > 0 and finite as an f32", eps);
  return "";
}

} // namespace tda
