//===- Schedule.cpp - A schedule as text ----------------------------------===//
#include "tda/Schedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <sstream>
#include <vector>

using namespace tda;

namespace {
/// The words for the values of one enum, in their order.
template <typename Enum> struct Words {
  std::vector<const char *> names;

  const char *name(Enum value) const { return names[size_t(value)]; }
  bool parse(const std::string &name, Enum &value) const {
    for (size_t i = 0; i < names.size(); ++i)
      if (name == names[i]) {
        value = Enum(i);
        return true;
      }
    return false;
  }
  std::string known() const {
    return fmt::format("{}", fmt::join(names, ", "));
  }
};
const Words<Skip> skips{{"never", "tile", "steps", "adaptive"}};
const Words<Grid> grids{{"plain", "persistent"}};
} // namespace

const char *tda::skipName(Skip skip) { return skips.name(skip); }
bool tda::parseSkip(const std::string &name, Skip &skip) {
  return skips.parse(name, skip);
}
const char *tda::gridName(Grid grid) { return grids.name(grid); }
bool tda::parseGrid(const std::string &name, Grid &grid) {
  return grids.parse(name, grid);
}

static bool parsePath(const std::string &name, Path &path) {
  for (Path known : {Path::MmaSync, Path::Wgmma})
    if (name == pathName(known)) {
      path = known;
      return true;
    }
  return false;
}

bool Schedule::operator==(const Schedule &o) const {
  return tileM == o.tileM && tileN == o.tileN && stages == o.stages &&
         warps == o.warps && skip == o.skip && group == o.group &&
         path == o.path && grid == o.grid && force == o.force;
}

std::string Schedule::str() const {
  std::string text =
      fmt::format("tile_m = {}, tile_n = {}, stages = {}, warps = {}, "
                  "skip = {}, group = {}",
                  tileM, tileN, stages, warps, skipName(skip), group);
  if (path == Path::Wgmma)
    text += fmt::format(", path = {}", pathName(path));
  if (grid != Grid::Plain)
    text += fmt::format(", grid = {}", gridName(grid));
  if (force)
    text += ", force = true";
  return text;
}

static bool parsePositive(const std::string &text, int64_t &value) {
  if (text.empty() || text.size() > 9 ||
      text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  value = std::stoll(text);
  return value > 0;
}

bool Schedule::parse(const std::string &text, Schedule &schedule,
                     std::string &error) {
  // Commas and spaces both separate; "a = b" and "a=b" mean the same.
  std::string spaced;
  for (char c : text)
    spaced += c == ','   ? std::string(" ")
              : c == '=' ? std::string(" = ")
                         : std::string(1, c);
  std::istringstream in(spaced);
  std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
  std::vector<std::string> seen;
  for (size_t i = 0; i < words.size(); i += 3) {
    const std::string &key = words[i];
    if (i + 2 >= words.size() || words[i + 1] != "=") {
      error = fmt::format("schedule: expected '{} = VALUE'", key);
      return false;
    }
    for (const std::string &other : seen)
      if (other == key) {
        error = fmt::format("schedule: '{}' is given twice", key);
        return false;
      }
    seen.push_back(key);
    const std::string &value = words[i + 2];
    int64_t *number = key == "tile_m"   ? &schedule.tileM
                      : key == "tile_n" ? &schedule.tileN
                      : key == "stages" ? &schedule.stages
                      : key == "warps"  ? &schedule.warps
                      : key == "group"  ? &schedule.group
                                        : nullptr;
    if (number) {
      if (!parsePositive(value, *number)) {
        error = fmt::format("schedule: '{} = {}' is not a positive integer",
                            key, value);
        return false;
      }
      continue;
    }
    bool known = true;
    std::string choices;
    if (key == "skip") {
      known = parseSkip(value, schedule.skip);
      choices = skips.known();
    } else if (key == "path") {
      known = parsePath(value, schedule.path);
      choices = "mma_sync, wgmma";
    } else if (key == "grid") {
      known = parseGrid(value, schedule.grid);
      choices = grids.known();
    } else if (key == "force") {
      known = value == "true" || value == "false";
      schedule.force = value == "true";
      choices = "true, false";
    } else {
      error = fmt::format("schedule: unknown word '{}'; known: tile_m, tile_n, "
                          "stages, warps, skip, group, path, grid, force",
                          key);
      return false;
    }
    if (!known) {
      error = fmt::format("schedule: unknown {} '{}'; known: {}",
                          key == "skip" ? "skip policy" : key, value, choices);
      return false;
    }
  }
  error = whyMalformed(schedule);
  return error.empty();
}

std::string tda::whyMalformed(const Schedule &s) {
  auto positive = [](const char *name, int64_t v) {
    return v > 0 ? std::string()
                 : fmt::format("{} = {} must be at least 1", name, v);
  };
  for (const std::string &why :
       {positive("tile_m", s.tileM), positive("tile_n", s.tileN),
        positive("stages", s.stages), positive("warps", s.warps),
        positive("group", s.group)})
    if (!why.empty())
      return why;
  if (s.tileM % 16 || s.tileM > 1024)
    return fmt::format("tile_m = {} must be a multiple of 16, at most 1024",
                       s.tileM);
  if (s.tileN % 16 || s.tileN > 1024)
    return fmt::format("tile_n = {} must be a multiple of 16, at most 1024",
                       s.tileN);
  if (s.group > 1024)
    return fmt::format("group = {} must be at most 1024 heads", s.group);
  return "";
}
