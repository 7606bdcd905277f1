//===- Schedule.cpp - What a schedule costs and when it is legal ----------===//
#include "tda/Schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

using namespace tda;

const char *tda::skipName(Skip skip) {
  return skip == Skip::Never ? "never" : "tile";
}

bool tda::parseSkip(const std::string &name, Skip &skip) {
  if (name != "never" && name != "tile")
    return false;
  skip = name == "never" ? Skip::Never : Skip::Tile;
  return true;
}

bool Schedule::operator==(const Schedule &o) const {
  return tileM == o.tileM && tileN == o.tileN && stages == o.stages &&
         warps == o.warps && skip == o.skip && group == o.group;
}

std::string Schedule::str() const {
  return fmt::format("tile_m = {}, tile_n = {}, stages = {}, warps = {}, "
                     "skip = {}, group = {}",
                     tileM, tileN, stages, warps, skipName(skip), group);
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
    if (!number && key != "skip") {
      error = fmt::format("schedule: unknown word '{}'; known: tile_m, tile_n, "
                          "stages, warps, skip, group",
                          key);
      return false;
    }
    if (number && !parsePositive(value, *number)) {
      error = fmt::format("schedule: '{} = {}' is not a positive integer", key,
                          value);
      return false;
    }
    if (!number && !parseSkip(value, schedule.skip)) {
      error = fmt::format("schedule: unknown skip policy '{}'; known: never, "
                          "tile",
                          value);
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

int64_t tda::sharedBytes(const Schedule &s, const Problem &p) {
  return s.stages * s.tileN * (p.views * panelPitch(p.d) + panelPitch(p.dv));
}

// f32 accumulators and operand fragments that one thread keeps across the key
// loop: q of each view, o, and the scores of each view (mma.sync m16n8k16
// fragments, PTX ISA "Matrix fragments for mma.m16n8k16").
static int64_t liveRegisters(const Schedule &s, const Problem &p) {
  int64_t queries = p.views * p.d / 4;
  int64_t output = p.dv / 2;
  int64_t scores = p.views * s.tileN / 2;
  return queries + output + scores;
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

std::string tda::whyIllegal(const Schedule &s, const Problem &p,
                            const Target &t) {
  if (std::string why = whyMalformed(s); !why.empty())
    return why;
  if (std::string why = whyUnsupported(p, t); !why.empty())
    return why;
  if (t.path == Path::MmaSync)
    return whyIllegalMma(s, p, t);
  if (s.stages != 1 || s.warps != 1)
    return fmt::format("stages = {} and warps = {} must both be 1 on the CPU",
                       s.stages, s.warps);
  return "";
}

std::string tda::whyUnsupported(const Problem &p, const Target &t) {
  if (t.path == Path::Vector)
    return "";
  if (p.dtype == DType::F32)
    return fmt::format("f32 runs on the CPU only; {} takes bf16 or f16",
                       t.name);
  auto bad = [](int64_t d) { return d % 16 != 0 || d > 128; };
  if (bad(p.d) || bad(p.dv))
    return fmt::format("d = {}, dv = {}: the mma.sync path takes multiples of "
                       "16 up to 128",
                       p.d, p.dv);
  return "";
}

bool tda::defaultSchedule(const Problem &problem, const Target &target,
                          Schedule &schedule, std::string &error) {
  std::vector<Schedule> list;
  if (target.path == Path::Vector) {
    list = {{64, 64, 1, 1, Skip::Tile, 8}};
  } else {
    // f16 needs a row's largest weight before it can round any: beside a wide
    // output, or survivor counts, 64 keys at a time spill (ptxas 13.0, sm_80).
    bool narrow =
        problem.dtype == DType::F16 && (problem.dv > 64 || problem.stats);
    if (!narrow)
      list = {{128, 64, 3, 8, Skip::Tile, 8}, {128, 64, 2, 8, Skip::Tile, 8}};
    list.insert(list.end(), {{128, 32, 3, 8, Skip::Tile, 8},
                             {128, 32, 2, 8, Skip::Tile, 8},
                             {64, 32, 2, 4, Skip::Tile, 8},
                             {64, 16, 2, 4, Skip::Tile, 8}});
  }
  for (const Schedule &candidate : list) {
    error = whyIllegal(candidate, problem, target);
    if (error.empty()) {
      schedule = candidate;
      return true;
    }
  }
  return false;
}
