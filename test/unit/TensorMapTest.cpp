//===- TensorMapTest.cpp - TMA descriptors and capped grids of a launch ---===//
#include "fake_cuda/RuntimeFixture.h"

#include <thread>

using tda::KernelParam;

namespace {

using Call = ExampleCall;
using Dims = std::vector<uint64_t>;

/// The example with maps of q1 and k1 and of a tensor like q1 in the workspace,
/// 256 bytes in; its kernel takes these and Nq.
tda::Manifest mappedManifest() {
  tda::Manifest manifest = exampleManifest();
  manifest.workspace = "256 + B * Hq * Nq * 256";
  manifest.tensorMaps.resize(3);
  tda::ManifestTensorMap &q1 = manifest.tensorMaps[0];
  tda::ManifestTensorMap &k1 = manifest.tensorMaps[1];
  tda::ManifestTensorMap &unit = manifest.tensorMaps[2];
  q1.name = q1.argument = unit.argument = "q1";
  k1.name = k1.argument = "k1";
  unit.name = "unit_q1";
  unit.workspace = "256";
  q1.boxRows = unit.boxRows = 128;
  k1.boxRows = 176;
  q1.boxColumns = k1.boxColumns = unit.boxColumns = 64;
  manifest.kernels[0].params = {
      KernelParam::tensorMap("k1"), KernelParam::length(tda::Length::Nq),
      KernelParam::tensorMap("q1"), KernelParam::tensorMap("unit_q1")};
  return manifest;
}

class TensorMaps : public Runtime {
protected:
  TensorMaps() {
    manifest = mappedManifest();
    cuda->paramSizes = {128, 4, 128, 128};
  }

  tda_status launch(const Call &call, void *stream = nullptr) {
    return tda_launch(program, call.data(), call.Count, memory, SIZE_MAX,
                      stream);
  }

