//===- CaseGrid.cpp - The kernels that the GPU tests run ------------------===//
//
// The covering is made greedily: each new row starts with a pair that no row
// has yet and takes, axis by axis, the level that adds the most new pairs; the
// best of a few such tries is kept. std::mt19937_64 is the same everywhere.
//
//===----------------------------------------------------------------------===//
#include "CaseGrid.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
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
    {4, [](Problem &p, int i) { p.d = pick(i, 32, 64, 96, 128); }},
    {2, [](Problem &p, int i) { p.dv = pick(i, 64, 128); }},
    {2, [](Problem &p, int i) { p.dtype = pick(i, DType::BF16, DType::F16); }},
    {4, [](Problem &p, int i) { p.power = pick(i, 1.0, 2.0, 3.0, 2.5); }},
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

/// One view has no lambda.
bool fits(const Row &row, int axis, int level) {
  if (axis == Lambda)
    return row[Views] != 1;
  if (axis == Views && level == 1)
    return row[Lambda] == Unset;
  return true;
}

Problem problemOf(const Row &row) {
  Problem problem;
  for (int axis = 0; axis < NumAxes; ++axis)
    if (row[axis] != Unset)
      axes[axis].set(problem, row[axis]);
  return problem;
}

//===----------------------------------------------------------------------===//
// The covering
//===----------------------------------------------------------------------===//

using Level = std::pair<int, int>; ///< Axis and level.
using LevelPair = std::pair<Level, Level>;

class Covering {
public:
  Covering() {
    for (int a = 0; a < NumAxes; ++a)
      for (int b = a + 1; b < NumAxes; ++b)
        for (int i = 0; i < axes[a].levels; ++i)
          for (int j = 0; j < axes[b].levels; ++j)
            if (!(a == Views && b == Lambda && i == 1))
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
    Row row;
    row.fill(Unset);
    for (int axis = 0; axis < NumAxes; ++axis)
      if (fits(row, axis, 0))
        row[axis] = below(axes[axis].levels);
    return row;
  }

private:
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
    Row row;
    row.fill(Unset);
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

  std::mt19937_64 random{20260112};
  std::set<LevelPair> open;
};

} // namespace

std::vector<Problem> tda::gridProblems(size_t count) {
  Covering covering;
  std::set<Row> rows;
  std::vector<Problem> problems;
  while (!covering.isComplete() || problems.size() < count) {
    Row row = covering.isComplete() ? covering.randomRow() : covering.nextRow();
    if (rows.insert(row).second)
      problems.push_back(problemOf(row));
  }
  return problems;
}

//===----------------------------------------------------------------------===//
// Schedules and names
//===----------------------------------------------------------------------===//

/// Puts another legal schedule in place of the kernel's, one after the other
/// as `index` grows. False where there is none.
static bool useOtherSchedule(GridKernel &kernel, const Target &target,
                             size_t index) {
  static const Schedule shapes[] = {
      {128, 64, 2, 8}, {128, 32, 3, 8}, {64, 64, 2, 4}, {64, 32, 3, 4},
      {32, 32, 2, 2},  {16, 16, 2, 1},  {64, 16, 4, 4}};
  static const int64_t groups[] = {1, 3, 8};
  size_t count = std::size(shapes);
  for (size_t i = 0; i < count; ++i) {
    Schedule other = shapes[(index + i) % count];
    other.group = groups[index % std::size(groups)];
    if (other == kernel.schedule ||
        !whyIllegal(other, kernel.problem, target).empty())
      continue;
    kernel.schedule = other;
    return true;
  }
  return false;
}

/// Adds the kernel with the default schedule.
static bool addKernel(const std::string &name, const Problem &problem,
                      const Target &target, std::vector<GridKernel> &kernels,
                      std::string &error) {
  Schedule schedule;
  if (!defaultSchedule(problem, target, schedule, error)) {
    error = name + " (" + problem.str() + "): " + error;
    return false;
  }
  kernels.push_back({name, problem, schedule});
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
        std::string name = "bench_d" + std::to_string(d) + "_" +
                           dtypeName(dtype) + (normalize ? "_normalize" : "");
        if (!addKernel(name, problem, target, kernels, error))
          return false;
      }
  return true;
}

bool tda::gridKernels(const Target &target, std::vector<GridKernel> &kernels,
                      std::string &error) {
  kernels.clear();
  Problem demo;
  demo.d = demo.dv = 64;
  demo.causal = demo.stats = true;
  if (!addKernel("demo", demo, target, kernels, error))
    return false;

  std::vector<Problem> problems = gridProblems();
  for (size_t i = 0; i < problems.size(); ++i) {
    char name[32];
    std::snprintf(name, sizeof(name), "grid_%02zu", i);
    if (!addKernel(name, problems[i], target, kernels, error))
      return false;
    if (i % 3 != 2)
      continue;
    GridKernel &kernel = kernels.back();
    kernel.name += "_alt";
    if (!useOtherSchedule(kernel, target, i / 3)) {
      error = kernel.name + " (" + kernel.problem.str() +
              "): only the default schedule is legal on " + target.name;
      return false;
    }
  }

  size_t skipping = kernels.size();
  for (size_t i = 0; i < skipping; ++i) {
    GridKernel kernel = kernels[i];
    kernel.name += "_noskip";
    kernel.schedule.skip = Skip::Never;
    kernels.push_back(std::move(kernel));
  }
  return addBenchKernels(target, kernels, error);
}
