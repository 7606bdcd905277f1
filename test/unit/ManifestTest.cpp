//===- ManifestTest.cpp - Reading, printing, the schema, the header -------===//
#include "fake_cuda/Example.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace tda;
using Json = nlohmann::json;

namespace {

const std::string Docs = TDA_TEST_DATA "/../../docs";
const std::string Include = TDA_TEST_DATA "/../../include";

std::string parseError(const std::string &text) {
  Manifest manifest;
  manifest.name = "untouched";
  std::string error;
  EXPECT_FALSE(parseManifest(text, manifest, error)) << text;
  EXPECT_EQ(manifest.name, "untouched");
  return error;
}

/// The error after putting `value` at `pointer` (a JSON pointer).
std::string errorWith(const std::string &pointer, const Json &value) {
  Json json = Json::parse(exampleText());
  json[Json::json_pointer(pointer)] = value;
  return parseError(json.dump());
}

std::string errorWithout(const std::string &pointer) {
  Json json = Json::parse(exampleText());
  Json::json_pointer place(pointer);
  json[place.parent_pointer()].erase(place.back());
  return parseError(json.dump());
}

TEST(Manifest, RoundTrip) {
  Manifest manifest;
  std::string error;
  ASSERT_TRUE(parseManifest(exampleText(), manifest, error)) << error;
  EXPECT_EQ(printManifest(manifest), exampleText());
}

TEST(Manifest, RoundTripOfEveryField) {
  Manifest manifest = exampleManifest(), read;
  manifest.files.cubin = "attention.cubin";
  manifest.hashes.cubin = hashText("cubin");
  manifest.compiler.ptxas = "13.0";
  manifest.workspace = "B * Hq";
  manifest.lengths[Length::Nk].equals = 512;
  manifest.kernels.push_back(manifest.kernels[0]);
  manifest.kernels[1].params.push_back(KernelParam::workspace("B"));
  manifest.schedule = "quotes \" and \\ and \n";
  ASSERT_TRUE(Problem::parse("views=1 d=96 dv=64 dtype=f16 window=7 power=2.5 "
                             "kappa=0.1 beta=scalar norm eps=1e-6 stats",
                             manifest.problem, read.name));
  std::string text = printManifest(manifest), error;
  ASSERT_TRUE(parseManifest(text, read, error)) << error;
  EXPECT_EQ(printManifest(read), text);
  EXPECT_EQ(read.problem.str(), manifest.problem.str());
  EXPECT_EQ(read.problem.kappa, 0.1);
  EXPECT_EQ(read.schedule, manifest.schedule);
}

TEST(Manifest, Sha256) {
  EXPECT_EQ(sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Manifest, Syntax) {
  EXPECT_NE(parseError("").find("not valid JSON: parse error"),
            std::string::npos);
  EXPECT_NE(parseError(exampleText().substr(0, 500)).find("not valid JSON"),
            std::string::npos);
  EXPECT_NE(parseError("{\"schema\": \"\xff\"}").find("not valid JSON"),
            std::string::npos);
  EXPECT_NE(parseError(std::string(100000, '[')).find("not valid JSON"),
            std::string::npos);
  EXPECT_EQ(parseError("{\"a\": 1, \"a\": 2}"),
            "the key 'a' appears twice in one object");
  for (const char *text : {"[]", "3", "{}", "{\"schema\": 1}"})
    EXPECT_NE(parseError(text).find("this is not a manifest of tda-compile"),
              std::string::npos);
}

TEST(Manifest, OtherSchemaVersion) {
  EXPECT_EQ(errorWith("/schema_version", 2),
            "$.schema_version: the file has schema version 2, this build reads "
            "version 1; recompile the kernel with the tda-compile of this "
            "build");
  EXPECT_EQ(errorWith("/schema_version", "1"),
            "$.schema_version: must be an integer, but is of type string");
}

TEST(Manifest, MissingAndUnknownKeysAnywhere) {
  EXPECT_EQ(errorWithout("/target/arch"),
            "$.target: the key 'arch' is missing");
  EXPECT_EQ(errorWith("/target/color", 1),
            "$.target: unknown key 'color'; known are arch, ptx_isa, "
            "min_driver");
  // Each object of the example, found by walking it.
  Json example = Json::parse(exampleText());
  std::function<void(const Json &, Json::json_pointer)> walk =
      [&](const Json &json, Json::json_pointer place) {
        if (!json.is_structured())
          return;
        if (json.is_object()) {
          EXPECT_NE(errorWith((place / "extra").to_string(), 1), "");
        }
        for (const auto &[key, value] : json.items()) {
          if (json.is_object()) {
            EXPECT_NE(errorWithout((place / key).to_string()), "") << key;
          }
          walk(value, json.is_array() ? place / std::stoul(key) : place / key);
        }
      };
  walk(example, Json::json_pointer());
}

TEST(Manifest, WrongTypesAndValues) {
  struct {
    std::string place;
    Json value;
    std::string error;
  } cases[] = {
      {"/name", 3, "$.name: must be a string, but is of type number"},
      {"/name", "a b", "$.name: 'a b' is not a C identifier"},
      {"/target", 1, "$.target: must be an object, but is of type number"},
      {"/target/arch", "gfx90a",
       "$.target.arch: 'gfx90a' is not an "
       "architecture such as sm_80 or sm_90a"},
      {"/target/min_driver", 1.5,
       "$.target.min_driver: must be an integer, but is of type number"},
      {"/target/min_driver", 18446744073709551615u,
       "$.target.min_driver: 18446744073709551615 is not in [1000, 1000000]"},
      {"/problem/dtype", "f8",
       "$.problem.dtype: unknown dtype 'f8'; known are f32, bf16, f16, i32, "
       "i64"},
      {"/problem/d", 64,
       "$.problem.shorthand: 'views=2 d=128 dv=128 dtype=bf16 causal power=2 "
       "normalize offset=arg' contradicts the other fields, which say 'views=2 "
       "d=64 dv=128 dtype=bf16 causal power=2 normalize offset=arg'"},
      {"/arguments/0/kind", "buffer",
       "$.arguments[0].kind: unknown kind 'buffer'; known are tensor, scalar"},
      {"/arguments/1/name", "q1", "$.arguments[1].name: 'q1' is used twice"},
      {"/arguments/0/direction", "out",
       "$.arguments[1].direction: inputs come before outputs"},
      {"/arguments/0/shape/0", "N",
       "$.arguments[0].shape[0]: unknown length 'N'; known are B, Hq, Hkv, Nq, "
       "Nk"},
      {"/arguments/0/shape/3", 0,
       "$.arguments[0].shape[3]: 0 is not in [1, 9223372036854775807]"},
      {"/arguments/0/alignment", 24,
       "$.arguments[0].alignment: 24 is not a power of 2 up to 256 bytes"},
      {"/arguments/7/dtype", "i32",
       "$.arguments[7].dtype: a scalar is i64, not i32"},
      {"/lengths/B/max", -1,
       "$.lengths.B.max: -1 is not in [0, 9223372036854775807]"},
      {"/lengths/Hq/max", 0,
       "$.lengths.Hq: needs 0 <= min <= max, but min = 1, max = 0"},
      {"/lengths/B/equals", 70000,
       "$.lengths.B.equals: 70000 is not in [0, 65535]"},
      {"/lengths/Nk/max", 2147483648,
       "$.kernels[0].params[31].length: max = 2147483648 of Nk does not fit an "
       "i32 parameter"},
      {"/kernels", Json::array(),
       "$.kernels: must have 1 to 8 elements, but has 0"},
      {"/kernels/0/entry", "a-b",
       "$.kernels[0].entry: 'a-b' is not a PTX identifier"},
      {"/kernels/0/params/0/argument", "q9",
       "$.kernels[0].params[0].argument: 'q9' is no tensor argument"},
      {"/kernels/0/params/0/type", "i64",
       "$.kernels[0].params[0].type: is 'i64', but such a parameter has type "
       "'ptr'"},
      {"/kernels/0/params/1/stride/axis", 4,
       "$.kernels[0].params[1].stride.axis: 4 is outside the shape [B, Hq, Nq, "
       "128] of 'q1'"},
      {"/kernels/0/params/22/scalar", "q1",
       "$.kernels[0].params[22].scalar: 'q1' is no scalar argument"},
      {"/kernels/0/grid/0", "Nq / / 2",
       "$.kernels[0].grid[0]: expression 'Nq / / 2', column 6: expected an "
       "integer, a length, a function or '('"},
      {"/kernels/0/grid", Json::array({"1"}),
       "$.kernels[0].grid: must have 3 elements, but has 1"},
      {"/kernels/0/block", Json::array({1024, 2, 1}),
       "$.kernels[0].block: [1024, 2, 1] is not a block of 1 to 1024 threads "
       "with at most 64 along z"},
      {"/kernels/0/shared_bytes", -1,
       "$.kernels[0].shared_bytes: -1 is not in [0, 1048576]"},
      {"/workspace", "many",
       "$.workspace: expression 'many', column 1: unknown name 'many'; known "
       "are B, Hq, Hkv, Nq, Nk, ceildiv, min, max"},
      {"/tensor_maps", Json::array({Json::object()}),
       "$.tensor_maps[0]: unknown tensor-map recipe; this build knows none, a "
       "newer runtime is needed"},
      {"/numerics/relative_error", 0,
       "$.numerics.relative_error: must be greater than 0"},
      {"/hashes/ptx", "md5:0",
       "$.hashes.ptx: 'md5:0' is not 'sha256:' and 64 "
       "lower-case hex digits"},
      {"/files/ptx", "../a.ptx",
       "$.files.ptx: '../a.ptx' is not a plain file name"},
      {"/files/cubin", "a.cubin",
       "$.hashes.cubin: must be null exactly where files.cubin is null"},
  };
  for (const auto &[place, value, error] : cases)
    EXPECT_EQ(errorWith(place, value), error);
  EXPECT_EQ(errorWithout("/lengths/Nk"),
            "$.arguments[1].shape[2]: Nk is not in $.lengths");
}

TEST(Manifest, UnreadableFile) {
  Manifest manifest;
  std::string error;
  EXPECT_FALSE(readManifest("/nowhere/x.json", manifest, error));
  EXPECT_EQ(error, "/nowhere/x.json: the manifest cannot be read: No such file "
                   "or directory");
}

/// The first ```json block of docs/manifest.md is the example.
TEST(Manifest, DocumentationShowsTheExample) {
  std::string docs = readText(Docs + "/manifest.md");
  size_t begin = docs.find("```json\n") + 8;
  EXPECT_EQ(docs.substr(begin, docs.find("```", begin) - begin), exampleText());
}

//===----------------------------------------------------------------------===//
// docs/manifest.schema.json against the writer
//===----------------------------------------------------------------------===//

bool hasType(const Json &value, const Json &type) {
  if (type.is_array())
    return std::any_of(type.begin(), type.end(),
                       [&](const Json &each) { return hasType(value, each); });
  return (type == "object" && value.is_object()) ||
         (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) ||
         (type == "integer" && value.is_number_integer()) ||
         (type == "number" && value.is_number()) ||
         (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null());
}

/// The keywords of JSON Schema that say which keys and types there are.
bool matches(const Json &value, const Json &schema, const Json &root) {
  if (schema.contains("$ref"))
    return matches(
        value,
        root[Json::json_pointer(schema["$ref"].get<std::string>().substr(1))],
        root);
  if (schema.contains("oneOf"))
    return std::count_if(schema["oneOf"].begin(), schema["oneOf"].end(),
                         [&](const Json &each) {
                           return matches(value, each, root);
                         }) == 1;
  if (schema.contains("const") && value != schema["const"])
    return false;
  if (schema.contains("enum") &&
      std::count(schema["enum"].begin(), schema["enum"].end(), value) == 0)
    return false;
  if (schema.contains("type") && !hasType(value, schema["type"]))
    return false;
  if (value.is_array() && schema.contains("items"))
    return std::all_of(value.begin(), value.end(), [&](const Json &each) {
      return matches(each, schema["items"], root);
    });
  if (!value.is_object())
    return true;
  for (const Json &key : schema.value("required", Json::array()))
    if (!value.contains(key.get<std::string>()))
      return false;
  for (const auto &[key, each] : value.items())
    if (!schema["properties"].contains(key) ||
        !matches(each, schema["properties"][key], root))
      return false;
  return true;
}

TEST(Manifest, SchemaMatchesWhatIsWritten) {
  Json schema = Json::parse(readText(Docs + "/manifest.schema.json"));
  Manifest manifest = exampleManifest();
  EXPECT_TRUE(matches(Json::parse(printManifest(manifest)), schema, schema));
  manifest.lengths[Length::Nk].equals = 512;
  manifest.files.cubin = "a.cubin";
  manifest.hashes.cubin = hashText("");
  manifest.compiler.ptxas = "13.0";
  manifest.kernels[0].params.push_back(KernelParam::workspace("B"));
  EXPECT_TRUE(matches(Json::parse(printManifest(manifest)), schema, schema));

  Json json = Json::parse(exampleText());
  json["kernels"][0]["extra"] = 1;
  EXPECT_FALSE(matches(json, schema, schema));
}

//===----------------------------------------------------------------------===//
// NAME.h
//===----------------------------------------------------------------------===//

/// The exit status of checking `file` strictly; `language` also names the
/// standard.
int compile(const std::string &compiler, const std::string &language,
            const std::string &file) {
  std::string command = compiler + " -x " + language +
                        " -pedantic -Wall -Wextra -Werror -fsyntax-only -I" +
                        Include + " " + file;
  return std::system(command.c_str());
}

/// Compiles the header of `manifest` and a call of its function.
int compileHeader(const Manifest &manifest, const std::string &arguments,
                  const std::string &compiler, const std::string &language) {
  std::string path =
      testing::TempDir() + "tda_header_test." + std::to_string(getpid()) + ".c";
  std::ofstream(path) << emitHeader(manifest)
                      << "tda_status f(tda_program *p, tda_argument t);\n"
                         "tda_status f(tda_program *p, tda_argument t) {\n"
                         "  return attention_launch(p, "
                      << arguments << ", (void *)0);\n}\n";
  int status = compile(compiler, language, path);
  std::remove(path.c_str());
  return status;
}

TEST(Manifest, HeaderCompiles) {
  Manifest manifest = exampleManifest();
  std::string header = emitHeader(manifest);
  for (const std::string &part :
       {std::string("in  q1: bf16 [B, Hq, Nq, 128], 16-byte aligned"),
        std::string("grid (ceildiv(Nq, 128), Hq, B)"),
        std::string("int64_t arg_offset"), sha256Hex(printManifest(manifest)),
        sha256Hex(ExamplePtx)})
    EXPECT_NE(header.find(part), std::string::npos) << part;
  std::string arguments = "t, t, t, t, t, t, t, 5, t";
  EXPECT_EQ(compileHeader(manifest, arguments, TDA_C_COMPILER, "c -std=c99"),
            0);
  EXPECT_EQ(
      compileHeader(manifest, arguments, TDA_CXX_COMPILER, "c++ -std=c++17"),
      0);
  manifest.workspace = "B * 4";
  EXPECT_EQ(compileHeader(manifest, arguments + ", (void *)0, 0",
                          TDA_C_COMPILER, "c -std=c99"),
            0);
}

TEST(Manifest, PublicHeadersAreC99) {
  for (const char *header : {"/tda/runtime.h", "/tda/device.h"})
    EXPECT_EQ(compile(TDA_C_COMPILER, "c -std=c99", Include + header), 0);
}

} // namespace