  uint64_t address() const { return reinterpret_cast<uintptr_t>(memory); }
};

/// The call that makes a map with these numbers.
FakeTensorMap expected(uint64_t address, Dims dims, Dims strides,
                       unsigned rows) {
  // BFLOAT16; no interleave, swizzle 128 B, L2 promotion 256 B, zeros.
  return {9,           address, dims, strides, {64, rows, 1, 1}, {1, 1, 1, 1},
          {0, 3, 3, 0}};
}

TEST_F(TensorMaps, HeadsBeforeTokens) {
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  ASSERT_EQ(cuda->tensorMaps.size(), 3u);
  EXPECT_EQ(cuda->tensorMaps[0], expected(address(), {128, 1000, 8, 2},
                                          {256, 256000, 2048000}, 128));
  EXPECT_EQ(cuda->tensorMaps[1],
            expected(address(), {128, 777, 2, 2}, {256, 198912, 397824}, 176));
  EXPECT_EQ(cuda->tensorMaps[2], expected(address() + 256, {128, 1000, 8, 2},
                                          {256, 256000, 2048000}, 128));
  // The kernel gets each map in its place, by value.
  ASSERT_EQ(cuda->launches.size(), 1u);
  EXPECT_EQ(cuda->launches[0].params, (Dims{2, 1000, 1, 3}));
}

TEST_F(TensorMaps, WorkspaceFromACallback) {
  load();
  struct Memory {
    void *data;
    size_t bytes;
    int calls;
  } given = {memory, 0, 0};
  auto allocate = [](void *user, size_t bytes) {
    auto *memory = static_cast<Memory *>(user);
    memory->bytes = bytes;
    ++memory->calls;
    return memory->data;
  };
  Call call(memory);
  tda_set_pointer_checks(program, 0);
  ASSERT_EQ(tda_launch_with(program, 0, call.data(), call.Count, allocate,
                            &given, nullptr),
            TDA_OK)
      << tda_last_error();
  EXPECT_EQ(given.calls, 1);
  EXPECT_EQ(given.bytes, 256u + 2 * 8 * 1000 * 256);
  EXPECT_EQ(cuda->tensorMaps[2].address, address() + 256);
  given.data = nullptr;
  EXPECT_EQ(tda_launch_with(program, 0, call.data(), call.Count, allocate,
                            &given, nullptr),
            TDA_ERROR_WORKSPACE);
  call[Call::V].shape[2] = 3; // Nothing is allocated for a call that is wrong.
  EXPECT_EQ(tda_launch_with(program, 0, call.data(), call.Count, allocate,
                            &given, nullptr),
            TDA_ERROR_ARGUMENT);
  EXPECT_EQ(given.calls, 2);
  EXPECT_EQ(tda_launch_with(program, 0, call.data(), call.Count, nullptr,
                            nullptr, nullptr),
            TDA_ERROR_USE);
}

TEST_F(TensorMaps, TokensBeforeHeads) {
  load();
  Call call(memory);
  int64_t strides[] = {1000 * 8 * 128, 128, 8 * 128, 1};
  std::copy(strides, strides + 4, call[Call::Q1].strides);
  call[Call::K1].strides[1] = 0; // One head for all.
  ASSERT_EQ(launch(call), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->tensorMaps[0],
            expected(address(), {128, 1000, 8, 2}, {2048, 256, 2048000}, 128));
  EXPECT_EQ(cuda->tensorMaps[1].strides, (Dims{256, 0, 397824}));
  // The tensor in the workspace is contiguous whatever its model is.
  EXPECT_EQ(cuda->tensorMaps[2].strides, (Dims{256, 256000, 2048000}));
}

TEST_F(TensorMaps, HalfPrecision) {
  for (auto i : {Call::Q1, Call::K1})
    manifest.arguments[i].dtype = tda::DType::F16;
  load();
  Call call(memory);
  call[Call::Q1].dtype = call[Call::K1].dtype = TDA_F16;
  ASSERT_EQ(launch(call), TDA_OK) << tda_last_error();
  for (const FakeTensorMap &map : cuda->tensorMaps)
    EXPECT_EQ(map.dataType, 6);
}

TEST_F(TensorMaps, AxesOfOneElementGetALegalStride) {
  load();
  Call call(memory, 1, 1, 1, 1, 5);
  for (int axis : {0, 1, 2})
    call[Call::Q1].strides[axis] = -3;
  call[Call::K1].strides[0] = INT64_MAX;
  ASSERT_EQ(launch(call), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->tensorMaps[0],
            expected(address(), {128, 1, 1, 1}, {16, 16, 16}, 128));
  EXPECT_EQ(cuda->tensorMaps[1].strides, (Dims{256, 16, 16}));
}

TEST_F(TensorMaps, TensorsWithoutElementsHaveNone) {
  load();
  Call call(memory, 2, 8, 2, 5, 0);
  call[Call::K1].data = nullptr;
  ASSERT_EQ(launch(call), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->tensorMaps.size(), 2u);
  EXPECT_EQ(cuda->launches[0].params, (Dims{0, 5, 1, 2}));
}

TEST_F(TensorMaps, KernelsShareThem) {
  tda::ManifestKernel second = manifest.kernels[0];
  second.entry = "second";
  manifest.kernels.push_back(second);
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->tensorMaps.size(), 3u);
  ASSERT_EQ(cuda->launches.size(), 2u);
  EXPECT_EQ(cuda->launches[1].params, cuda->launches[0].params);
}

TEST_F(TensorMaps, CallNothingThatWaitsOrIsRefusedInCapture) {
  load();
  tda_set_pointer_checks(program, 0);
  void *stream = nullptr;
  tda_graph *graph = nullptr;
  ASSERT_EQ(tda_stream_create(&stream), TDA_OK);
  ASSERT_EQ(tda_graph_begin(stream), TDA_OK);
  cuda->calls.clear();
  EXPECT_EQ(launch(Call(memory), stream), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->calls, (std::vector<std::string>{
                             "cuCtxGetCurrent", "cuTensorMapEncodeTiled",
                             "cuTensorMapEncodeTiled", "cuTensorMapEncodeTiled",
                             "cuLaunchKernel"}));
  ASSERT_EQ(tda_graph_end(stream, &graph), TDA_OK);
  EXPECT_EQ(tda_graph_destroy(graph), TDA_OK);
  EXPECT_EQ(tda_stream_destroy(stream), TDA_OK);
}

TEST_F(TensorMaps, AThreadWithoutAContextMayLaunch) {
  load();
  std::thread([&] {
    EXPECT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  }).join();
}

TEST_F(TensorMaps, ARefusalNamesTheTensor) {
  load();
  cuda->tensorMapResult = 1;
  EXPECT_EQ(launch(Call(memory)), TDA_ERROR_DRIVER);
  char at[32];
  std::snprintf(at, sizeof(at), "%p", memory);
  EXPECT_EQ(tda_last_error(),
            "argument 'q1': TMA cannot read shape [2, 8, 1000, 128] with "
            "strides [2048000, 256000, 256, 2] bytes at " +
                std::string(at) +
                ": cuTensorMapEncodeTiled gave CUDA_ERROR_INVALID_VALUE (a "
                "fake error); it needs an address and strides that are "
                "multiples of 16 bytes, strides below 2^40 bytes and at most "
                "2^32 elements along an axis");
  EXPECT_TRUE(cuda->launches.empty());
}

