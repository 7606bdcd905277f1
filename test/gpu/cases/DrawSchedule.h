//===- DrawSchedule.h - A legal schedule at random -------------*- C++ -*-===//
#ifndef TDA_TOOLS_DRAWSCHEDULE_H
#define TDA_TOOLS_DRAWSCHEDULE_H

#include "tda/Schedule.h"

#include <cstdint>
#include <string>

namespace tda {

/// Draws one of all schedules that are legal for `problem` on `target`. On a
/// target with a wgmma path most are of it, and tiles of 64 and 128 keys more
/// frequent than their neighbours. Equal seeds draw equal schedules on every
/// machine. False and `error` where nothing legal is found.
bool drawSchedule(const Problem &problem, const Target &target, uint64_t seed,
                  Schedule &schedule, std::string &error);

} // namespace tda

#endif // TDA_TOOLS_DRAWSCHEDULE_H
