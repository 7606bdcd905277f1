//===- BuildManifestTest.cpp - From tda.launch to a manifest --------------===//
#include "lib/Compile/BuildManifest.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"

#include "tda/Host/Reference.h"

#include <gtest/gtest.h>

using namespace tda;
using mlir::DictionaryAttr;

namespace {

class BuildManifest : public testing::Test {
protected:
  DictionaryAttr dictionary(const std::string &text) {
    return mlir::cast<DictionaryAttr>(mlir::parseAttribute(text, &context));
  }

  /// The error of adding a kernel with `text`, "" where it is right.
  std::string add(const std::string &name, const std::string &text) {
    std::string error;
    bool isGood = facts.add(name, dictionary(text), error);
    EXPECT_EQ(isGood, error.empty());
    return error;
  }

  /// The error of the manifest that `facts` give, "" where it is right.
  std::string build() {
    std::string error;
    const Target *target = findTarget("sm_90", error);
    program.name = "attention";
    Problem &problem = program.signature.problem;
    EXPECT_TRUE(Problem::parse("views=1 d=128", problem, error)) << error;
    program.signature.inputs = host::inputSpecs(problem);
    program.signature.outputs = host::outputSpecs(problem);
    bool isGood = buildManifest(program, *target, "", facts, error);
    EXPECT_EQ(isGood, error.empty());
    return error;
  }

  mlir::MLIRContext context;
  LaunchFacts facts;
  GpuProgram program;
};

TEST_F(BuildManifest, OnePlainKernel) {
  EXPECT_EQ(add("attention", R"({params = ["ptr q", "i32 Nq", "i64 q 2"],
    grid = "Nq * B", block = 128 : i32, shared_bytes = 1024})"),
            "");
  ASSERT_EQ(build(), "");
  const Manifest &manifest = program.manifest;
  EXPECT_EQ(manifest.target.arch, "sm_90");
  EXPECT_EQ(manifest.workspace, "0");
  EXPECT_TRUE(manifest.tensorMaps.empty());
  ASSERT_EQ(manifest.kernels.size(), 1u);
  const ManifestKernel &kernel = manifest.kernels[0];
  EXPECT_EQ(kernel.entry, "attention");
  EXPECT_EQ(kernel.grid[0], "Nq * B");
  EXPECT_EQ(kernel.block[0], 128);
  EXPECT_EQ(kernel.sharedBytes, 1024);
  EXPECT_EQ(kernel.blocksPerSm, 0);
  ASSERT_EQ(kernel.params.size(), 3u);
  EXPECT_EQ(kernel.params[2].kind, KernelParam::Kind::Stride);
  EXPECT_EQ(kernel.params[2].axis, 2);
  EXPECT_EQ(manifest.arguments[0].alignment, 4);
}

TEST_F(BuildManifest, KernelsWithMapsAndAWorkspace) {
  EXPECT_EQ(add("unit", R"({params = ["ptr q", "ws B * 128"],
    grid = "Nq", block = 128 : i32, shared_bytes = 0,
    workspace = "B * Hq * Nq * 256 + B * 128"})"),
            "");
  EXPECT_EQ(add("attention", R"({params = ["map q", "map unit_q"],
    grid = "Nq", block = 384 : i32, shared_bytes = 1024, blocks_per_sm = 1,
    workspace = "B * Hq * Nq * 256 + B * 128", arch = "sm_90a",
    maps = ["q argument q rows 128 columns 64",
            "unit_q workspace q rows 64 columns 32 offset B * 128"]})"),
            "");
  EXPECT_EQ(add("last", R"({params = ["map q"], grid = "Nq", block = 32 : i32,
    shared_bytes = 0, maps = ["q argument q rows 128 columns 64"]})"),
            "");
  ASSERT_EQ(build(), "");
  const Manifest &manifest = program.manifest;
  EXPECT_EQ(manifest.target.arch, "sm_90a");
  EXPECT_EQ(manifest.workspace, "B * Hq * Nq * 256 + B * 128");
  ASSERT_EQ(manifest.kernels.size(), 3u);
  EXPECT_EQ(manifest.kernels[0].entry, "unit");
  EXPECT_EQ(manifest.kernels[0].params[1].offset, "B * 128");
  EXPECT_EQ(manifest.kernels[1].entry, "attention");
  EXPECT_EQ(manifest.kernels[1].blocksPerSm, 1);
  EXPECT_EQ(manifest.kernels[1].params[1].map, "unit_q");
  ASSERT_EQ(manifest.tensorMaps.size(), 2u);
  EXPECT_EQ(manifest.tensorMaps[0].argument, "q");
  EXPECT_EQ(manifest.tensorMaps[0].boxRows, 128);
  EXPECT_EQ(manifest.tensorMaps[0].boxColumns, 64);
  EXPECT_FALSE(manifest.tensorMaps[0].workspace);
  EXPECT_EQ(manifest.tensorMaps[1].argument, "q");
  EXPECT_EQ(manifest.tensorMaps[1].workspace, "B * 128");
  // What TMA reads is aligned for it.
  EXPECT_EQ(manifest.arguments[0].name, "q");
  EXPECT_EQ(manifest.arguments[0].alignment, 16);
  EXPECT_EQ(manifest.arguments[0].strideMultiple, 8);
}

