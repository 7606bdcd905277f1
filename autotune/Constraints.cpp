//===- Constraints.cpp - Which candidates can work at all -----------------===//
#include "autotune/Constraints.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;

Constrained tune::constrain(const std::vector<Schedule> &candidates,
                            const Problem &problem, const Target &target) {
  Constrained result;
  for (const Schedule &candidate : candidates) {
    std::string why = whyIllegal(candidate, problem, target);
    if (why.empty())
      result.legal.push_back(candidate);
    else
      result.rejected.push_back({candidate, why});
  }
  return result;
}

/// The reason without its numbers.
static std::string kindOf(const std::string &reason) {
  std::string kind;
  for (char c : reason)
    if (!std::isdigit(static_cast<unsigned char>(c)))
      kind += c;
  return kind;
}

std::string Constrained::summary() const {
  struct Group {
    std::string kind;
    const Rejection *example;
    size_t count;
  };
  std::vector<Group> groups;
  for (const Rejection &one : rejected) {
    std::string kind = kindOf(one.reason);
    auto at = std::find_if(groups.begin(), groups.end(),
                           [&](const Group &g) { return g.kind == kind; });
    if (at == groups.end())
      groups.push_back({kind, &one, 1});
    else
      ++at->count;
  }
  std::stable_sort(
      groups.begin(), groups.end(),
      [](const Group &a, const Group &b) { return a.count > b.count; });
  std::string text;
  for (const Group &group : groups)
    text += fmt::format("{:5} rejected, as {}: {}\n", group.count,
                        group.example->schedule.str(), group.example->reason);
  return text;
}