TEST_F(TensorMaps, WantAWorkspace) {
  load();
  Call call(memory);
  EXPECT_EQ(tda_launch(program, call.data(), call.Count, nullptr, 0, nullptr),
            TDA_ERROR_WORKSPACE);
  EXPECT_STREQ(tda_last_error(), "the workspace has 0 bytes; this call needs "
                                 "4096256 (tda_workspace_bytes)");
}

/// Loads on a driver of CUDA 11 in a process of its own.
[[noreturn]] void loadOnOldDriver() {
  setenv("TDA_LIBCUDA", TDA_FAKE_CUDA_11, 1);
  tda_program *program = openMemory(mappedManifest());
  bool refused = tda_load(program, 0) == TDA_ERROR_UNSUPPORTED;
  std::fprintf(stderr, "%s\n", tda_last_error());
  bool plainLoads = tda_load(openMemory(exampleManifest()), 0) == TDA_OK;
  std::_Exit(refused && plainLoads ? 0 : 1);
}

TEST(TensorMapsDeathTest, DriverWithoutThem) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(loadOnOldDriver(), testing::ExitedWithCode(0),
              "'attention' uses tensor maps, and the NVIDIA driver has no "
              "cuTensorMapEncodeTiled; a driver of CUDA 12.0 or later is "
              "needed");
}

//===----------------------------------------------------------------------===//
// Persistent kernels
//===----------------------------------------------------------------------===//

using PersistentKernels = Runtime;

TEST_F(PersistentKernels, HaveSoManyBlocksAnSm) {
  manifest.kernels[0].grid = {"Nq", "Hq", "1"};
  manifest.kernels[0].blocksPerSm = 2;
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  ASSERT_EQ(launch(Call(memory, 2, 8, 2, 264, 5)), TDA_OK);
  ASSERT_EQ(launch(Call(memory, 2, 8, 2, 7, 5)), TDA_OK);
  ASSERT_EQ(launch(Call(memory, 2, 8, 2, 0, 5)), TDA_OK); // Nothing to do.
  ASSERT_EQ(cuda->launches.size(), 3u);
  using Grid = std::array<unsigned, 3>;
  EXPECT_EQ(cuda->launches[0].grid, (Grid{264, 8, 1}));
  EXPECT_EQ(cuda->launches[1].grid, (Grid{264, 8, 1}));
  EXPECT_EQ(cuda->launches[2].grid, (Grid{7, 8, 1}));
}

TEST_F(PersistentKernels, KeepClustersWhole) {
  manifest.kernels[0].grid = {"Nq", "1", "1"};
  manifest.kernels[0].cluster = {4, 1, 1};
  manifest.kernels[0].blocksPerSm = 1;
  cuda->multiprocessors = 131;
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  tda_close(program);
  tda_device_free(memory);
  cuda->multiprocessors = 2; // Less than a cluster: one is launched still.
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  ASSERT_EQ(cuda->launches.size(), 2u);
  EXPECT_EQ(cuda->launches[0].grid[0], 128u);
  EXPECT_EQ(cuda->launches[1].grid[0], 4u);
}

//===----------------------------------------------------------------------===//
// tda_check and tda_explain, without a driver
//===----------------------------------------------------------------------===//

class TensorMapCheck : public testing::Test {
protected:
  TensorMapCheck() : call(memory) {}
  ~TensorMapCheck() override { tda_close(program); }

  /// The message for `call` with `manifest`, "" where it is right.
  std::string check() {
    tda_close(program);
    program = openMemory(manifest);
    return tda_check(program, call.data(), call.Count) == TDA_OK
               ? ""
               : tda_last_error();
  }

  alignas(256) char memory[256] = {};
  ExampleCall call;
  tda::Manifest manifest = mappedManifest();
  tda_program *program = nullptr;
};

TEST_F(TensorMapCheck, SaysThatTmaReadsTheArgument) {
  EXPECT_EQ(check(), "");
  call[Call::Q1].strides[1] = 128004;
  EXPECT_EQ(check(), "argument 'q1': axis 1 (Hq) has stride 128004 elements; "
                     "it must be a multiple of 8 (16 bytes): the GPU reads "
                     "this argument with TMA");
  call = ExampleCall(memory);
  call[Call::K1].data = memory + 8;
  char at[32];
  std::snprintf(at, sizeof(at), "%p", call[Call::K1].data);
  EXPECT_EQ(check(), "argument 'k1': data is at " + std::string(at) +
                         "; it must be aligned to 16 bytes: the GPU reads "
                         "this argument with TMA");
  call = ExampleCall(memory);
  call[Call::V].strides[1] = 99460; // No map reads it.
  EXPECT_EQ(check(), "argument 'v': axis 1 (Hkv) has stride 99460 elements; "
                     "it must be a multiple of 8 (16 bytes)");
}

