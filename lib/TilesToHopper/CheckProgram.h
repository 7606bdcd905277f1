//===- CheckProgram.h - Which programs the wgmma path takes ----*- C++ -*-===//
#ifndef TDA_CHECKPROGRAM_H
#define TDA_CHECKPROGRAM_H

#include "dialects/tda/Dialect.h"

namespace tda {

/// The pipeline that a program's schedule and shapes lead to; fails with an
/// error where the schedule does not fit.
llvm::FailureOr<PipelineAttr> pipelineOf(TileProgramOp program);

/// Fails with an error, at the op that is in the way, where WarpgroupEmitter
/// would not give what the program says.
llvm::LogicalResult checkProgram(TileProgramOp program);

} // namespace tda

#endif // TDA_CHECKPROGRAM_H
