//===- Legality.cpp - What a schedule costs and when it can work ----------===//
#include "tda/Schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

using namespace tda;

int64_t tda::slotBytes(const Schedule &s, const Problem &p) {
  return s.tileN * 2 * std::max(swizzledColumns(p.d), swizzledColumns(p.dv));
}

int64_t tda::fetchBytes(const Schedule &s, const Problem &p) {
  bool fetches = s.skip == Skip::Tile || s.skip == Skip::Adaptive;
  if (s.path != Path::Wgmma || !fetches || p.dtype != DType::BF16)
    return 0;
  return kStepKeys * panelPitch(p.dv);
}

int64_t tda::sharedBytes(const Schedule &s, const Problem &p) {
  if (s.path == Path::Wgmma)
    return kBarrierBytes + p.views * s.tileM * 2 * swizzledColumns(p.d) +
           s.stages * slotBytes(s, p) + s.warps * fetchBytes(s, p);
  return s.stages * s.tileN * (p.views * panelPitch(p.d) + panelPitch(p.dv));
}

static bool isTokenwise(const Problem &p) {
  return p.views == 2 && p.lambda == Extent::Token;
}

static bool isRealPower(const Problem &p) {
  return p.power != 1 && p.power != 2 && p.power != 3;
}

/// Of both the wgmma and the mma.sync path.
static int64_t scoreRegisters(const Schedule &s, const Problem &p) {
  return p.views * s.tileN / 2;
}

/// f16: a block of the tile's own sums, beside the packed weights.
static int64_t sumRegisters(const Schedule &s, const Problem &p) {
  return p.dtype == DType::F16 ? std::min(p.dv, kApartColumns) / 2 + s.tileN / 4
                               : 0;
}

static bool isScaledTwice(const Schedule &s, const Problem &p) {
  return p.dtype == DType::F16 && s.skip == Skip::Adaptive;
}

// What a consumer thread of the wgmma path keeps across a tile: the output, and
// either the scores of the views or, for f16, the tile's own sums. About 40
// more go to gates, masks and addresses; and, as ptxas 13.0 has it, 14 a view
// to counts of survivors and 9 each to a window, values wider than keys, and
// f16 in two kinds of loops; 5 to a lambda per token.
static int64_t consumerRegisters(const Schedule &s, const Problem &p) {
  int64_t others = 40 + (p.stats ? 14 * p.views : 0) +
                   (isTokenwise(p) ? 5 : 0) +
                   9 * ((p.window != 0) + (p.dv > p.d) + isScaledTwice(s, p));
  return p.dv / 2 + std::max(scoreRegisters(s, p), sumRegisters(s, p)) + others;
}

RegisterSplit tda::registerSplit(const Schedule &s, const Problem &p) {
  // A block starts with 168 registers for each thread of three warpgroups, 128
  // of four; setmaxnreg takes multiples of 8.
  switch (s.warps / 4) {
  case 2: {
    // 24 are tight for the producer: consumers that do without 8 give them up.
    // f16 at 240 spills more than at 232 (ptxas 13.0).
    bool isSmall = s.grid == Grid::Persistent || s.tileN <= 64 ||
                   consumerRegisters(s, p) <= 224 || p.dtype == DType::F16;
    return isSmall ? RegisterSplit{40, 232} : RegisterSplit{24, 240};
  }
  case 3:
    return {32, 160};
  default:
    return {};
  }
}

static int64_t consumerLimit(const Schedule &s, const Problem &p,
                             const Target &t) {
  RegisterSplit split = registerSplit(s, p);
  return split.consumer ? split.consumer : t.registersPerThread;
}

/// Registers to spare where ptxas 13.0 has not been seen to spill; below 0 some
/// kernels do and others do not. The estimate is less sure with a window, wide
/// values, a lambda per token, a real power, and each view of f16; with one
/// view of f16 in two kinds of loops, scores and sums may live at once.
static int64_t spareRegisters(const Schedule &s, const Problem &p,
                              const Target &t) {
  int64_t unsure = 4 * (2 * (p.window != 0) + (p.dv > p.d) + isTokenwise(p) +
                        isRealPower(p) + (p.dtype == DType::F16 ? p.views : 0));
  bool areBothLive = isScaledTwice(s, p) && p.views == 1;
  unsure +=
      areBothLive ? std::min(scoreRegisters(s, p), sumRegisters(s, p)) : 8;
  return consumerLimit(s, p, t) - consumerRegisters(s, p) - unsure;
}