TEST_F(TensorMapCheck, StridesThatTmaCannotReach) {
  call[Call::Q1].strides[0] = (int64_t{1} << 39) - 8;
  EXPECT_EQ(check(), "");
  call[Call::Q1].strides[0] = int64_t{1} << 39;
  EXPECT_EQ(check(),
            "argument 'q1': TMA cannot read shape [2, 8, 1000, 128] with "
            "strides [1099511627776, 256000, 256, 2] bytes; it needs an "
            "address and strides that are multiples of 16 bytes, strides below "
            "2^40 bytes and at most 2^32 elements along an axis");
  call[Call::Q1].strides[0] = int64_t{1} << 62; // 2^63 bytes.
  EXPECT_EQ(check(), "argument 'q1': the offset of its last element does not "
                     "fit 64 bits");
}

TEST_F(TensorMapCheck, PlacesInTheWorkspace) {
  manifest.tensorMaps[2].workspace = "64 * B";
  EXPECT_EQ(check(), "");
  manifest.tensorMaps[2].workspace = "32 * B";
  EXPECT_EQ(check(), "tensor map 'unit_q1': offset 32 * B = 64 into the "
                     "workspace must be a multiple of 128 bytes");
  manifest.tensorMaps[2].workspace = "384";
  EXPECT_EQ(check(), "tensor map 'unit_q1': shape [2, 8, 1000, 128] at offset "
                     "384 = 384 is not inside the workspace of 4096256 bytes");
  manifest.tensorMaps[2].workspace = "0 - 128";
  EXPECT_EQ(check(), "tensor map 'unit_q1': shape [2, 8, 1000, 128] at offset "
                     "0 - 128 = -128 is not inside the workspace of 4096256 "
                     "bytes");
  manifest.tensorMaps[2].workspace = "B / (Nq - 1000)";
  EXPECT_EQ(check(), "tensor map 'unit_q1': offset B / (Nq - 1000) into the "
                     "workspace: division of 2 by zero");
  call = ExampleCall(memory, 2, 8, 2, 0, 5); // No element, no place.
  manifest.tensorMaps[2].workspace = "1";
  EXPECT_EQ(check(), "");
}

TEST_F(TensorMapCheck, Explain) {
  manifest.kernels[0].blocksPerSm = 1;
  call = ExampleCall(nullptr, 2, 8, 2, 1000, 0);
  EXPECT_EQ(check(), "argument 'q1': data is NULL; it must be the device "
                     "address of shape [2, 8, 1000, 128]");
  char text[8192];
  ASSERT_EQ(tda_explain(program, call.data(), 9, text, sizeof(text)), TDA_OK)
      << tda_last_error();
  EXPECT_EQ(std::string(text),
            "attention for sm_90\n"
            "lengths: B=2 Hq=8 Hkv=2 Nq=1000 Nk=0\n"
            "workspace: 4096256 bytes\n"
            "tensor map q1: q1, bf16\n"
            "  dimensions (128, 1000, 8, 2), strides (256, 256000, 2048000) "
            "bytes\n"
            "  box (64, 128, 1, 1), swizzle 128 bytes\n"
            "tensor map k1: k1, bf16\n"
            "  no element: 128 zero bytes\n"
            "tensor map unit_q1: workspace + 256 = 256, like q1, bf16\n"
            "  dimensions (128, 1000, 8, 2), strides (256, 256000, 2048000) "
            "bytes\n"
            "  box (64, 128, 1, 1), swizzle 128 bytes\n"
            "kernel attention\n"
            "  grid (ceildiv(Nq, 128), Hq, B) = (8, 8, 2), at most 1 block an "
            "SM along x\n"
            "  block (256, 1, 1), cluster (1, 1, 1)\n"
            "  dynamic shared memory 98304 bytes\n"
            "  parameters 448 bytes\n"
            "  param 0: tensor_map k1, 128 bytes\n"
            "  param 1: i32 Nq = 1000\n"
            "  param 2: tensor_map q1, 128 bytes\n"
            "  param 3: tensor_map unit_q1, 128 bytes\n");
}

} // namespace
