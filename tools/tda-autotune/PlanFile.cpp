//===- PlanFile.cpp - A list of what to tune ------------------------------===//
#include "Options.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

using namespace tda;
using namespace tda::tune;
using Json = nlohmann::json;

static bool addItem(const Json &item, std::vector<Planned> &plan,
                    std::set<std::string> &seen, std::string &error) {
  Problem problem;
  std::vector<host::Lengths> shapes;
  if (!Problem::parse(item.at("attention"), problem, error) ||
      !parseShapes(item.at("shapes"), shapes, error))
    return false;
  for (const std::string &name :
       splitCommas(item.at("density").get<std::string>())) {
    Density density;
    if (!Density::parse(name, density, error))
      return false;
    for (const host::Lengths &lengths : shapes) {
      Planned planned{{problem, lengths, density},
                      item.value("exhaustive", false)};
      if (seen.insert(planned.workload.str()).second)
        plan.push_back(std::move(planned));
    }
  }
  return true;
}

bool tda::readPlanFile(const std::string &path, std::vector<Planned> &plan,
                       std::string &error) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    error = fmt::format("cannot read '{}'", path);
    return false;
  }
  Json json = Json::parse(text, nullptr, false);
  std::set<std::string> seen;
  size_t index = 0;
  try {
    for (const Json &item : json.at("plan")) {
      if (!addItem(item, plan, seen, error)) {
        error = fmt::format("'{}': plan[{}]: {}", path, index, error);
        return false;
      }
      ++index;
    }
  } catch (const Json::exception &) {
    error = fmt::format("'{}' is no plan: {{\"plan\": [{{\"attention\": "
                        "\"...\", \"shapes\": \"B=1,H=16,N=512:8192\", "
                        "\"density\": \"null,real\"}}]}}",
                        path);
    return false;
  }
  return true;
}