// f32 accumulators and operand fragments that one thread keeps across the key
// loop: q of each view, o, and the scores of each view (mma.sync m16n8k16
// fragments, PTX ISA "Matrix fragments for mma.m16n8k16").
static int64_t liveRegisters(const Schedule &s, const Problem &p) {
  int64_t queries = p.views * p.d / 4;
  int64_t output = p.dv / 2;
  return queries + output + scoreRegisters(s, p);
}

static std::string whyIllegalMma(const Schedule &s, const Problem &p,
                                 const Target &t) {
  if (s.tileM != 16 * s.warps)
    return fmt::format("tile_m = {} must be 16 rows for each of the {} warps: "
                       "{}",
                       s.tileM, s.warps, 16 * s.warps);
  if (s.warps > 16)
    return fmt::format("warps = {} exceeds 16, the most that 255 registers a "
                       "thread leave room for",
                       s.warps);
  if (s.stages < 2)
    return "stages = 1 leaves no buffer to copy into while one is read; it "
           "must be at least 2";
  if (int64_t need = sharedBytes(s, p); need > t.sharedPerBlock)
    return fmt::format("needs {} bytes of shared memory, {} more than the {} "
                       "that a block may take on {}",
                       need, need - t.sharedPerBlock, t.sharedPerBlock, t.name);
  // About 48 registers go to addresses, gates, masks and the operands in
  // flight, and 16 more to the row scales of f16; measured with ptxas.
  int64_t registers =
      liveRegisters(s, p) + 48 + (p.dtype == DType::F16 ? 16 : 0);
  int64_t limit =
      std::min(t.registersPerThread, t.registersPerSm / (32 * s.warps));
  if (registers > limit)
    return fmt::format("needs about {} registers a thread, {} more than the {} "
                       "that {} warps leave on {}",
                       registers, registers - limit, limit, s.warps, t.name);
  return "";
}

static std::string whyIllegalWgmma(const Schedule &s, const Problem &p,
                                   const Target &t) {
  if (s.warps % 4 || s.warps > 12)
    return fmt::format("warps = {} must be 4, 8 or 12: one to three consumer "
                       "warpgroups",
                       s.warps);
  if (s.tileM != 16 * s.warps)
    return fmt::format(
        "tile_m = {} must be 64 rows for each of the {} consumer "
        "warpgroups: {}",
        s.tileM, s.warps / 4, 16 * s.warps);
  if (s.tileN > 256)
    return fmt::format("tile_n = {} exceeds 256, the widest wgmma", s.tileN);
  if (s.stages < 2 || s.stages > 24)
    return fmt::format("stages = {}: the ring takes 2 to 24 slots; {}",
                       s.stages,
                       s.stages < 2 ? "with fewer, the keys of a view cannot "
                                      "arrive while the others are read"
                                    : "more have no barriers");
  if (int64_t need = sharedBytes(s, p); need > t.sharedPerBlock) {
    int64_t over = need - t.sharedPerBlock;
    return fmt::format("needs {} bytes of shared memory, {} more than the {} "
                       "that a block may take on {}; a slot of the ring is {}",
                       need, over, t.sharedPerBlock, t.name, slotBytes(s, p));
  }
  int64_t registers = consumerRegisters(s, p);
  int64_t limit = consumerLimit(s, p, t);
  if (registers > limit)
    return fmt::format("needs about {} registers a thread, {} more than the {} "
                       "that {} consumer warpgroups leave on {}",
                       registers, registers - limit, limit, s.warps / 4,
                       t.name);
  return "";
}

std::string tda::whyIllegal(const Schedule &s, const Problem &p,
                            const Target &t) {
  if (std::string why = whyMalformed(s); !why.empty())
    return why;
  if (std::string why = whyUnsupported(p, t); !why.empty())
    return why;
  bool wgmma = s.path == Path::Wgmma;
  if (wgmma && !t.wgmma)
    return fmt::format("path = wgmma needs an architecture with warpgroup "
                       "instructions, sm_90; {} has none",
                       t.name);
  if (!wgmma && (s.skip == Skip::Steps || s.skip == Skip::Adaptive))
    return fmt::format("skip = {} exists on path = wgmma only",
                       skipName(s.skip));
  if (!wgmma && s.grid != Grid::Plain)
    return "grid = persistent exists on path = wgmma only";
  if (t.path == Path::Vector) {
    if (s.stages != 1 || s.warps != 1)
      return fmt::format("stages = {} and warps = {} must both be 1 on the CPU",
                         s.stages, s.warps);
    return "";
  }
  if (std::string why = whyNoForm(p, t, s.path); !why.empty())
    return why;
  return wgmma ? whyIllegalWgmma(s, p, t) : whyIllegalMma(s, p, t);
}

