//===- DrawSchedule.cpp - A legal schedule at random ----------------------===//
//
// Draws all fields and keeps what whyIllegal lets pass, so that the rules stay
// in one place. std::mt19937_64 and the remainder are the same everywhere,
// which std::uniform_int_distribution is not.
//
//===----------------------------------------------------------------------===//
#include "DrawSchedule.h"

#include <initializer_list>
#include <random>

using namespace tda;

namespace {
class Drawer {
public:
  explicit Drawer(uint64_t seed) : random(seed) {}

  int64_t below(int64_t bound) { return int64_t(random() % uint64_t(bound)); }

  template <typename T> T oneOf(std::initializer_list<T> values) {
    return values.begin()[below(int64_t(values.size()))];
  }

  Schedule drawWgmma() {
    Schedule s;
    s.path = Path::Wgmma;
    s.tileM = oneOf<int64_t>({64, 128, 128, 192, 192});
    s.tileN = oneOf<int64_t>({64, 128, 32 + 16 * below(15)});
    s.stages = 2 + below(11);
    s.warps = s.tileM / 16;
    s.skip = oneOf({Skip::Never, Skip::Tile, Skip::Steps, Skip::Adaptive});
    s.group = oneOf<int64_t>({1, 3, 8, 64});
    s.grid = oneOf({Grid::Plain, Grid::Plain, Grid::Persistent});
    return s;
  }

  Schedule drawMma() {
    Schedule s;
    s.warps = oneOf<int64_t>({1, 2, 4, 8});
    s.tileM = 16 * s.warps;
    s.tileN = oneOf<int64_t>({16, 32, 32, 48, 64, 64});
    s.stages = 2 + below(3);
    s.skip = oneOf({Skip::Tile, Skip::Tile, Skip::Never});
    s.group = oneOf<int64_t>({1, 3, 8, 64});
    return s;
  }

private:
  std::mt19937_64 random;
};
} // namespace

bool tda::drawSchedule(const Problem &problem, const Target &target,
                       uint64_t seed, Schedule &schedule, std::string &error) {
  // A seed a kernel: consecutive ones must not start alike.
  Drawer drawer(seed * 0x9e3779b97f4a7c15 + 1);
  bool hasWgmma = whyNoForm(problem, target, Path::Wgmma).empty();
  bool hasMma = whyNoForm(problem, target, Path::MmaSync).empty();
  // One in eight where both exist.
  bool isMma = drawer.below(8) == 0;
  isMma = hasMma && (isMma || !hasWgmma);
  for (int attempt = 0; attempt < 4000; ++attempt) {
    schedule = isMma ? drawer.drawMma() : drawer.drawWgmma();
    error = whyIllegal(schedule, problem, target);
    if (error.empty())
      return true;
  }
  error = "no legal schedule was drawn; the last one: " + error;
  return false;
}
