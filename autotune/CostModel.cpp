//===- CostModel.cpp - How long a schedule should take --------------------===//
#include "autotune/CostModel.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

// SMs, tensor rates: NVIDIA's whitepapers of each architecture (H100: 989
// TFLOP/s dense bf16 on 132 SMs at 1.83 GHz = 4096 FLOP a cycle and SM), times
// what kernels reach of it: 0.36 for mma.sync
// (bench/results/2026-11-23-h100-portable-bench.json). The clock is that under
// load. L2: 5.5 TB/s on an H100. What wgmma reaches of an H100, and the
// constants of its path below, are fitted to test/data/tuning/h100.json.
static const DeviceModel kDevices[] = {
    {"H100", "sm_90", 132, 1.60, 4900, 1480, 128, 26, 3.0},
    {"H200", "sm_90", 132, 1.60, 4900, 1480, 128, 26, 3.0},
    {"A100", "sm_80", 108, 1.35, 0, 1500, 64, 32, 3.0},
    {"A10", "sm_86", 72, 1.50, 0, 700, 128, 20, 3.0},
    {"L40", "sm_89", 142, 2.20, 0, 700, 128, 16, 3.0},
};

const DeviceModel &tune::deviceModel(const std::string &device,
                                     const Target &target) {
  for (const DeviceModel &row : kDevices)
    if (device.find(row.name) != std::string::npos &&
        target.name == std::string(row.target))
      return row;
  for (const DeviceModel &row : kDevices)
    if (target.name == std::string(row.target))
      return row;
  return kDevices[0];
}

double tune::liveShare(Density::Kind kind, const Problem &problem,
                       const host::Lengths &lengths, int64_t rows,
                       int64_t keys) {
  double area = double(rows) * double(keys);
  switch (kind) {
  case Density::Kind::Dense:
    return 1;
  case Density::Kind::Null: {
    // 0.08 survivors a row and view, spread evenly over the visible keys
    // (docs/semantics.md: at most kappa).
    double visible = double(std::max<int64_t>(lengths.Nk, 1));
    if (problem.window > 0)
      visible = std::min(visible, double(problem.window));
    else if (problem.causal)
      visible /= 2;
    return 1 - std::exp(-0.08 * problem.views * area / visible);
  }
  default:
    // Clustered: test/data/real/README.md has 0.037 of the 64x8 tiles, 0.11 of
    // 64x64 and 0.2 of 128x128 alive at 4096 tokens, two views.
    return std::min(1.0, 0.0016 * std::pow(area, 0.51) *
                             (problem.views == 2 ? 1 : 0.7));
  }
}

namespace {
/// Tiles of keys that programs visit.
struct Tiles {
  double total = 0;   ///< Of all programs of a head.
  double longest = 0; ///< Of one.
  double programs = 0;
};
} // namespace

static Tiles countTiles(const Problem &p, const host::Lengths &l,
                        const Schedule &s) {
  Tiles tiles;
  int64_t offset = l.Nk - l.Nq;
  for (int64_t row = 0; row < l.Nq; row += s.tileM) {
    int64_t last = std::min(row + s.tileM, l.Nq) - 1;
    int64_t end = p.causal ? std::min(l.Nk, last + offset + 1) : l.Nk;
    int64_t begin =
        p.window > 0 ? std::max<int64_t>(0, row + offset - p.window + 1) : 0;
    if (p.window > 0 && !p.causal)
      end = l.Nk;
    double visited =
        end <= begin ? 0 : double((end - 1) / s.tileN - begin / s.tileN + 1);
    tiles.total += visited;
    tiles.longest = std::max(tiles.longest, visited);
    ++tiles.programs;
  }
  return tiles;
}

static int64_t registersOf(const Schedule &s, const Problem &p) {
  int64_t queries = s.path == Path::Wgmma ? 0 : p.views * p.d / 4;
  return queries + p.dv / 2 + p.views * s.tileN / 2 + 48;
}

static int blocksPerSm(const Schedule &s, const Problem &p, const Target &t) {
  int64_t threads = 32 * s.warps + (s.path == Path::Wgmma ? 128 : 0);
  int64_t registers = std::min<int64_t>(registersOf(s, p), 255);
  if (s.path == Path::Wgmma && registerSplit(s, p).consumer)
    registers = t.registersPerSm / threads; // all of them
  int64_t fit = std::min({t.sharedPerSm / (sharedBytes(s, p) + 1024),
                          t.registersPerSm / (threads * registers),
                          t.warpsPerSm * 32 / threads});
  return int(std::clamp<int64_t>(fit, 1, 8));
}

namespace {
/// Cycles that one tile of one program takes of an SM.
struct TileCost {
  double tensor = 0, scalar = 0, memory = 0, latency = 0;
};
} // namespace

/// Bytes that come from L2 a cycle; copies that are made ahead cost a seventh
/// of their time.
static double l2BytesOf(const Schedule &s, const DeviceModel &d) {
  return s.path == Path::Wgmma ? 7 * d.l2Bytes : d.l2Bytes;
}

