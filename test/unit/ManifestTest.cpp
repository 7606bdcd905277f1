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

/// Maps of q1 and of a tensor in the workspace, in a capped kernel.
void addTensorMaps(Manifest &manifest) {
  ManifestTensorMap q1, unit;
  q1.name = q1.argument = unit.argument = "q1";
  q1.boxRows = 256;
  q1.boxColumns = 64;
  unit.name = "unit_q1";
  unit.workspace = "B * 128";
  unit.boxRows = 64;
  unit.boxColumns = 32;
  manifest.tensorMaps = {q1, unit};
  manifest.kernels[0].params.push_back(KernelParam::tensorMap("q1"));
  manifest.kernels[0].params.push_back(KernelParam::tensorMap("unit_q1"));
  manifest.kernels[0].blocksPerSm = 2;
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
  addTensorMaps(manifest);
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
  EXPECT_EQ(read.kernels[0].blocksPerSm, 2);
  EXPECT_EQ(read.kernels[1].blocksPerSm, 0);
  EXPECT_EQ(read.kernels[0].params.back().map, "unit_q1");
  ASSERT_EQ(read.tensorMaps.size(), 2u);
  EXPECT_FALSE(read.tensorMaps[0].workspace);
  EXPECT_EQ(read.tensorMaps[1].workspace, "B * 128");
  EXPECT_EQ(read.tensorMaps[1].argument, "q1");
  EXPECT_EQ(read.tensorMaps[1].boxRows, 64);
  EXPECT_EQ(read.tensorMaps[1].boxColumns, 32);
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
  EXPECT_EQ(errorWith("/schema_version", 1),
            "$.schema_version: the file has schema version 1, this build reads "
            "version 3; recompile the kernel with the tda-compile of this "
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
      {"/kernels/0/blocks_per_sm", 33,
       "$.kernels[0].blocks_per_sm: 33 is not in [0, 32]; an SM holds at most "
       "32 blocks, and 0 is no cap"},
      {"/kernels/0/blocks_per_sm", -1,
       "$.kernels[0].blocks_per_sm: -1 is not in [0, 2147483647]"},
      {"/kernels/0/params/0",
       {{"type", "tensor_map"}, {"map", "q1"}},
       "$.kernels[0].params[0].map: 'q1' is not in $.tensor_maps"},
      {"/kernels/0/params/0",
       {{"type", "ptr"}, {"map", "q1"}},
       "$.kernels[0].params[0].type: is 'ptr', but such a parameter has type "
       "'tensor_map'"},
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

/// The error of the example with tensor maps and `value` at `pointer`.
std::string mapErrorWith(const std::string &pointer, const Json &value) {
  Manifest manifest = exampleManifest();
  addTensorMaps(manifest);
  Json json = Json::parse(printManifest(manifest));
  json[Json::json_pointer(pointer)] = value;
  return parseError(json.dump());
}

TEST(Manifest, TensorMaps) {
  Json q1 = {{"name", "q1"},
             {"argument", "q1"},
             {"box", {{"rows", 128}, {"columns", 64}}},
             {"swizzle", 128}};
  Json both = q1, neither = q1, twice = Json::array({q1, q1});
  both["workspace"] = "0";
  neither.erase("argument");
  struct {
    std::string place;
    Json value;
    std::string error;
  } cases[] = {
      {"/tensor_maps/0", 3, "$.tensor_maps[0]: must be an object"},
      {"/tensor_maps/0", neither,
       "$.tensor_maps[0]: the key 'argument' is missing"},
      {"/tensor_maps/0", both, "$.tensor_maps[0]: the key 'like' is missing"},
      {"/tensor_maps/0/color", 1,
       "$.tensor_maps[0]: unknown key 'color'; known are name, argument, box, "
       "swizzle"},
      {"/tensor_maps/0/box/depth", 1,
       "$.tensor_maps[0].box: unknown key 'depth'; known are rows, columns"},
      {"/tensor_maps", twice, "$.tensor_maps[1].name: 'q1' is used twice"},
      {"/tensor_maps", std::vector<Json>(17, q1),
       "$.tensor_maps: must have 0 to 16 elements, but has 17"},
      {"/tensor_maps/0/name", "q-1",
       "$.tensor_maps[0].name: 'q-1' is not a C identifier"},
      {"/tensor_maps/0/argument", "q9",
       "$.tensor_maps[0].argument: 'q9' is no tensor argument"},
      {"/tensor_maps/0/argument", "offset",
       "$.tensor_maps[0].argument: 'offset' is no tensor argument"},
      {"/tensor_maps/1/like", "q9",
       "$.tensor_maps[1].like: 'q9' is no tensor argument"},
      {"/tensor_maps/0/argument", "beta",
       "$.tensor_maps[0].argument: 'beta' has shape [Hq]; TMA reads tensors of "
       "rank 4 here"},
      {"/arguments/0/dtype", "f32",
       "$.tensor_maps[0].argument: 'q1' has dtype f32; TMA reads bf16 and f16 "
       "here"},
      {"/arguments/0/alignment", 8,
       "$.tensor_maps[0].argument: 'q1' has alignment 8; TMA reads it and "
       "needs at least 16"},
      {"/arguments/0/stride_multiple", 12,
       "$.tensor_maps[0].argument: 'q1' has stride_multiple 12; TMA reads it "
       "and needs a multiple of 8"},
      {"/arguments/0/shape/3", 100,
       "$.tensor_maps[1].like: 'q1' has shape [B, Hq, Nq, 100]; in the "
       "workspace the last axis must be a multiple of 8 elements, as TMA needs "
       "strides of 16 bytes"},
      {"/tensor_maps/1/workspace", "many",
       "$.tensor_maps[1].workspace: expression 'many', column 1: unknown name "
       "'many'; known are B, Hq, Hkv, Nq, Nk, ceildiv, min, max"},
      {"/tensor_maps/0/swizzle", 64,
       "$.tensor_maps[0].swizzle: 64 is not known; known is 128"},
      {"/tensor_maps/0/box/rows", 257,
       "$.tensor_maps[0].box.rows: 257 is not in [1, 256]"},
      {"/tensor_maps/0/box/rows", 0,
       "$.tensor_maps[0].box.rows: 0 is not in [1, 2147483647]"},
      {"/tensor_maps/0/box/columns", 72,
       "$.tensor_maps[0].box.columns: 72 is not a multiple of 8 (16 bytes) up "
       "to 64, the 128 bytes of the swizzle"},
      {"/tensor_maps/0/box/columns", 12,
       "$.tensor_maps[0].box.columns: 12 is not a multiple of 8 (16 bytes) up "
       "to 64, the 128 bytes of the swizzle"},
      {"/kernels/0/params",
       std::vector<Json>(33, {{"type", "tensor_map"}, {"map", "q1"}}),
       "$.kernels[0].params: 4224 bytes are more than the 4096 that a kernel "
       "takes"},
  };
  for (const auto &[place, value, error] : cases)
    EXPECT_EQ(mapErrorWith(place, value), error);
}

TEST(Manifest, ParamBytes) {
  ManifestKernel kernel;
  EXPECT_EQ(paramBytes(kernel), 0);
  kernel.params = {KernelParam::length(Length::B), KernelParam::pointer("q1"),
                   KernelParam::length(Length::B), KernelParam::tensorMap("q1"),
                   KernelParam::length(Length::B)};
  EXPECT_EQ(paramBytes(kernel), 64 + 128 + 4);
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
  addTensorMaps(manifest);
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
  addTensorMaps(manifest);
  EXPECT_NE(emitHeader(manifest).find(
                "grid (ceildiv(Nq, 128), Hq, B) with x up to 2 an SM, block"),
            std::string::npos);
  EXPECT_EQ(compileHeader(manifest, arguments + ", (void *)0, 0",
                          TDA_C_COMPILER, "c -std=c99"),
            0);
}

TEST(Manifest, PublicHeadersAreC99) {
  for (const char *header : {"/tda/runtime.h", "/tda/device.h"})
    EXPECT_EQ(compile(TDA_C_COMPILER, "c -std=c99", Include + header), 0);
}

} // namespace
