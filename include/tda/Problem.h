//===- Problem.h - What one attention computes, without MLIR ---*- C++ -*-===//
//
// The plain description of one Threshold Differential Attention (TDA): the
// choices that are fixed at compile time. It carries no run-time length. The
// compiler, the float64 reference, the runtime's tests and the tuner share it.
// The meaning of every field is docs/semantics.md.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_PROBLEM_H
#define TDA_PROBLEM_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace tda {

/// Element types that cross the boundary of a kernel.
enum class DType { F32, BF16, F16, I32, I64 };

/// "f32", "bf16", "f16", "i32", "i64".
const char *dtypeName(DType type);
bool parseDType(const std::string &name, DType &type);
/// Size of one element in bytes.
size_t dtypeSize(DType type);

/// Over what a run-time coefficient (beta, lambda) varies.
enum class Extent {
  Scalar, ///< one value: shape []
  Head,   ///< one a query head: shape [Hq]
  Token,  ///< one a batch, query head and query: shape [B, Hq, Nq]
};
const char *extentName(Extent extent); // "scalar", "head", "token"
bool parseExtent(const std::string &name, Extent &extent);

/// One attention problem; the compile-time part of docs/semantics.md.
struct Problem {
  int views = 2;                ///< 2: TDA, 1: TRA (no q2, k2, lambda).
  int64_t d = 0;                ///< Head dimension of q and k.
  int64_t dv = 0;               ///< Head dimension of v and o.
  DType dtype = DType::BF16;    ///< Of q, k, v, o: f32, bf16 or f16.
  bool causal = false;          ///< Key j visible where j <= i + offset.
  int64_t window = 0;           ///< > 0: also j > i + offset - window; 0: none.
  double power = 2.0;           ///< p >= 1.
  bool normalize = false;       ///< L2-normalise rows of q and k first.
  bool unit = false;            ///< Rows of q and k are unit vectors already.
  double kappa = 1.0;           ///< Used unless kappaOperand.
  bool kappaOperand = false;    ///< kappa is a run-time f32 scalar (shape []).
  bool offsetOperand = false;   ///< offset is a run-time i64; else Nk - Nq.
  Extent beta = Extent::Head;   ///< Scalar or Head.
  Extent lambda = Extent::Head; ///< Any; ignored when views == 1.
  bool norm = false;            ///< Epilogue RMSNorm with a gain operand [Dv].
  double eps = 1e-5;            ///< Of the epilogue norm.
  bool stats = false; ///< Also return survivors, i32 [views, B, Hq, Nq].

  /// Parses the shorthand of `tda-compile --attention`, for example
  /// "views=2 d=128 dv=128 dtype=bf16 causal power=2 normalize". `views` and
  /// `d` are required; dv = d, dtype = bf16, power = 2, kappa = 1 and
  /// beta = lambda = head unless given; `kappa=arg` and `offset=arg` make
  /// operands. An unknown, repeated or malformed word is an error that lists
  /// the known ones. Returns false and fills `error` on failure.
  static bool parse(const std::string &text, Problem &problem,
                    std::string &error);

  /// The shorthand that `parse` reads back to this problem; words in a fixed
  /// order, so that equal problems have equal text.
  std::string str() const;

  /// Empty when the values are legal; otherwise one sentence that says what
  /// is not (d = 0, power < 1 or NaN, kappa <= 0, ...).
  std::string check() const;
};

} // namespace tda

#endif // TDA_PROBLEM_H
