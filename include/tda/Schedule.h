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

#include <optional>

namespace tda {

/// What happens to a tile without survivors.
enum class Skip {
  Never,    ///< Same arithmetic as a live tile: for dense data.
  Tile,     ///< The group of rows that votes (a warp; the tile on the CPU)
            ///< skips threshold, differential and aggregate. On the wgmma path
            ///< a warp fetches the values of its survivors itself.
  Steps,    ///< wgmma: values always staged, steps of 16 keys without a
            ///< survivor in the warpgroup are left out of the product.
  Adaptive, ///< wgmma: `Steps` where a program's tiles are dense, `Tile` where
            ///< they are not, decided tile by tile as the program runs.
};
const char *skipName(Skip skip); // "never", "tile", "steps", "adaptive"
bool parseSkip(const std::string &name, Skip &skip);

/// How programs are spread over the GPU.
enum class Grid {
  Plain,      ///< A block of the grid a program.
  Persistent, ///< wgmma: a block an SM, which walks its share of the programs.
};
const char *gridName(Grid grid); // "plain", "persistent"
bool parseGrid(const std::string &name, Grid &grid);

struct Schedule {
  int64_t tileM = 64; ///< Query rows of one program.
  int64_t tileN = 64; ///< Keys of one tile.
  int64_t stages = 2; ///< Key tiles in flight; 1 on the CPU. On the wgmma path
                      ///< slots of the ring, each with one panel.
  int64_t warps = 4;  ///< Warps that share the rows; 1 on the CPU. On the wgmma
                      ///< path 4 a consumer warpgroup.
  Skip skip = Skip::Tile;
  int64_t group = 8;         ///< Heads that walk the rows together (L2 reuse).
  Path path = Path::MmaSync; ///< Of a GPU; the CPU does not read it.
  Grid grid = Grid::Plain;
  bool force = false; ///< Debug: every tile counts as one with survivors.

  bool operator==(const Schedule &other) const;
  /// "tile_m = 64, tile_n = 64, stages = 2, warps = 4, skip = tile, group = 8";
  /// then path, grid and force where they are not the default.
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

/// Columns of a panel in shared memory on the wgmma path: whole swizzle atoms
/// of 64 elements (128 bytes); those beyond the tensor's are zeros.
constexpr int64_t swizzledColumns(int64_t columns) {
  return (columns + 63) / 64 * 64;
}

/// Bytes at the start of shared memory that barriers take on the wgmma path;
/// panels follow, aligned to the 1024 bytes of a swizzle pattern.
constexpr int64_t kBarrierBytes = 1024;

/// Columns of a tile's product with f16 values that are summed at a time on the
/// wgmma path, beside the output: one block of a swizzled panel.
constexpr int64_t kApartColumns = 64;

/// Bytes of one slot of the wgmma path's ring: the larger of a panel of keys
/// and one of values.
int64_t slotBytes(const Schedule &schedule, const Problem &problem);

/// Keys of a step: what one product of mma.sync or wgmma contracts, and what a
/// warp fetches at a time.
constexpr int64_t kStepKeys = 16;

/// Bytes of shared memory in which a consumer warp of the wgmma path puts the
/// rows of values that it fetches; 0 where it fetches none, or, for f16, into
/// registers.
int64_t fetchBytes(const Schedule &schedule, const Problem &problem);

/// Bytes of shared memory that one program takes.
int64_t sharedBytes(const Schedule &schedule, const Problem &problem);

/// Registers of a thread of a consumer warpgroup, and of the producer's, after
/// they have been divided anew (setmaxnreg). 0: the division at launch stays.
struct RegisterSplit {
  int64_t producer = 0, consumer = 0;
};
RegisterSplit registerSplit(const Schedule &schedule, const Problem &problem);

/// The default for a problem on a target: the first legal of a short list in
/// order of measured speed (bench/results), those that may spill registers
/// last; of `path` alone where that is given. False and `error` when none is.
bool defaultSchedule(const Problem &problem, const Target &target,
                     Schedule &schedule, std::string &error,
                     std::optional<Path> path = std::nullopt);

/// Why `problem` has no form on `path` of `target`; empty when it has one.
std::string whyNoForm(const Problem &problem, const Target &target, Path path);

/// Why `problem` cannot be compiled for `target` at all, whatever the
/// schedule; empty when it can.
std::string whyUnsupported(const Problem &problem, const Target &target);

} // namespace tda

#endif // TDA_SCHEDULE_H
