//===- AssignSchedule.cpp - Give tda.attention a target and a schedule ----===//
//
// The only pass that writes #tda.schedule; every later one only reads it. What
// is legal is decided in include/tda/Schedule.h.
//
//===----------------------------------------------------------------------===//
#include "lib/AssignSchedule/TunedSchedule.h"
#include "tda/Passes.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_ASSIGNSCHEDULE
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

struct AssignSchedule : tda::impl::AssignScheduleBase<AssignSchedule> {
  using AssignScheduleBase::AssignScheduleBase;

  /// Why the default is not a schedule of the wgmma path.
  static std::string whyNoWgmma(const Problem &problem, const Target &row) {
    std::string why = whyNoForm(problem, row, Path::Wgmma);
    Schedule schedule;
    if (why.empty())
      defaultSchedule(problem, row, schedule, why, Path::Wgmma);
    return why;
  }

  /// Sets what tuning knows, and says from where.
  LogicalResult assignTuned(AttentionOp op, const Target &row) {
    CompileOptions options;
    options.tunedShape = tunedShape;
    options.tunedDensity = tunedDensity;
    tune::Answer answer;
    std::string error;
    if (!tunedSchedule(op, row, options, answer, error))
      return op.emitError(error);
    for (const std::string &warning : answer.warnings)
      op.emitWarning(warning);
    op.emitRemark("schedule from the ") << answer.source;
    op.setScheduleAttr(ScheduleAttr::get(&getContext(), answer.schedule));
    return success();
  }

  LogicalResult assign(AttentionOp op, const Target &row) {
    Problem problem = op.getProblem();
    std::string error = whyUnsupported(problem, row);
    if (!error.empty())
      return op.emitError(error);
    std::string schedule = this->schedule;
    if (takeAuto(schedule) && !op.getSchedule() && failed(assignTuned(op, row)))
      return failure();
    Schedule chosen;
    // A path that is asked for brings that path's default for the rest.
    Schedule words;
    if (!Schedule::parse(schedule, words, error))
      return op.emitError(error);
    std::optional<Path> path;
    if (StringRef(schedule).contains("path"))
      path = words.path;
    if (op.getSchedule())
      chosen = op.getSchedule()->toSchedule();
    else if (!defaultSchedule(problem, row, chosen, error, path) &&
             schedule.empty())
      return op.emitError(error);
    else if (row.wgmma && !path && chosen.path != Path::Wgmma)
      op.emitRemark("takes the portable mma.sync path: ")
          << whyNoWgmma(problem, row);
    if (!Schedule::parse(schedule, chosen, error))
      return op.emitError(error);
    if (noSkip && chosen.path == Path::Wgmma)
      chosen.force = true;
    else if (noSkip)
      chosen.skip = Skip::Never;
    if (error = whyIllegal(chosen, problem, row); !error.empty())
      return op.emitError("schedule cannot work on ")
             << row.name << ": " << error;
    bool cpu = row.path == Path::Vector;
    MLIRContext *context = &getContext();
    op.setTargetAttr(
        TargetAttr::get(context, row.name, cpu ? int64_t(vectorBits) : 0));
    op.setScheduleAttr(ScheduleAttr::get(context, chosen));
    return success();
  }

  void runOnOperation() override {
    std::string error;
    const Target *row = findTarget(target, error);
    if (!row) {
      getOperation().emitError("tda-assign-schedule: ") << error;
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](AttentionOp op) {
      return failed(assign(op, *row)) ? WalkResult::interrupt()
                                      : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
