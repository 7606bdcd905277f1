//===- MatchStages.h - The stages that make one attention ------*- C++ -*-===//
//
// What tda-fuse-attention found when it followed a tda.aggregate back to its
// tda.scores, or the reason why those stages are not one tda.attention.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_STAGESTOATTENTION_MATCHSTAGES_H
#define TDA_STAGESTOATTENTION_MATCHSTAGES_H

#include "dialects/tda/Dialect.h"

#include "mlir/IR/Dominance.h"

#include <string>

namespace tda {

/// One chain scores -> threshold.
struct StageView {
  ScoresOp scores;
  ThresholdOp threshold;
};

/// The factor of the inhibitory view, as it was spelled: one of the three.
struct StageLambda {
  mlir::Value tensor;                  ///< f32 [], [Hq] or [B, Hq, Nq].
  mlir::Value scalar;                  ///< f32.
  std::optional<llvm::APFloat> number; ///< A constant.
  bool negated = false;                ///< a1 + x a2: lambda is -x.
};

struct StageMatch {
  AggregateOp aggregate;
  RmsNormOp norm; ///< Null where nothing normalises the output.
  llvm::SmallVector<CountSurvivorsOp, 1> counts;
  llvm::SmallVector<StageView, 2> views;
  StageLambda lambda; ///< Of two views.
  bool normalize = false;
  /// The ops that attention replaces, each before the ops that it reads.
  llvm::SmallVector<mlir::Operation *> stages;

  mlir::Operation *last() {
    return norm ? norm.getOperation() : aggregate.getOperation();
  }
};

/// Matches `op` as a1 - lambda a2, and notes lambda and the ops of the
/// difference. False where it is none, or lambda varies along the keys.
bool matchDifference(mlir::Operation *op, StageMatch &match, mlir::Value &a1,
                     mlir::Value &a2);

/// Matches the stages that end in `aggregate`. False, with the `reason`, where
/// they mean something that tda.attention does not, or are needed by others.
/// Types and shapes are left to the verifier of tda.attention.
bool matchStages(AggregateOp aggregate, mlir::DominanceInfo &dominance,
                 StageMatch &match, std::string &reason);

} // namespace tda

#endif // TDA_STAGESTOATTENTION_MATCHSTAGES_H
