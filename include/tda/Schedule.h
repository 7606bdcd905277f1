//===- Schedule.h - How an attention runs, and what is legal ---*- C++ -*-===//
//
// The plain form of #tda.schedule and the one function that says whether a
// schedule can work. The attribute's verifier, the pass that picks a default
// and the tuner all call it, so a rule exists once.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_SCHEDULE_H
#define TDA_SCHEDULE_H

#include "tda/Problem.h"
#include "tda/TargetTable.h"

namespace tda {

/// What happens to a tile without survivors.
enum class Skip {
  Never, ///< Same arithmetic as a live tile: the debug form, and for dense
         ///< data.
  Tile,  ///< The group of rows that votes (a warp; the tile on the CPU) skips
         ///< threshold, differential and aggregate.
};
const char *skipName(Skip skip); // "never", "tile"
bool parseSkip(const std::string &name, Skip &skip);

struct Schedule {
  int64_t tileM = 64; ///< Query rows of one program.
  int64_t tileN = 64; ///< Keys of one tile.
  int64_t stages = 2; ///< Key tiles in flight; 1 on the CPU.
  int64_t warps = 4;  ///< Warps that share the rows; 1 on the CPU.
  Skip skip = Skip::Tile;
  int64_t group = 8; ///< Heads that walk the rows together (L2 reuse).

  bool operator==(const Schedule &other) const;
  /// "tile_m = 64, tile_n = 64, stages = 2, warps = 4, skip = tile, group = 8".
  std::string str() const;
  /// Reads `str` back, words in any order; those left out keep the value that
  /// `schedule` came with. False and `error` where a word is not known.
  static bool parse(const std::string &text, Schedule &schedule,
                    std::string &error);
};

/// Empty when the values alone make sense, whatever the target.
std::string whyMalformed(const Schedule &schedule);

/// Empty when `schedule` can run `problem` on `target`; otherwise the reason,
/// with the quantity that is exceeded and by how much.
std::string whyIllegal(const Schedule &schedule, const Problem &problem,
                       const Target &target);

/// Bytes from one row of a staged panel of 16-bit elements to the next. 16
/// bytes of padding let the eight rows of an ldmatrix fall into different banks
/// whatever the head dimension.
constexpr int64_t panelPitch(int64_t columns) { return columns * 2 + 16; }

/// Bytes of shared memory that one program of the mma.sync path takes.
int64_t sharedBytes(const Schedule &schedule, const Problem &problem);

/// The default for a problem on a target: the first legal of a short list in
/// order of measured speed (bench/results). False and `error` when none is.
bool defaultSchedule(const Problem &problem, const Target &target,
                     Schedule &schedule, std::string &error);

/// Why `problem` cannot be compiled for `target` at all, whatever the
/// schedule; empty when it can.
std::string whyUnsupported(const Problem &problem, const Target &target);

} // namespace tda

#endif // TDA_SCHEDULE_H