TEST_F(BuildManifest, CopiedTensorsNeedNoMoreThanTheCopy) {
  EXPECT_EQ(add("unit", R"({params = ["ptr k", "ws 0"],
    grid = "Nk", block = 128 : i32, shared_bytes = 0,
    workspace = "B * Hkv * Nk * 256"})"),
            "");
  EXPECT_EQ(add("attention", R"({params = ["map workspace_k", "map v"],
    grid = "Nq", block = 384 : i32, shared_bytes = 1024,
    maps = ["workspace_k workspace k rows 64 columns 64 offset 0",
            "v argument v rows 64 columns 64"]})"),
            "");
  ASSERT_EQ(build(), "");
  for (const ManifestArgument &argument : program.manifest.arguments) {
    bool isMapped = argument.name == "v";
    bool isPair = argument.name == "k" || argument.name == "q" ||
                  argument.name == "o" || isMapped;
    EXPECT_EQ(argument.alignment, isMapped ? 16 : 4) << argument.name;
    EXPECT_EQ(argument.strideMultiple, isMapped ? 8
                                       : isPair ? 2
                                                : 1)
        << argument.name;
  }
}

TEST_F(BuildManifest, NamesWhatIsWrong) {
  auto kernel = [](const std::string &params, const std::string &rest) {
    return "{params = [" + params +
           "], grid = \"Nq\", block = 32 : i32, shared_bytes = 0" + rest + "}";
  };
  auto map = [&](const std::string &text) {
    return add("k", kernel("", ", maps = [\"" + text + "\"]"));
  };
  EXPECT_EQ(add("k", "{params = []}"),
            "tda.launch of kernel 'k' has no params, grid, block or "
            "shared_bytes");
  for (const char *param :
       {"", "q", "ptr", "map", "map q k", "i64 q 1 2", "i32 N", "i64"})
    EXPECT_EQ(add("k", kernel("\"" + std::string(param) + "\"", "")),
              "tda.launch of kernel 'k' has an unknown parameter '" +
                  std::string(param) + "'");
  for (const char *text :
       {"q argument q rows 128", "q argument q rows x columns 64",
        "q workspace q rows 128 columns 64",
        "q argument q rows 128 columns 64 offset 0",
        "q tensor q rows 128 columns 64", "q argument q columns 64 rows 128"})
    EXPECT_EQ(map(text), "tda.launch of kernel 'k' has an unknown tensor map "
                         "'" +
                             std::string(text) + "'");
  EXPECT_EQ(map("q argument q rows 128 columns 64"), "");
  EXPECT_EQ(map("q argument q rows 64 columns 64"),
            "tda.launch of kernel 'k' has tensor map 'q argument q rows 64 "
            "columns 64', which contradicts that of another kernel");
  EXPECT_EQ(add("k", kernel("", ", workspace = \"B\", arch = \"sm_90a\"")), "");
  EXPECT_EQ(add("k2", kernel("", ", workspace = \"B * 2\"")),
            "tda.launch of kernel 'k2' has workspace 'B * 2', which "
            "contradicts 'B' of another kernel");
  EXPECT_EQ(add("k2", kernel("", ", arch = \"sm_100a\"")),
            "tda.launch of kernel 'k2' has arch 'sm_100a', which contradicts "
            "'sm_90a' of another kernel");
  // What the manifest's own rules refuse.
  facts = LaunchFacts();
  EXPECT_EQ(add("k", kernel("\"map q\"", "")), "");
  EXPECT_EQ(build(), "$.kernels[0].params[0].map: 'q' is not in "
                     "$.tensor_maps");
}

} // namespace
