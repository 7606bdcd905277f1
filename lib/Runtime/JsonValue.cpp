//===- JsonValue.cpp - Strict reading of JSON -----------------------------===//
#include "JsonValue.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <vector>

namespace tda {

Json parseJson(std::string_view text) {
  // The library keeps the last of two equal keys; here that is an error.
  std::vector<std::set<std::string>> keys;
  auto watch = [&](int, Json::parse_event_t event, Json &value) {
    if (event == Json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == Json::parse_event_t::key &&
             !keys.back().insert(value.get<std::string>()).second)
      throw JsonError{fmt::format("the key '{}' appears twice in one object",
                                  value.get<std::string>())};
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception &exception) {
    // "[json.exception.parse_error.101] parse error at line 1, ...".
    std::string message = exception.what();
    size_t end = message.find("] ");
    throw JsonError{"not valid JSON: " + (end == std::string::npos
                                              ? message
                                              : message.substr(end + 2))};
  }
}

void JsonValue::fail(const std::string &message) const {
  throw JsonError{path + ": " + message};
}

void JsonValue::failType(const char *wanted) const {
  fail(fmt::format("must be {}, but is of type {}", wanted, json.type_name()));
}

void JsonValue::requireKeys(
    std::initializer_list<const char *> required,
    std::initializer_list<const char *> optional) const {
  if (!json.is_object())
    failType("an object");
  for (const char *key : required)
    if (!json.contains(key))
      fail(fmt::format("the key '{}' is missing", key));
  for (const auto &[key, value] : json.items()) {
    auto equalsKey = [&key = key](const char *known) { return key == known; };
    if (std::none_of(required.begin(), required.end(), equalsKey) &&
        std::none_of(optional.begin(), optional.end(), equalsKey)) {
      std::vector<const char *> known(required);
      known.insert(known.end(), optional.begin(), optional.end());
      fail(fmt::format("unknown key '{}'; known are {}", key,
                       fmt::join(known, ", ")));
    }
  }
}

bool JsonValue::has(const char *key) const { return json.contains(key); }

JsonValue JsonValue::operator[](const char *key) const {
  return {json.at(key), path + "." + key};
}

JsonValue JsonValue::item(size_t index) const {
  return {json.at(index), fmt::format("{}[{}]", path, index)};
}

size_t JsonValue::arraySize(size_t min, size_t max) const {
  if (!json.is_array())
    failType("an array");
  if (json.size() < min || json.size() > max)
    fail(min == max ? fmt::format("must have {} elements, but has {}", min,
                                  json.size())
                    : fmt::format("must have {} to {} elements, but has {}",
                                  min, max, json.size()));
  return json.size();
}

bool JsonValue::boolean() const {
  if (!json.is_boolean())
    failType("true or false");
  return json.get<bool>();
}

std::string JsonValue::string() const {
  if (!json.is_string())
    failType("a string");
  return json.get<std::string>();
}

std::optional<std::string> JsonValue::stringOrNull() const {
  if (json.is_null())
    return std::nullopt;
  if (!json.is_string())
    failType("a string or null");
  return json.get<std::string>();
}

double JsonValue::number() const {
  if (!json.is_number())
    failType("a number");
  return json.get<double>();
}

int64_t JsonValue::integer(int64_t min, int64_t max) const {
  if (!json.is_number_integer())
    failType("an integer");
  bool fits = !json.is_number_unsigned() ||
              json.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
  int64_t value = json.get<int64_t>();
  if (!fits || value < min || value > max)
    fail(fmt::format("{} is not in [{}, {}]", json.dump(), min, max));
  return value;
}

} // namespace tda
