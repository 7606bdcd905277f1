//===- Workload.cpp - What is tuned for: problem, lengths, data -----------===//
#include "autotune/Workload.h"

#include "tda/Manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <map>

using namespace tda;
using namespace tda::tune;
using host::Lengths;

static std::vector<std::string> split(const std::string &text, char by) {
  std::vector<std::string> pieces(1);
  for (char c : text)
    if (c == by)
      pieces.emplace_back();
    else
      pieces.back() += c;
  return pieces;
}

std::string Density::name() const {
  switch (kind) {
  case Kind::Null:
    return "null";
  case Kind::Real:
    return "real";
  case Kind::Dense:
    return "dense";
  case Kind::Files:
    break;
  }
  std::string text;
  for (const std::string &file : files) {
    std::error_code code;
    auto bytes = std::filesystem::file_size(file, code);
    text += fmt::format("{}:{};", file, code ? 0 : bytes);
  }
  return "files-" + sha256Hex(text).substr(0, 12);
}

bool Density::parse(const std::string &text, Density &density,
                    std::string &error) {
  density.files.clear();
  if (text == "null")
    density.kind = Kind::Null;
  else if (text == "real")
    density.kind = Kind::Real;
  else if (text == "dense")
    density.kind = Kind::Dense;
  else {
    density.kind = Kind::Files;
    density.files = split(text, ',');
    for (const std::string &file : density.files) {
      if (std::filesystem::path(file).extension() != ".npy") {
        error = fmt::format("density '{}': must be null, real, dense or .npy "
                            "files, one an argument",
                            text);
        return false;
      }
      if (!std::filesystem::is_regular_file(file)) {
        error = fmt::format("density: there is no file '{}'", file);
        return false;
      }
    }
  }
  return true;
}

std::string Workload::str() const {
  return fmt::format("{}, {}, {}", problem.str(), shapeText(lengths),
                     density.name());
}

int64_t tune::bucketOf(int64_t length) {
  if (length < 2)
    return std::max<int64_t>(length, 0);
  return int64_t(1) << std::lround(std::log2(double(length)));
}

Lengths tune::bucketed(const Lengths &l) {
  Lengths bucket;
  bucket.B = 1;
  bucket.Hq = std::max<int64_t>(1, bucketOf(std::max<int64_t>(l.B, 1) * l.Hq));
  int64_t ratio = l.Hkv > 0 ? bucketOf(l.Hq / l.Hkv) : 1;
  bucket.Hkv = std::max<int64_t>(1, bucket.Hq / std::max<int64_t>(ratio, 1));
  bucket.Nq = bucketOf(l.Nq);
  bucket.Nk = bucketOf(l.Nk);
  return bucket;
}

std::string tune::shapeText(const Lengths &l) {
  return fmt::format("B={},Hq={},Hkv={},Nq={},Nk={}", l.B, l.Hq, l.Hkv, l.Nq,
                     l.Nk);
}

Lengths tune::usualLengths() { return {1, 16, 16, 8192, 8192}; }

static bool readNumber(const std::string &text, int64_t &number) {
  const char *end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, number);
  // 2^24 tokens and more are beyond what anybody tunes for.
  return code == std::errc() && stop == end && number >= 1 &&
         number <= (int64_t(1) << 24);
}

/// "4096" or "2048:65536": the buckets.
static bool readRange(const std::string &name, const std::string &text,
                      std::vector<int64_t> &values, std::string &error) {
  std::vector<std::string> ends = split(text, ':');
  int64_t from = 0, to = 0;
  if (ends.size() > 2 || !readNumber(ends[0], from) ||
      !readNumber(ends.back(), to) || from > to) {
    error = fmt::format("shapes: '{}={}' must be a number from 1 to 16777216, "
                        "or FROM:TO with FROM <= TO",
                        name, text);
    return false;
  }
  // A batch is no bucket of its own: only B * Hq is rounded, as a whole.
  if (ends.size() == 1) {
    values = {from};
    return true;
  }
  for (int64_t value = bucketOf(from); value <= bucketOf(to); value *= 2)
    values.push_back(value);
  return true;
}

namespace {
constexpr std::array<const char *, 5> kNames = {"B", "Hq", "Hkv", "Nq", "Nk"};
using Values = std::array<std::vector<int64_t>, 5>;
} // namespace

static bool readValues(const std::string &text, Values &values, bool &pairsN,
                       std::string &error) {
  std::map<std::string, std::vector<int64_t>> given;
  for (const std::string &piece : split(text, ',')) {
    size_t equals = piece.find('=');
    std::string name = piece.substr(0, equals);
    bool known = name == "H" || name == "N" ||
                 std::find(kNames.begin(), kNames.end(), name) != kNames.end();
    if (equals == std::string::npos || !known) {
      error = fmt::format("shapes: '{}' is not NAME=NUMBER or NAME=FROM:TO; "
                          "known names: B, H, N, Hq, Hkv, Nq, Nk",
                          piece);
      return false;
    }
    if (given.count(name)) {
      error = fmt::format("shapes: '{}' is given twice", name);
      return false;
    }
    if (!readRange(name, piece.substr(equals + 1), given[name], error))
      return false;
  }
  pairsN = !given.count("Nq") && !given.count("Nk");
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::string own = kNames[i], common = own.substr(0, 1);
    if (given.count(own))
      values[i] = given[own];
    else if (given.count(common))
      values[i] = given[common];
    else if (own == "B")
      values[i] = {1};
    else {
      error = fmt::format("shapes: the length {} is missing; "
                          "\"B=1,H=16,N=2048:65536\" gives all of them",
                          common);
      return false;
    }
  }
  return true;
}

bool tune::parseShapes(const std::string &text, std::vector<Lengths> &shapes,
                       std::string &error) {
  Values values;
  bool pairsN = false;
  if (!readValues(text, values, pairsN, error))
    return false;
  bool pairsH = values[1] == values[2];
  std::map<std::string, bool> seen;
  for (int64_t b : values[0])
    for (int64_t hq : values[1])
      for (int64_t hkv : values[2])
        for (int64_t nq : values[3])
          for (int64_t nk : values[4]) {
            // N and H stand for two lengths that are equal.
            if ((pairsN && nq != nk) || (pairsH && hq != hkv))
              continue;
            Lengths lengths{b, hq, hkv, nq, nk};
            if (std::string why = host::checkLengths(lengths); !why.empty()) {
              error = "shapes: " + why;
              return false;
            }
            Lengths bucket = bucketed(lengths);
            if (seen.emplace(shapeText(bucket), true).second)
              shapes.push_back(bucket);
          }
  return true;
}

bool tune::parseShape(const std::string &text, Lengths &lengths,
                      std::string &error) {
  Values values;
  bool pairsN = false;
  if (!readValues(text, values, pairsN, error))
    return false;
  for (const std::vector<int64_t> &one : values)
    if (one.size() != 1) {
      error = fmt::format("shape '{}': one number a length", text);
      return false;
    }
  lengths = {values[0][0], values[1][0], values[2][0], values[3][0],
             values[4][0]};
  error = host::checkLengths(lengths);
  return error.empty();
}
