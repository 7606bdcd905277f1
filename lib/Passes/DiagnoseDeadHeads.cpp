//===- DiagnoseDeadHeads.cpp - Remark on heads whose gate reaches 1 -------===//
//
// With unit rows a score is at most 1, so the gate tau(n) kills every row with
//   max(0, beta) sqrt(2 ln(n / kappa) / D) >= 1,
//   that is n >= kappa exp(D / (2 beta^2)).
// That is a property of the constants, so it can be said before anything runs.
//
//===----------------------------------------------------------------------===//
#include "tda/Passes.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_DIAGNOSEDEADHEADS
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// The longest n(i) that can occur, where it is known.
std::optional<int64_t> longestRow(AttentionOp op) {
  std::optional<int64_t> longest;
  auto atMost = [&](int64_t n) {
    longest = longest ? std::min(*longest, n) : n;
  };
  int64_t keys = cast<RankedTensorType>(op.getK1().getType()).getDimSize(2);
  if (!ShapedType::isDynamic(keys))
    atMost(keys);
  if (op.getMaxLength())
    atMost(*op.getMaxLength());
  if (op.getCausal() && op.getWindow())
    atMost(*op.getWindow());
  return longest;
}

struct DiagnoseDeadHeads : tda::impl::DiagnoseDeadHeadsBase<DiagnoseDeadHeads> {
  using DiagnoseDeadHeadsBase::DiagnoseDeadHeadsBase;

  void runOnOperation() override {
    getOperation().walk([](AttentionOp op) {
      DenseFPElementsAttr beta;
      std::optional<int64_t> longest = longestRow(op);
      if (!(op.getNormalize() || op.getUnit()) || op.getKappaValue() ||
          !longest || !matchPattern(op.getBeta(), m_Constant(&beta)))
        return;
      double kappa = op.getKappa().convertToDouble();
      double d = op.getProblem().d;
      for (auto [head, value] : llvm::enumerate(beta.getValues<APFloat>())) {
        double b = value.convertToDouble();
        if (!(b > 0))
          continue;
        double dead =
            std::max(1.0, std::ceil(kappa * std::exp(d / (2 * b * b))));
        if (!(dead <= double(*longest)))
          continue;
        op.emitRemark("dead head: ")
            << (beta.isSplat() ? std::string("every head")
                               : "head " + std::to_string(head))
            << " with beta = " << b << " has its gate at 1 or above for rows "
            << "that see " << int64_t(dead) << " keys or more (up to "
            << *longest << " here): their output is all zero";
        if (beta.isSplat())
          break;
      }
    });
  }
};

} // namespace
