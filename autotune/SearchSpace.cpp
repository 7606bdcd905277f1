//===- SearchSpace.cpp - The candidate schedules of a problem -------------===//
#include "autotune/SearchSpace.h"

#include "tda/Manifest.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

using namespace tda;
using namespace tda::tune;

const char *tune::spaceName(SpaceSize size) {
  return size == SpaceSize::Bounded ? "bounded" : "full";
}
bool tune::parseSpace(const std::string &name, SpaceSize &size) {
  if (name != "bounded" && name != "full")
    return false;
  size = name == "full" ? SpaceSize::Full : SpaceSize::Bounded;
  return true;
}

static const std::vector<Skip> kWgmmaSkips = {Skip::Never, Skip::Tile,
                                              Skip::Steps, Skip::Adaptive};
static const std::vector<Skip> kMmaSkips = {Skip::Never, Skip::Tile};

static Axes wgmmaAxes(SpaceSize size, const Problem &problem) {
  Axes axes;
  axes.path = Path::Wgmma;
  axes.skip = kWgmmaSkips;
  axes.tileM = {64, 128, 192};
  if (size == SpaceSize::Full) {
    for (int64_t n = 32; n <= 256; n += 16)
      axes.tileN.push_back(n);
    axes.stages = {0, -1, -2, 2, 3, 4, 6, 8};
    axes.grid = {Grid::Plain, Grid::Persistent};
    axes.group = {1, 2, 4, 8, 16, 32};
    return axes;
  }
  // Beside a wide head what is legal has few keys, elsewhere wide tiles pay, as
  // far as registers allow.
  bool isPlain =
      problem.dtype == DType::BF16 && !problem.stats && problem.window == 0;
  if (problem.d > 128 || problem.dv > 128)
    axes.tileN = {32, 64, 80, 96};
  else if (isPlain)
    axes.tileN = {64, 128};
  else
    axes.tileN = {64, 96, 128};
  axes.stages = {0};
  axes.grid = {Grid::Plain, Grid::Persistent};
  axes.group = {problem.d <= 64 ? 16 : 8}; // as by default
  return axes;
}

static Axes mmaAxes(SpaceSize size) {
  Axes axes;
  axes.path = Path::MmaSync;
  axes.skip = kMmaSkips;
  axes.grid = {Grid::Plain};
  if (size == SpaceSize::Full) {
    axes.tileM = {32, 64, 128, 192, 256};
    axes.tileN = {16, 32, 48, 64, 96, 128};
    axes.stages = {2, 3, 4};
    axes.group = {1, 2, 4, 8, 16, 32};
    return axes;
  }
  axes.tileM = {64, 128};
  axes.tileN = {32, 64};
  axes.stages = {2, 3};
  axes.group = {8};
  return axes;
}

SearchSpace::SearchSpace(const Problem &problem, const Target &target,
                         SpaceSize size)
    : problem(problem), target(&target), size(size) {
  if (target.path == Path::Vector)
    return;
  if (target.wgmma)
    lists.push_back(wgmmaAxes(size, problem));
  lists.push_back(mmaAxes(size));
  if (size == SpaceSize::Bounded && !target.wgmma) {
    // Alone, the portable path has room for more.
    lists.back().tileM = {32, 64, 128};
    lists.back().tileN = {16, 32, 48, 64};
    lists.back().stages = {2, 3, 4};
  }
}

int64_t SearchSpace::resolveStages(int64_t stages, int64_t most,
                                   Schedule s) const {
  if (stages > 0)
    return stages;
  s.stages = 0;
  int64_t room = target->sharedPerBlock - sharedBytes(s, problem);
  s.stages = 1;
  int64_t each = sharedBytes(s, problem);
  s.stages = 0;
  each -= sharedBytes(s, problem);
  int64_t fit = std::min(most, each > 0 && room > 0 ? room / each : 0);
  // Where nothing fits the least is listed, so that the rejection says why.
  return std::max<int64_t>(2, fit + stages);
}

std::vector<Schedule> SearchSpace::candidates() const {
  std::vector<Schedule> list;
  std::set<std::string> seen;
  auto add = [&](const Schedule &s) {
    if (seen.insert(s.str()).second)
      list.push_back(s);
  };
  for (const Axes &axes : lists) {
    Schedule byDefault;
    std::string error;
    if (defaultSchedule(problem, *target, byDefault, error, axes.path)) {
      add(byDefault);
      for (Skip skip : axes.skip) {
        byDefault.skip = skip;
        add(byDefault);
      }
    }
    for (int64_t m : axes.tileM)
      for (int64_t n : axes.tileN)
        for (int64_t stages : axes.stages)
          for (Grid grid : axes.grid)
            for (int64_t group : axes.group)
              for (Skip skip : axes.skip) {
                Schedule s;
                s.path = axes.path;
                s.tileM = m;
                s.tileN = n;
                s.warps = m / 16;
                s.skip = skip;
                s.grid = grid;
                s.group = group;
                s.stages = resolveStages(stages, axes.mostStages, s);
                add(s);
              }
  }
  return list;
}

std::string SearchSpace::hash() const {
  std::string text = spaceName(size);
  for (const Axes &a : lists) {
    text += fmt::format(";{}:{}:{}:{}:{}:{}:", pathName(a.path),
                        fmt::join(a.tileM, ","), fmt::join(a.tileN, ","),
                        fmt::join(a.stages, ","), a.mostStages,
                        fmt::join(a.group, ","));
    for (Skip skip : a.skip)
      text += fmt::format("{},", skipName(skip));
    for (Grid grid : a.grid)
      text += fmt::format("{},", gridName(grid));
  }
  return sha256Hex(text).substr(0, 12);
}

int tune::distance(const Schedule &a, const Schedule &b) {
  return (a.path != b.path) + (a.tileM != b.tileM) + (a.tileN != b.tileN) +
         (a.stages != b.stages) + (a.skip != b.skip) + (a.grid != b.grid) +
         (a.group != b.group);
}

Schedule tune::skipOffForm(const Schedule &schedule) {
  Schedule off = schedule;
  off.skip = Skip::Never;
  off.force = false;
  return off;
}
