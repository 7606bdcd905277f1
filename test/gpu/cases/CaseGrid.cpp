//===- CaseGrid.cpp - The kernels that the GPU tests run ------------------===//
//
// The covering is made greedily: each new row starts with a pair that no row
// has yet and takes, axis by axis, the level that adds the most new pairs; the
// best of a few such tries is kept. Pairs that no schedule of the target can
// run are left out. std::mt19937_64 is the same everywhere.
//
//===----------------------------------------------------------------------===//
#include "CaseGrid.h"

#include "DrawSchedule.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <numeric>
#include <random>
#include <set>
#include <utility>

using namespace tda;

//===----------------------------------------------------------------------===//
// The choices
//===----------------------------------------------------------------------===//

namespace {

struct Axis {
  int levels;
  void (*set)(Problem &problem, int level);
  int rare = 0; ///< Levels beyond those, which only random problems take.
};

enum AxisName { Views, Lambda }; // The two that depend on one another.

template <typename... T> auto pick(int i, T... values) {
  return std::array{values...}[i];
}

/// causal, full, causal with a window, causal with a given offset, a window
/// alone, all three together.
void setMask(Problem &p, int level) {
  p.causal = level != 1 && level != 4;
  p.window = level == 2 || level >= 4 ? 100 : 0;
  p.offsetOperand = level == 3 || level == 5;
}

void setKappa(Problem &p, int level) {
  p.kappa = level == 1 ? 0.5 : 1.0;
  p.kappaOperand = level == 2;
}

const Axis axes[] = {
    {2, [](Problem &p, int i) { p.views = pick(i, 2, 1); }},
    {3,
     [](Problem &p, int i) {
       p.lambda = pick(i, Extent::Scalar, Extent::Head, Extent::Token);
     }},
    {5,
     [](Problem &p, int i) {
       p.d = pick(i, 64, 128, 32, 96, 256, 16, 48, 80, 112);
     },
     4},
    {4,
     [](Problem &p, int i) {
       p.dv = pick(i, 64, 128, 96, 256, 16, 48, 80, 112);
     },
     4},
    {2, [](Problem &p, int i) { p.dtype = pick(i, DType::BF16, DType::F16); }},
    {4, [](Problem &p, int i) { p.power = pick(i, 1.0, 2.0, 3.0, 1.5); }},
    {6, setMask},
    {2,
     [](Problem &p, int i) { p.beta = pick(i, Extent::Scalar, Extent::Head); }},
    {2, [](Problem &p, int i) { p.normalize = i; }},
    {2, [](Problem &p, int i) { p.norm = i; }},
    {2, [](Problem &p, int i) { p.stats = i; }},
    {3, setKappa},
};
constexpr int NumAxes = std::size(axes);

/// A level for each axis; Unset where open, or where the axis means nothing.
constexpr int Unset = -1;
using Row = std::array<int, NumAxes>;

/// What the rows leave open takes little room.
Problem problemOf(const Row &row) {
  Problem problem;
  problem.views = 1;
  problem.d = problem.dv = 16;
  for (int axis = 0; axis < NumAxes; ++axis)
    if (row[axis] != Unset)
      axes[axis].set(problem, row[axis]);
  return problem;
}

/// One view has no lambda.
bool hasMeaning(const Row &row, int axis, int level) {
  if (axis == Lambda)
    return row[Views] != 1;
  if (axis == Views && level == 1)
    return row[Lambda] == Unset;
  return true;
}

//===----------------------------------------------------------------------===//
// The covering
//===----------------------------------------------------------------------===//

using Level = std::pair<int, int>; ///< Axis and level.
using LevelPair = std::pair<Level, Level>;

class Covering {
public:
  explicit Covering(const Target &target) : target(target) {
    for (int a = 0; a < NumAxes; ++a)
      for (int b = a + 1; b < NumAxes; ++b)
        for (int i = 0; i < axes[a].levels; ++i)
          for (int j = 0; j < axes[b].levels; ++j)
            if (Row row = emptyRow(); set(row, a, i) && set(row, b, j))
              open.insert({{a, i}, {b, j}});
  }

  bool isComplete() const { return open.empty(); }

