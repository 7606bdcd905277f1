//===- SearchSpace.h - The candidate schedules of a problem ----*- C++ -*-===//
//
// Lists candidates by axes. It does not know whether they are legal (see
// Constraints.h) or fast (see CostModel.h). The registers of warp groups follow
// from schedule and problem (registerSplit of Schedule.h), so they are no axis.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_SEARCHSPACE_H
#define TDA_AUTOTUNE_SEARCHSPACE_H

#include "tda/Schedule.h"

#include <string>
#include <vector>

namespace tda::tune {

/// How much is listed.
enum class SpaceSize {
  Bounded, ///< About 64 legal candidates, so that all can be measured.
  Full,    ///< Every value of every axis: some thousands.
};
const char *spaceName(SpaceSize size); // "bounded", "full"
bool parseSpace(const std::string &name, SpaceSize &size);

/// The values of each axis on one path.
struct Axes {
  Path path = Path::MmaSync;
  std::vector<int64_t> tileM, tileN;
  /// Ring slots: a number, or 0 for as many as fit, at most `mostStages`, or a
  /// negative one for so many fewer than fit.
  std::vector<int64_t> stages;
  int64_t mostStages = 12;
  std::vector<Skip> skip;
  std::vector<Grid> grid;
  std::vector<int64_t> group;
};

class SearchSpace {
public:
  SearchSpace(const Problem &problem, const Target &target,
              SpaceSize size = SpaceSize::Bounded);

  const std::vector<Axes> &axes() const { return lists; }
  /// Every combination, those that differ in nothing listed once, and what
  /// defaultSchedule gives for each path.
  std::vector<Schedule> candidates() const;
  /// 12 hex digits that change with any value of any axis.
  std::string hash() const;

private:
  int64_t resolveStages(int64_t stages, int64_t most, Schedule schedule) const;

  Problem problem;
  const Target *target;
  SpaceSize size;
  std::vector<Axes> lists;
};

/// The number of axes in which two schedules differ.
int distance(const Schedule &a, const Schedule &b);

/// `schedule` with nothing skipped: must give the same bits.
Schedule skipOffForm(const Schedule &schedule);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_SEARCHSPACE_H
