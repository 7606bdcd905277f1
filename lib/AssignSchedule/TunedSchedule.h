//===- TunedSchedule.h - What tuning knows of an attention -----*- C++ -*-===//
#ifndef TDA_LIB_ASSIGNSCHEDULE_TUNEDSCHEDULE_H
#define TDA_LIB_ASSIGNSCHEDULE_TUNEDSCHEDULE_H

#include "autotune/Lookup.h"
#include "dialects/tda/Dialect.h"
#include "tda/Pipeline.h"

namespace tda {

/// Takes the word `auto` from the front of the words of a schedule; false where
/// it is not there.
bool takeAuto(std::string &words);

/// The schedule that tuning found best for `op`, at the lengths of its types,
/// else those of the options. False and `error` where those are malformed or
/// nothing fits.
bool tunedSchedule(AttentionOp op, const Target &target,
                   const CompileOptions &options, tune::Answer &answer,
                   std::string &error);

} // namespace tda

#endif // TDA_LIB_ASSIGNSCHEDULE_TUNEDSCHEDULE_H