  /// The best of a few rows, the pairs of which then count as covered.
  Row nextRow() {
    Row best{};
    size_t mostPairs = 0;
    for (int attempt = 0; attempt < 40; ++attempt) {
      Row row = makeRow();
      size_t pairs = countOpen(row);
      if (pairs > mostPairs)
        best = row, mostPairs = pairs;
    }
    for (int a = 0; a < NumAxes; ++a)
      for (int b = a + 1; b < NumAxes; ++b)
        open.erase({{a, best[a]}, {b, best[b]}});
    return best;
  }

  Row randomRow() {
    Row row = emptyRow();
    for (int axis = 0; axis < NumAxes; ++axis)
      while (hasMeaning(row, axis, 0) &&
             !set(row, axis, below(axes[axis].levels + axes[axis].rare)))
        ;
    return row;
  }

private:
  static Row emptyRow() {
    Row row;
    row.fill(Unset);
    return row;
  }

  bool fits(Row row, int axis, int level) const {
    if (!hasMeaning(row, axis, level))
      return false;
    row[axis] = level;
    Schedule schedule;
    std::string error;
    return defaultSchedule(problemOf(row), target, schedule, error);
  }

  /// False, and the row as it was, where the level does not fit.
  bool set(Row &row, int axis, int level) const {
    if (!fits(row, axis, level))
      return false;
    row[axis] = level;
    return true;
  }

  int below(size_t bound) { return int(random() % bound); }

  /// Open pairs of `level` on `axis` with what the row has.
  int countOpen(const Row &row, int axis, int level) const {
    int count = 0;
    for (int other = 0; other < NumAxes; ++other) {
      LevelPair pair = {{axis, level}, {other, row[other]}};
      if (other < axis)
        std::swap(pair.first, pair.second);
      count += other != axis && open.count(pair);
    }
    return count;
  }

  size_t countOpen(const Row &row) const {
    size_t twice = 0;
    for (int axis = 0; axis < NumAxes; ++axis)
      twice += countOpen(row, axis, row[axis]);
    return twice / 2;
  }

  Row makeRow() {
    Row row = emptyRow();
    auto [first, second] = *std::next(open.begin(), below(open.size()));
    row[first.first] = first.second;
    row[second.first] = second.second;

    std::array<int, NumAxes> order;
    std::iota(order.begin(), order.end(), 0);
    for (int i = NumAxes - 1; i > 0; --i)
      std::swap(order[i], order[below(i + 1)]);
    for (int axis : order) {
      if (row[axis] != Unset)
        continue;
      int most = -1, levels = axes[axis].levels, start = below(levels);
      for (int i = 0; i < levels; ++i) {
        int level = (start + i) % levels;
        int count = fits(row, axis, level) ? countOpen(row, axis, level) : -1;
        if (count > most)
          row[axis] = level, most = count;
      }
    }
    return row;
  }

  const Target &target;
  std::mt19937_64 random{20260112};
  std::set<LevelPair> open;
};

} // namespace

std::vector<Problem> tda::gridProblems(const Target &target, size_t count) {
  Covering covering(target);
  std::set<Row> rows;
  std::vector<Problem> problems;
  while (!covering.isComplete() || problems.size() < count) {
    Row row = covering.isComplete() ? covering.randomRow() : covering.nextRow();
    if (!rows.insert(row).second)
      continue;
    // Inputs are unit rows where they are not normalised: half of the problems
    // say so.
    Problem problem = problemOf(row);
    problem.unit = !problem.normalize && problems.size() % 2;
    problems.push_back(problem);
  }
  return problems;
}

//===----------------------------------------------------------------------===//
// Schedules and names
//===----------------------------------------------------------------------===//

/// Adds the kernel with the default schedule, or with one that `seed` draws.
static bool addKernel(const std::string &name, const Problem &problem,
                      const Target &target, std::optional<uint64_t> seed,
                      std::vector<GridKernel> &kernels, std::string &error) {
  GridKernel kernel{name, problem, {}};
  bool found =
      seed ? drawSchedule(problem, target, *seed, kernel.schedule, error)
           : defaultSchedule(problem, target, kernel.schedule, error);
  if (!found) {
    error = fmt::format("{} ({}): {}", name, problem.str(), error);
    return false;
  }
  kernels.push_back(std::move(kernel));
  return true;
}

