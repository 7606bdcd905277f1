//===- RecordJson.cpp - Entries as JSON -----------------------------------===//
#include "autotune/Record.h"

#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

using namespace tda;
using namespace tda::tune;
using Json = nlohmann::ordered_json;

/// Three digits after the point are beyond any clock.
static double rounded(double value, double unit = 1e-3) {
  return std::round(value / unit) * unit;
}

static Json toJson(const Key &key) {
  return {{"problem", key.problem},      {"shape", key.shape},
          {"density", key.density},      {"target", key.target},
          {"device", key.device.name},   {"sms", key.device.sms},
          {"driver", key.device.driver}, {"codegen", key.codegen},
          {"ptxas", key.ptxas},          {"space", key.space},
          {"policy", key.policy}};
}

static Json toJson(const Sample &s) {
  Json json = {{"schedule", s.schedule.str()},
               {"status", statusName(s.status)}};
  if (s.measured()) {
    json["median_us"] = rounded(s.median);
    json["quartiles_us"] = {rounded(s.low), rounded(s.high)};
    json["repetitions"] = s.repetitions;
    json["error"] = rounded(s.error, 1e-9);
  }
  if (s.predicted > 0)
    json["predicted_us"] = rounded(s.predicted);
  if (s.order >= 0)
    json["order"] = s.order;
  if (s.registers)
    json["registers"] = s.registers;
  json["shared_bytes"] = s.sharedBytes;
  if (!s.ptx.empty())
    json["ptx"] = s.ptx;
  if (!s.reason.empty())
    json["reason"] = s.reason;
  return json;
}

static Json toJson(const Entry &e) {
  Json json = {{"schema", kRecordSchema},
               {"schema_version", kRecordVersion},
               {"key", toJson(e.key)},
               {"status", e.measured ? "measured" : "predicted"},
               {"winner", e.winner.str()},
               {"default", e.byDefault.str()},
               {"data",
                {{"source", e.achieved.source},
                 {"survivors_per_row", rounded(e.achieved.survivorsPerRow)},
                 {"live_tiles", rounded(e.achieved.liveTiles, 1e-5)}}},
               {"created", e.created},
               {"compiler", e.compiler},
               {"tuning_seconds", rounded(e.tuningSeconds)},
               {"disturbed", e.disturbed}};
  Json &samples = json["samples"] = Json::array();
  for (const Sample &sample : e.samples)
    samples.push_back(toJson(sample));
  return json;
}

namespace {
/// Reads fields and remembers the first thing that is wrong.
class Reader {
public:
  std::string error;

  template <typename T>
  void get(const Json &json, const char *name, T &value, bool needed = true) {
    if (!error.empty())
      return;
    if (!json.is_object() || !json.contains(name)) {
      if (needed)
        error = fmt::format("'{}' is missing", name);
      return;
    }
    try {
      value = json.at(name).get<T>();
    } catch (const Json::exception &) {
      error = fmt::format("'{}' has a value of another type", name);
    }
  }

  void schedule(const Json &json, const char *name, Schedule &value) {
    std::string text;
    get(json, name, text);
    if (!error.empty())
      return;
    // A word that is not there is the default of the struct, as in `str`.
    Schedule fresh;
    if (std::string why; Schedule::parse(text, fresh, why))
      value = fresh;
    else
      error = fmt::format("'{}': {}", name, why);
  }
};
} // namespace

static void fromJson(Reader &r, const Json &json, Key &key) {
  r.get(json, "problem", key.problem);
  r.get(json, "shape", key.shape);
  r.get(json, "density", key.density);
  r.get(json, "target", key.target);
  r.get(json, "device", key.device.name);
  r.get(json, "sms", key.device.sms);
  r.get(json, "driver", key.device.driver);
  r.get(json, "codegen", key.codegen);
  r.get(json, "ptxas", key.ptxas);
  r.get(json, "space", key.space);
  r.get(json, "policy", key.policy);
}

static void fromJson(Reader &r, const Json &json, Sample &s) {
  r.schedule(json, "schedule", s.schedule);
  std::string status;
  r.get(json, "status", status);
  s.status = status == "measured" ? Sample::Status::Measured
             : status == "failed" ? Sample::Status::Failed
                                  : Sample::Status::Predicted;
  if (r.error.empty() && status != statusName(s.status))
    r.error = fmt::format("'status': '{}' is not known", status);
  bool measured = s.measured();
  r.get(json, "median_us", s.median, measured);
  std::vector<double> quartiles;
  r.get(json, "quartiles_us", quartiles, measured);
  if (quartiles.size() == 2)
    s.low = quartiles[0], s.high = quartiles[1];
  if (r.error.empty() && measured && !(s.median > 0 && quartiles.size() == 2))
    r.error = "'median_us' and 'quartiles_us' are no timing";
  r.get(json, "repetitions", s.repetitions, measured);
  r.get(json, "error", s.error, false);
  r.get(json, "predicted_us", s.predicted, false);
  r.get(json, "order", s.order, false);
  r.get(json, "registers", s.registers, false);
  r.get(json, "shared_bytes", s.sharedBytes, false);
  r.get(json, "ptx", s.ptx, false);
  r.get(json, "reason", s.reason, false);
}