static TileCost costOfTile(const Workload &w, const Schedule &s,
                           const DeviceModel &d) {
  const Problem &p = w.problem;
  bool wgmma = s.path == Path::Wgmma;
  auto live = [&](int64_t rows, int64_t keys) {
    return liveShare(w.density.kind, p, w.lengths, rows, keys);
  };
  double pairs = double(s.tileM * s.tileN);
  double flops = wgmma ? d.wgmmaFlops : d.mmaFlops;
  double scores = 2 * pairs * double(p.d * p.views) / flops;
  double values = 2 * pairs * double(p.dv) / flops;
  // A pair and view: subtract, compare; where alive also rectify, square,
  // combine and pack.
  double test = (wgmma ? 1.5 : 1.7) * p.views * pairs / d.lanes;
  double apply =
      (wgmma ? 0.65 * p.views + 1.9 : 2.0 * p.views + 1.5) * pairs / d.lanes;
  if (p.power != 2)
    apply *= 2;
  double l2Bytes = l2BytesOf(s, d);
  double keyBytes = 2.0 * double(s.tileN * p.views * p.d);
  double valueBytes = 2.0 * double(s.tileN * p.dv);

  TileCost cost;
  cost.tensor = scores;
  cost.memory = (keyBytes + valueBytes) / l2Bytes;
  Skip skip = s.skip;
  double warpLive = live(16, s.tileN), groupLive = live(64, 16);
  if (skip == Skip::Adaptive)
    skip = warpLive > 0.35 ? Skip::Never : Skip::Tile;
  switch (skip) {
  case Skip::Never:
    cost.tensor += values;
    cost.scalar = wgmma ? apply : apply + test * 0.3;
    cost.latency = wgmma ? 45 : 0;
    break;
  case Skip::Tile:
    if (!wgmma) {
      cost.tensor += values * warpLive;
      cost.scalar = test + apply * warpLive;
      break;
    }
    // Values that survive are fetched by the warp, a step after the other.
    cost.memory = keyBytes / l2Bytes;
    cost.scalar = test + apply * warpLive * 0.2;
    cost.latency = 1650 * std::min(8.0, live(16, 16) * double(s.tileN) / 16);
    break;
  default:
    cost.tensor += values * groupLive + 0.05 * values;
    cost.scalar =
        test + (wgmma ? apply : apply * std::max(warpLive, groupLive));
    cost.latency = wgmma ? 45 : 0;
    break;
  }
  if (s.skip == Skip::Adaptive)
    cost.scalar *= 1.4; // runs and votes
  // Barriers and the first products' way through the pipe.
  cost.latency += wgmma ? 60 : 120;
  if (!wgmma && s.stages < 3)
    cost.latency += 250;
  return cost;
}

Prediction tune::predict(const Workload &w, const Schedule &s,
                         const Target &target, const DeviceModel &device) {
  const Problem &p = w.problem;
  Prediction result;
  result.sharedBytes = sharedBytes(s, p);
  result.registers = registersOf(s, p);
  result.blocksPerSm = blocksPerSm(s, p, target);
  result.liveTiles = liveShare(w.density.kind, p, w.lengths, s.tileM, s.tileN);
  Tiles tiles = countTiles(p, w.lengths, s);
  double heads = double(w.lengths.B * w.lengths.Hq);
  double programs = tiles.programs * heads;
  if (programs == 0) {
    result.us = device.launchUs;
    return result;
  }
  result.waves = programs / (device.sms * result.blocksPerSm);
  TileCost cost = costOfTile(w, s, device);
  // Groups of warps that can hide each other's waits.
  double groups =
      result.blocksPerSm *
      (s.path == Path::Wgmma ? double(s.warps) / 4 : double(s.warps) / 2);
  double busy = std::max({cost.tensor, cost.scalar, cost.memory});
  double rest = cost.tensor + cost.scalar + cost.memory - busy;
  bool wgmma = s.path == Path::Wgmma;
  double overlap = wgmma ? 0.2 : 0.8;
  double each = busy + rest / std::max(1.0, 1 + (groups - 1) * overlap) +
                cost.latency / groups;
  // Loading queries, filling the ring, storing the output.
  double prologue =
      (wgmma ? 4050 : 1400) +
      2.0 * double(s.tileM * (p.d * p.views + p.dv)) / l2BytesOf(s, device);
  prologue *= s.grid == Grid::Persistent ? 1.4 : 1.0;
  double all = tiles.total * heads * each +
               programs * prologue / std::max(1, result.blocksPerSm);
  // The last programs leave SMs idle: about half of one, the longest where
  // there are few.
  double longest = tiles.longest * each * result.blocksPerSm + prologue;
  double perSm = std::max(all / device.sms, longest);
  double tail = std::min(1.0, 0.5 / std::max(result.waves, 0.5)) * longest *
                (p.causal ? (wgmma ? 0.53 : 0.3) : 0.5);
  double cyclesToUs = 1e-3 / device.gigahertz;
  result.us = (perSm + tail) * cyclesToUs + device.launchUs;
  if (p.normalize && s.path == Path::Wgmma) // the kernel of unit rows
    result.us += device.launchUs;
  else if (p.normalize)
    result.us *= 1.25;
  double scale = tiles.total * heads / device.sms * cyclesToUs;
  result.tensorUs = cost.tensor * scale;
  result.scalarUs = cost.scalar * scale;
  result.memoryUs = cost.memory * scale;
  result.otherUs =
      cost.latency / groups * scale +
      programs * prologue / result.blocksPerSm / device.sms * cyclesToUs +
      device.launchUs;
  return result;
}

std::string Prediction::str() const {
  return fmt::format("{:.1f} us predicted: tensor {:.1f}, scalar {:.1f}, "
                     "memory {:.1f}, other {:.1f}; {:.1f} waves of {} blocks "
                     "an SM, {} bytes shared, about {} registers, {:.1f}% of "
                     "tiles live",
                     us, tensorUs, scalarUs, memoryUs, otherUs, waves,
                     blocksPerSm, sharedBytes, registers, 100 * liveTiles);
}
