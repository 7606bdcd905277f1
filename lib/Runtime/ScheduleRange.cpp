//===- ScheduleRange.cpp - Which schedule is for which lengths ------------===//
#include "tda/Package.h"

#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace tda;

static std::string trim(std::string_view text) {
  size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos)
    return "";
  return std::string(
      text.substr(first, text.find_last_not_of(' ') + 1 - first));
}

static std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> pieces;
  for (size_t at; (at = text.find(by)) != std::string_view::npos;
       text.remove_prefix(at + 1))
    pieces.push_back(trim(text.substr(0, at)));
  pieces.push_back(trim(text));
  return pieces;
}

/// "Nk <= 2048" into the range of Nk.
static bool parseCondition(const std::string &text, LengthCover &covers,
                           std::string &error) {
  size_t op = text.find_first_of("<>");
  bool hasOp = op != std::string::npos && text.substr(op + 1, 1) == "=";
  Length length;
  if (!hasOp || !parseLength(trim(text.substr(0, op)), length)) {
    error = fmt::format("'{}' is not LENGTH <= NUMBER or LENGTH >= NUMBER; "
                        "lengths are B, Hq, Hkv, Nq, Nk",
                        text);
    return false;
  }
  std::string digits = trim(text.substr(op + 2));
  int64_t value = 0;
  auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc() || end != digits.data() + digits.size() ||
      value < 0) {
    error = fmt::format("'{}': '{}' is no length", text, digits);
    return false;
  }
  LengthRange &range =
      covers.try_emplace(length, LengthRange{0, INT64_MAX, {}}).first->second;
  if (text[op] == '<')
    range.max = std::min(range.max, value);
  else
    range.min = std::max(range.min, value);
  if (range.min <= range.max)
    return true;
  error = fmt::format("'{}' leaves no {} that is covered", text,
                      lengthName(length));
  return false;
}

bool tda::parseScheduleRanges(const std::string &text,
                              std::vector<ScheduleRange> &ranges,
                              std::string &error) {
  ranges.clear();
  for (const std::string &entry : split(text, ';')) {
    size_t colon = entry.find(':');
    if (colon == std::string::npos) {
      error =
          fmt::format("'{}' has no ':' between lengths and schedule", entry);
      return false;
    }
    ScheduleRange range;
    std::string conditions = trim(entry.substr(0, colon));
    if (!conditions.empty())
      for (const std::string &condition : split(conditions, ','))
        if (!parseCondition(condition, range.covers, error))
          return false;
    range.schedule = trim(entry.substr(colon + 1));
    ranges.push_back(std::move(range));
  }
  return true;
}

std::string tda::coverText(const LengthCover &covers) {
  std::vector<std::string> parts;
  for (const auto &[length, range] : covers) {
    const char *name = lengthName(length);
    if (range.min > 0 && range.max < INT64_MAX)
      parts.push_back(
          fmt::format("{} in [{}, {}]", name, range.min, range.max));
    else if (range.min > 0)
      parts.push_back(fmt::format("{} >= {}", name, range.min));
    else
      parts.push_back(fmt::format("{} <= {}", name, range.max));
  }
  return parts.empty() ? "all lengths"
                       : fmt::format("{}", fmt::join(parts, ", "));
}
