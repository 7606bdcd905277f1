//===- VerifyForm.cpp - What may no longer exist at this point ------------===//
//
// Runs between the stages of a pipeline. A pass that is handed the wrong form
// then says which pass is missing, instead of failing on some later op.
//
//===----------------------------------------------------------------------===//
#include "tda/Passes.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_VERIFYFORM
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

enum Form { Fused, Scheduled, Tiles, Lowered };

std::optional<Form> parseForm(StringRef name) {
  return llvm::StringSwitch<std::optional<Form>>(name)
      .Case("fused", Fused)
      .Case("scheduled", Scheduled)
      .Case("tiles", Tiles)
      .Case("lowered", Lowered)
      .Default(std::nullopt);
}

bool isStage(Operation *op) {
  return isa<NormalizeOp, ScoresOp, ThresholdOp, DifferentialOp, AggregateOp,
             RmsNormOp, CountSurvivorsOp>(op);
}

/// The pass that should have run before `form`; empty when `op` may be there.
StringRef missingPass(Operation *op, Form form) {
  if (!isa_and_nonnull<TdaDialect>(op->getDialect()))
    return "";
  if (isStage(op))
    return "tda-fuse-attention";
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    if (form >= Tiles)
      return "tda-attention-to-tiles";
    bool assigned = attention.getSchedule() && attention.getTarget();
    return form == Scheduled && !assigned ? "tda-assign-schedule" : "";
  }
  return form == Lowered ? "tda-tiles-to-nvvm or tda-tiles-to-cpu" : "";
}

struct VerifyForm : tda::impl::VerifyFormBase<VerifyForm> {
  using VerifyFormBase::VerifyFormBase;

  void runOnOperation() override {
    std::optional<Form> wanted = parseForm(form);
    if (!wanted) {
      getOperation()->emitError("tda-verify-form: unknown form '")
          << form << "'; known: fused, scheduled, tiles, lowered";
      return signalPassFailure();
    }
    WalkResult result = getOperation()->walk([&](Operation *op) {
      StringRef missing = missingPass(op, *wanted);
      if (missing.empty())
        return WalkResult::advance();
      InFlightDiagnostic diag = op->emitError()
                                << "'" << op->getName()
                                << "' may not exist in the form '" << form
                                << "'; " << missing << " has to run before";
      if (isStage(op))
        diag << " and to fuse it (its remarks say why it could not)";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