static bool fromJson(const Json &json, Entry &entry, std::string &error) {
  Reader r;
  std::string schema;
  int version = 0;
  r.get(json, "schema", schema);
  r.get(json, "schema_version", version);
  if (r.error.empty() && schema != kRecordSchema)
    r.error =
        fmt::format("the schema is '{}', not '{}'", schema, kRecordSchema);
  if (r.error.empty() && version != kRecordVersion)
    r.error = fmt::format("schema version {}; this tda reads version {}",
                          version, kRecordVersion);
  Entry e;
  if (r.error.empty())
    fromJson(r, json.contains("key") ? json["key"] : Json(), e.key);
  std::string status;
  r.get(json, "status", status);
  e.measured = status == "measured";
  r.schedule(json, "winner", e.winner);
  r.schedule(json, "default", e.byDefault);
  Json data = json.is_object() && json.contains("data") ? json["data"] : Json();
  r.get(data, "source", e.achieved.source, false);
  r.get(data, "survivors_per_row", e.achieved.survivorsPerRow, false);
  r.get(data, "live_tiles", e.achieved.liveTiles, false);
  r.get(json, "created", e.created, false);
  r.get(json, "compiler", e.compiler, false);
  r.get(json, "tuning_seconds", e.tuningSeconds, false);
  r.get(json, "disturbed", e.disturbed, false);
  Json samples;
  r.get(json, "samples", samples);
  if (r.error.empty() && !samples.is_array())
    r.error = "'samples' is not a list";
  for (size_t i = 0; r.error.empty() && i < samples.size(); ++i) {
    fromJson(r, samples[i], e.samples.emplace_back());
    if (!r.error.empty())
      r.error = fmt::format("samples[{}]: {}", i, r.error);
  }
  // A winner that nobody timed must not pass for measured.
  if (const Sample *best = e.find(e.winner);
      r.error.empty() && e.measured && !(best && best->measured()))
    r.error = "'winner' is called measured, but no sample of it is";
  error = r.error;
  if (!error.empty())
    return false;
  entry = std::move(e);
  return true;
}

static bool parseText(std::string_view text, Json &json, std::string &error) {
  json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded())
    error = "not JSON, or cut short";
  return !json.is_discarded();
}

std::string tune::printEntry(const Entry &entry) {
  return toJson(entry).dump(1) + "\n";
}

bool tune::parseEntry(std::string_view text, Entry &entry, std::string &error) {
  Json json;
  return parseText(text, json, error) && fromJson(json, entry, error);
}

std::string tune::printEntries(const std::vector<Entry> &entries) {
  Json json = {{"schema", kRecordSchema},
               {"schema_version", kRecordVersion},
               {"entries", Json::array()}};
  for (const Entry &entry : entries)
    json["entries"].push_back(toJson(entry));
  return json.dump(1) + "\n";
}

bool tune::parseEntries(std::string_view text, std::vector<Entry> &entries,
                        std::vector<std::string> &warnings,
                        std::string &error) {
  Json json;
  if (!parseText(text, json, error))
    return false;
  if (json.is_object() && json.contains("key")) { // one entry alone
    Entry entry;
    if (!fromJson(json, entry, error))
      return false;
    entries.push_back(std::move(entry));
    return true;
  }
  if (!json.is_object() || !json.contains("entries") ||
      !json["entries"].is_array()) {
    error = "no list of tuning entries";
    return false;
  }
  size_t index = 0;
  for (const Json &one : json["entries"]) {
    Entry entry;
    std::string why;
    if (fromJson(one, entry, why))
      entries.push_back(std::move(entry));
    else
      warnings.push_back(fmt::format("entries[{}]: {}", index, why));
    ++index;
  }
  return true;
}

bool tune::readEntries(const std::string &path, std::vector<Entry> &entries,
                       std::vector<std::string> &warnings, std::string &error) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    error = fmt::format("cannot read '{}'", path);
    return false;
  }
  size_t before = warnings.size();
  if (!parseEntries(text, entries, warnings, error)) {
    error = fmt::format("'{}': {}", path, error);
    return false;
  }
  for (size_t i = before; i < warnings.size(); ++i)
    warnings[i] = fmt::format("'{}': {}", path, warnings[i]);
  return true;
}
