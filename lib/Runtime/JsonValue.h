//===- JsonValue.h - Strict reading of JSON --------------------*- C++ -*-===//
//
// A JSON value together with its place in the document, read strictly: no
// missing, unknown or duplicate key, no conversion between types. A mismatch
// throws JsonError, which the one function that reads a document catches; a
// reader that tested after every field would be twice as long.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_RUNTIME_JSONVALUE_H
#define TDA_LIB_RUNTIME_JSONVALUE_H

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tda {

/// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

struct JsonError {
  std::string message;
};

/// Parses one document; throws JsonError on bad syntax or a duplicate key.
Json parseJson(std::string_view text);

class JsonValue {
public:
  /// `path` is "$" for the document, then for example
  /// "$.kernels[0].params[2].type".
  JsonValue(const Json &json, std::string path)
      : json(json), path(std::move(path)) {}

  [[noreturn]] void fail(const std::string &message) const;

  /// Requires an object with exactly the keys `required`, and any of
  /// `optional`.
  void requireKeys(std::initializer_list<const char *> required,
                   std::initializer_list<const char *> optional = {}) const;
  bool has(const char *key) const;
  bool isNull() const { return json.is_null(); }

  JsonValue operator[](const char *key) const;
  JsonValue item(size_t index) const;

  /// Requires an array of [min, max] elements; returns how many.
  size_t arraySize(size_t min, size_t max) const;

  bool boolean() const;
  bool isString() const { return json.is_string(); }
  std::string string() const;
  std::optional<std::string> stringOrNull() const;
  double number() const;
  /// Requires an integer in [min, max].
  int64_t integer(int64_t min = INT64_MIN, int64_t max = INT64_MAX) const;

  const Json &json;
  const std::string path;

private:
  [[noreturn]] void failType(const char *wanted) const;
};

} // namespace tda

#endif // TDA_LIB_RUNTIME_JSONVALUE_H