std::string tda::whyNoForm(const Problem &p, const Target &t, Path path) {
  if (path == Path::Vector)
    return "";
  if (p.dtype == DType::F32)
    return fmt::format("f32 runs on the CPU only; {} takes bf16 or f16",
                       t.name);
  if (path == Path::Wgmma && !t.wgmma)
    return fmt::format("{} has no wgmma path", t.name);
  int64_t most = path == Path::Wgmma ? 256 : 128;
  auto bad = [&](int64_t d) { return d % 16 != 0 || d > most; };
  if (bad(p.d) || bad(p.dv))
    return fmt::format("d = {}, dv = {}: the {} path takes multiples of 16 up "
                       "to {}",
                       p.d, p.dv, path == Path::Wgmma ? "wgmma" : "mma.sync",
                       most);
  return "";
}

/// The path that takes most: what the wgmma path does not take, no other does.
static Path widestPath(const Target &t) {
  return t.wgmma ? Path::Wgmma : t.path;
}

std::string tda::whyUnsupported(const Problem &p, const Target &t) {
  return whyNoForm(p, t, widestPath(t));
}

/// Tile shapes of the wgmma path, each with as many ring slots as fit; beyond
/// twelve nothing is gained (bench/results). First those with three slots (with
/// two, fewer keys a tile are faster) and registers to spare, then those that
/// lack the fewest.
static std::vector<Schedule> wgmmaDefaults(const Problem &p, const Target &t) {
  std::vector<std::pair<int, int>> tiles = {{128, 128}, {128, 96}, {128, 64},
                                            {64, 64},   {64, 32},  {64, 16}};
  // The sums of f16 apart leave no room for more keys, nor for two kinds of
  // loops (ptxas 13.0); beside counts, a window and a lambda per token, 16 keys
  // are the most.
  bool isWide = p.dtype == DType::F16 && p.dv > 128;
  if (isWide)
    tiles = {{128, 32}, {64, 32}, {64, 16}};
  std::vector<Schedule> list;
  for (auto [tileM, tileN] : tiles) {
    Schedule s{tileM, tileN, 0, tileM / 16, Skip::Adaptive, 8, Path::Wgmma};
    if (isWide)
      s.skip = Skip::Steps;
    // As many bytes of keys in L2, and heads of all densities side by side.
    s.group = p.d <= 64 ? 16 : 8;
    s.stages = std::min<int64_t>(12, (t.sharedPerBlock - sharedBytes(s, p)) /
                                         slotBytes(s, p));
    list.push_back(s);
  }
  auto rank = [&](const Schedule &s) {
    return std::pair(s.stages >= 3,
                     std::min<int64_t>(spareRegisters(s, p, t), 0));
  };
  std::stable_sort(
      list.begin(), list.end(),
      [&](const Schedule &a, const Schedule &b) { return rank(a) > rank(b); });
  return list;
}

static std::vector<Schedule> mmaDefaults(const Problem &p) {
  std::vector<Schedule> list;
  // f16 needs a row's largest weight before it can round any: beside a wide
  // output, or survivor counts, 64 keys at a time spill (ptxas 13.0, sm_80).
  bool narrow = p.dtype == DType::F16 && (p.dv > 64 || p.stats);
  if (!narrow)
    list = {{128, 64, 3, 8, Skip::Tile, 8}, {128, 64, 2, 8, Skip::Tile, 8}};
  list.insert(list.end(), {{128, 32, 3, 8, Skip::Tile, 8},
                           {128, 32, 2, 8, Skip::Tile, 8},
                           {64, 32, 2, 4, Skip::Tile, 8},
                           {64, 16, 2, 4, Skip::Tile, 8}});
  return list;
}

bool tda::defaultSchedule(const Problem &problem, const Target &target,
                          Schedule &schedule, std::string &error,
                          std::optional<Path> path) {
  bool isCpu = target.path == Path::Vector;
  error = isCpu ? ""
                : whyNoForm(problem, target, path.value_or(widestPath(target)));
  if (!error.empty())
    return false;
  std::vector<Schedule> list;
  if (isCpu)
    list = {{64, 64, 1, 1, Skip::Tile, 8}};
  if (target.wgmma && path.value_or(Path::Wgmma) == Path::Wgmma)
    list = wgmmaDefaults(problem, target);
  if (!isCpu && path.value_or(Path::MmaSync) == Path::MmaSync &&
      whyNoForm(problem, target, Path::MmaSync).empty())
    for (const Schedule &s : mmaDefaults(problem))
      list.push_back(s);
  for (const Schedule &candidate : list) {
    error = whyIllegal(candidate, problem, target);
    if (error.empty()) {
      schedule = candidate;
      return true;
    }
  }
  error = fmt::format("no default schedule fits; the last one tried, {}, {}; "
                      "another may be given",
                      list.back().str(), error);
  return false;
}