/// The kernels that must give the bits of `kernel`: the form that never skips,
/// and with `all` every other skip policy and the other grid.
static std::vector<GridKernel> twinsOf(const GridKernel &kernel, bool all) {
  std::vector<GridKernel> twins;
  auto add = [&](const char *suffix, auto change) {
    GridKernel twin = kernel;
    twin.name += std::string(kTwinMark) + suffix;
    change(twin.schedule);
    twins.push_back(std::move(twin));
  };
  auto addSkip = [&](Skip skip) {
    if (skip != kernel.schedule.skip)
      add(skipName(skip), [&](Schedule &s) { s.skip = skip; });
  };
  if (kernel.schedule.path == Path::MmaSync) {
    addSkip(Skip::Never);
    addSkip(Skip::Tile);
    return twins;
  }
  add("force", [](Schedule &s) { s.force = true; });
  if (!all)
    return twins;
  for (Skip skip : {Skip::Never, Skip::Tile, Skip::Steps, Skip::Adaptive})
    addSkip(skip);
  Grid other =
      kernel.schedule.grid == Grid::Plain ? Grid::Persistent : Grid::Plain;
  add(gridName(other), [&](Schedule &s) { s.grid = other; });
  return twins;
}

/// Whether all twins of a kernel can run: what a policy fetches needs room.
static bool hasFamily(const GridKernel &kernel, const Target &target) {
  if (kernel.schedule.path != Path::Wgmma)
    return false;
  for (const GridKernel &twin : twinsOf(kernel, true))
    if (!whyIllegal(twin.schedule, twin.problem, target).empty())
      return false;
  return true;
}

/// Causal self-attention of the two usual head dimensions.
static bool addBenchKernels(const Target &target,
                            std::vector<GridKernel> &kernels,
                            std::string &error) {
  for (int64_t d : {64, 128})
    for (DType dtype : {DType::BF16, DType::F16})
      for (bool normalize : {false, true}) {
        Problem problem;
        problem.d = problem.dv = d;
        problem.dtype = dtype;
        problem.causal = true;
        problem.normalize = normalize;
        std::string name = fmt::format("bench_d{}_{}{}", d, dtypeName(dtype),
                                       normalize ? "_normalize" : "");
        if (!addKernel(name, problem, target, {}, kernels, error))
          return false;
      }
  return true;
}

bool tda::gridKernels(const Target &target, uint64_t seed,
                      std::vector<GridKernel> &kernels, std::string &error) {
  kernels.clear();
  Problem demo;
  demo.d = demo.dv = 64;
  demo.causal = demo.stats = true;
  if (!addKernel("demo", demo, target, {}, kernels, error))
    return false;
  for (size_t i = 0; i < kDrawnDemos; ++i)
    if (!addKernel(fmt::format("demo_{}_alt", i), demo, target, seed * 1000 + i,
                   kernels, error))
      return false;

  std::vector<Problem> problems = gridProblems(target);
  for (size_t i = 0; i < problems.size(); ++i) {
    std::optional<uint64_t> draw;
    if (i % 4 != 0)
      draw = seed * 1000 + 100 + i;
    std::string name = fmt::format("grid_{:02}{}", i, draw ? "_alt" : "");
    if (!addKernel(name, problems[i], target, draw, kernels, error))
      return false;
  }
  std::set<std::string> distinct;
  for (const GridKernel &kernel : kernels)
    distinct.insert(kernel.schedule.str());
  if (target.wgmma && distinct.size() < kLeastSchedules) {
    error = fmt::format("seed {} draws {} distinct schedules; the grid wants "
                        "{}: take another",
                        seed, distinct.size(), kLeastSchedules);
    return false;
  }

  size_t own = kernels.size(), families = 0;
  for (size_t i = 0; i < own; ++i) {
    GridKernel kernel = kernels[i];
    bool all = families < kFamilies && hasFamily(kernel, target);
    families += all;
    for (GridKernel &twin : twinsOf(kernel, all))
      kernels.push_back(std::move(twin));
  }
  return addBenchKernels(target, kernels, error);
}
