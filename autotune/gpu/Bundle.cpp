//===- Bundle.cpp - Kernels and a plan for another machine ----------------===//
#include "autotune/gpu/Bundle.h"

#include "tda/Host/AtomicFile.h"
#include "tda/Manifest.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

using namespace tda;
using namespace tda::tune;
using Json = nlohmann::ordered_json;

std::string Bundle::kernelFolder(const Problem &problem,
                                 const Schedule &schedule) {
  return "kernels/" +
         sha256Hex(problem.str() + "\n" + schedule.str()).substr(0, 16);
}

const BundleKernel *Bundle::find(const Problem &problem,
                                 const Schedule &schedule) const {
  std::string p = problem.str(), s = schedule.str();
  for (const BundleKernel &kernel : kernels)
    if (kernel.problem == p && kernel.schedule == s)
      return &kernel;
  return nullptr;
}

std::string Bundle::manifestOf(const Problem &problem,
                               const Schedule &schedule) const {
  const BundleKernel *kernel = find(problem, schedule);
  if (!kernel || kernel->built.ptx.empty())
    return "";
  return fmt::format("{}/{}/attention.json", folder,
                     kernelFolder(problem, schedule));
}

bool Bundle::write(std::string &error) const {
  Json json = {{"schema", kBundleSchema},  {"schema_version", kBundleVersion},
               {"target", target},         {"compiler", compiler},
               {"codegen", codegen},       {"policy", policy},
               {"ptxas", ptxas},           {"space", spaceName(space)},
               {"candidates", candidates}, {"seconds", seconds}};
  for (const auto &[w, exhaustive] : plan)
    json["plan"].push_back({{"problem", w.problem.str()},
                            {"shape", shapeText(w.lengths)},
                            {"density", w.density.name()},
                            {"exhaustive", exhaustive}});
  for (const BundleKernel &k : kernels) {
    Json one = {{"problem", k.problem},
                {"schedule", k.schedule},
                {"good", k.built.good}};
    if (k.built.registers)
      one["registers"] = k.built.registers;
    if (!k.built.ptx.empty())
      one["ptx"] = k.built.ptx;
    if (!k.built.reason.empty())
      one["reason"] = k.built.reason;
    json["kernels"].push_back(one);
  }
  return host::writeFileAtomically(folder + "/bundle.json",
                                   {json.dump(1) + "\n"}, error);
}

static bool readPlan(const Json &json, std::vector<Planned> &plan,
                     std::string &error) {
  for (const Json &one : json) {
    Workload w;
    if (!Problem::parse(one.at("problem"), w.problem, error) ||
        !parseShape(one.at("shape"), w.lengths, error) ||
        !Density::parse(one.at("density"), w.density, error))
      return false;
    plan.push_back({std::move(w), one.at("exhaustive")});
  }
  return true;
}

bool Bundle::read(const std::string &folder, Bundle &bundle,
                  std::string &error) {
  std::string path = folder + "/bundle.json";
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    error = fmt::format("cannot read '{}'; 'tda-autotune --emit-bundle' writes "
                        "it",
                        path);
    return false;
  }
  Json json = Json::parse(text, nullptr, false);
  Bundle read;
  read.folder = folder;
  try {
    if (json.is_discarded() || json.at("schema") != kBundleSchema) {
      error = fmt::format("'{}' is no tuning bundle", path);
      return false;
    }
    int version = json.at("schema_version");
    read.codegen = json.at("codegen");
    read.policy = json.at("policy");
    if (version != kBundleVersion || read.codegen != kCodegenClass ||
        read.policy != kPolicyVersion) {
      error = fmt::format("'{}' is of another revision of tda: schema {}, code "
                          "{}, way to measure {}; this one has {}, {} and {}. "
                          "Emit it again",
                          path, version, read.codegen, read.policy,
                          kBundleVersion, kCodegenClass, kPolicyVersion);
      return false;
    }
    read.target = json.at("target");
    read.compiler = json.at("compiler");
    read.ptxas = json.at("ptxas");
    read.candidates = json.at("candidates");
    read.seconds = json.at("seconds");
    if (!parseSpace(json.at("space"), read.space)) {
      error = fmt::format("'{}': unknown space", path);
      return false;
    }
    if (json.contains("plan") && !readPlan(json["plan"], read.plan, error)) {
      error = fmt::format("'{}': plan: {}", path, error);
      return false;
    }
    for (const Json &one : json.value("kernels", Json::array()))
      read.kernels.push_back(
          {one.at("problem"), one.at("schedule"),
           Built{one.at("good"), one.value("reason", ""),
                 one.value("registers", 0), one.value("ptx", "")}});
  } catch (const Json::exception &problem) {
    error = fmt::format("'{}' is no tuning bundle: {}", path, problem.what());
    return false;
  }
  bundle = std::move(read);
  return true;
}

std::vector<Built>
BundleBuilder::build(const Problem &problem,
                     const std::vector<Schedule> &schedules) {
  std::vector<Built> results;
  for (const Schedule &schedule : schedules) {
    const BundleKernel *kernel = bundle.find(problem, schedule);
    results.push_back(
        kernel ? kernel->built
               : Built{false, "the bundle has no kernel of it", 0, ""});
  }
  return results;
}
