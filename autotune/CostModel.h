//===- CostModel.h - How long a schedule should take -----------*- C++ -*-===//
//
// Analytic: counts tiles, divides their work by what an SM does a cycle, and
// adds what does not overlap. It knows no compiler and no device beyond a row
// of numbers. All times it gives are predictions and are called so wherever
// they are kept or shown.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_COSTMODEL_H
#define TDA_AUTOTUNE_COSTMODEL_H

#include "autotune/Workload.h"
#include "tda/Schedule.h"

#include <string>

namespace tda::tune {

/// What one GPU does, a cycle and an SM. Sources beside the rows.
struct DeviceModel {
  const char *name;   ///< Part of the name that the driver gives.
  const char *target; ///< Row of the target table that it is typical of.
  int sms;
  double gigahertz;  ///< Sustained under tensor load.
  double wgmmaFlops; ///< Tensor FLOP a cycle, wgmma; 0: has none.
  double mmaFlops;   ///< The same through mma.sync.
  double lanes;      ///< f32 operations a cycle.
  double l2Bytes;    ///< From L2 a cycle.
  double launchUs;   ///< A launch, on the device.
};

/// The row whose name is part of `device`, else the row typical of `target`.
const DeviceModel &deviceModel(const std::string &device, const Target &target);

/// The share of tiles of rows x keys, among those with visible pairs, that
/// have a survivor, for data of this kind at these lengths.
double liveShare(Density::Kind kind, const Problem &problem,
                 const host::Lengths &lengths, int64_t rows, int64_t keys);

/// A prediction with what it is made of. Times of the parts are microseconds
/// of the whole GPU, before overlap.
struct Prediction {
  double us = 0;
  double tensorUs = 0;  ///< Matrix products.
  double scalarUs = 0;  ///< Thresholds, masks, gates.
  double memoryUs = 0;  ///< Panels from L2.
  double otherUs = 0;   ///< Latency, prologues, launch.
  double waves = 0;     ///< Programs over what runs at once.
  double liveTiles = 0; ///< Of the schedule's own tile.
  int64_t sharedBytes = 0;
  int64_t registers = 0; ///< A thread, about.
  int blocksPerSm = 0;

  /// One line: "812 us: tensor 402, scalar 133, ...".
  std::string str() const;
};

Prediction predict(const Workload &workload, const Schedule &schedule,
                   const Target &target, const DeviceModel &device);

/// A prediction is followed against the default schedule only where it
/// promises more than the model may err, as a factor: about a tenth on the
/// tables that it is fitted to (test/data/tuning).
constexpr double kModelMargin = 1.1;

} // namespace tda::tune

#endif // TDA_AUTOTUNE_COSTMODEL_H
