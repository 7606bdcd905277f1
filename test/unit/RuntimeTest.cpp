//===- RuntimeTest.cpp - Opening, loading, launching on a fake driver -----===//
#include "fake_cuda/RuntimeFixture.h"
#include "tda/device.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <set>
#include <thread>
#include <unistd.h>

namespace {

using Call = ExampleCall;

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

class Folder {
public:
  Folder()
      : path(testing::TempDir() + "tda_runtime_test." +
             std::to_string(getpid())) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string &name, const std::string &text) {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    return path + "/" + name;
  }
  std::string path;
};

TEST_F(Runtime, OpensFilesWithoutAGpu) {
  Folder folder;
  std::string json = folder.write("attention.json", printManifest(manifest));
  EXPECT_EQ(tda_open(json.c_str(), &program), TDA_ERROR_FILE);
  EXPECT_TRUE(contains(tda_last_error(),
                       "attention.ptx: the PTX cannot be read: No such file"))
      << tda_last_error();
  folder.write("attention.ptx", ExamplePtx);
  EXPECT_EQ(tda_open(json.c_str(), &program), TDA_OK) << tda_last_error();
  EXPECT_EQ(tda_manifest(program), printManifest(manifest));
}

TEST_F(Runtime, WrongHashNamesFileAndHashes) {
  Folder folder;
  std::string json = folder.write("attention.json", printManifest(manifest));
  std::string ptx = folder.write("attention.ptx", ExamplePtx + " ");
  EXPECT_EQ(tda_open(json.c_str(), &program), TDA_ERROR_HASH);
  EXPECT_EQ(program, nullptr);
  EXPECT_TRUE(contains(tda_last_error(), ptx));
  EXPECT_TRUE(contains(tda_last_error(), tda::hashText(ExamplePtx)));
  EXPECT_TRUE(contains(tda_last_error(), tda::hashText(ExamplePtx + " ")));
}

TEST_F(Runtime, BadManifestsNameTheFile) {
  Folder folder;
  EXPECT_EQ(tda_open((folder.path + "/none.json").c_str(), &program),
            TDA_ERROR_FILE);
  EXPECT_TRUE(contains(tda_last_error(), "none.json: the manifest cannot be"));
  EXPECT_EQ(tda_open(folder.path.c_str(), &program), TDA_ERROR_FILE);
  std::string bad = folder.write("bad.json", "{\"schema\": ");
  EXPECT_EQ(tda_open(bad.c_str(), &program), TDA_ERROR_MANIFEST);
  EXPECT_TRUE(contains(tda_last_error(), "bad.json: not valid JSON"));
  EXPECT_EQ(tda_open(nullptr, &program), TDA_ERROR_USE);
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

TEST_F(Runtime, LoadsOnceADevice) {
  open();
  ASSERT_EQ(tda_load(program, 1), TDA_OK) << tda_last_error();
  ASSERT_EQ(tda_load(program, 1), TDA_OK);
  EXPECT_EQ(cuda->images, std::vector<std::string>{ExamplePtx});
  EXPECT_EQ(cuda->dynamicShared["attention"], 98304);
  ASSERT_EQ(tda_load(program, 0), TDA_OK);
  EXPECT_EQ(cuda->modules, 2);
  tda_close(program);
  program = nullptr;
  EXPECT_EQ(cuda->modules, 0);
  EXPECT_EQ(cuda->retained, 0);
}

TEST_F(Runtime, RefusesDevicesThatCannotRunIt) {
  open();
  cuda->capability = 89;
  EXPECT_EQ(tda_load(program, 0), TDA_ERROR_UNSUPPORTED);
  EXPECT_STREQ(tda_last_error(),
               "'attention' was compiled for sm_90, which Fake GPU (device 0, "
               "compute capability 8.9) cannot run; compile it with --arch "
               "sm_89");
  cuda->capability = 120;
  EXPECT_EQ(tda_load(program, 0), TDA_OK);

  cuda->driverVersion = 11080;
  EXPECT_EQ(tda_load(program, 1), TDA_ERROR_UNSUPPORTED);
  EXPECT_STREQ(tda_last_error(), "the NVIDIA driver supports CUDA 11.8; "
                                 "'attention' needs CUDA 12.0 or later");
  EXPECT_EQ(tda_load(program, 2), TDA_ERROR_NO_DEVICE);
  EXPECT_STREQ(tda_last_error(), "CUDA device 2 was asked for, but the machine "
                                 "has 2 (numbers start at 0)");
  EXPECT_EQ(tda_load(program, -1), TDA_ERROR_NO_DEVICE);
}

TEST_F(Runtime, ArchitectureSuffixes) {
  struct {
    const char *arch;
    int capability;
    bool runs;
  } cases[] = {{"sm_90a", 90, true},    {"sm_90a", 100, false},
               {"sm_90a", 89, false},   {"sm_100f", 103, true},
               {"sm_100f", 120, false}, {"sm_80", 90, true},
               {"sm_100f", 90, false}};
  for (auto [arch, capability, runs] : cases) {
    manifest.target.arch = arch;
    cuda->capability = capability;
    open();
    EXPECT_EQ(tda_load(program, 0) == TDA_OK, runs) << arch << capability;
    tda_close(program);
  }
  program = nullptr;
  manifest.target.arch = "sm_90a";
  cuda->capability = 100;
  open();
  EXPECT_EQ(tda_load(program, 0), TDA_ERROR_UNSUPPORTED);
  EXPECT_STREQ(tda_last_error(),
               "'attention' was compiled for sm_90a, which runs on compute "
               "capability 9.0 alone, not on Fake GPU (device 0, compute "
               "capability 10.0); compile it with --arch sm_100");
}

TEST_F(Runtime, ReportsWhatTheDriverRefuses) {
  cuda->moduleFails = true;
  open();
  EXPECT_EQ(tda_load(program, 0), TDA_ERROR_DRIVER);
  EXPECT_STREQ(tda_last_error(),
               "the PTX of 'attention' does not load on Fake GPU (device 0, "
               "compute capability 9.0): CUDA_ERROR_INVALID_VALUE (a fake "
               "error)\nptxas fatal : bad PTX");
  EXPECT_EQ(cuda->retained, 0);

  cuda->moduleFails = false;
  cuda->sharedLimit = 99000;
  cuda->staticShared = 1024;
  EXPECT_EQ(tda_load(program, 0), TDA_ERROR_UNSUPPORTED);
  EXPECT_STREQ(tda_last_error(),
               "kernel 'attention' needs 99328 bytes of shared memory a block "
               "(98304 dynamic, 1024 static); Fake GPU (device 0, compute "
               "capability 9.0) has 99000");
  cuda->staticShared = 0;
  cuda->maxThreads = 128;
  EXPECT_EQ(tda_load(program, 0), TDA_ERROR_UNSUPPORTED);
  EXPECT_TRUE(contains(tda_last_error(), "256 threads a block"));
  EXPECT_EQ(cuda->modules, 0);
  EXPECT_EQ(cuda->retained, 0);
}

TEST_F(Runtime, TakesTheCubinOnlyOnItsCapability) {
  Folder folder;
  manifest.files.cubin = "attention.cubin";
  manifest.hashes.cubin = tda::hashText("attention as cubin");
  std::string json = folder.write("attention.json", printManifest(manifest));
  folder.write("attention.ptx", ExamplePtx);
  folder.write("attention.cubin", "attention as cubin");
  for (int capability : {90, 100}) {
    cuda->capability = capability;
    ASSERT_EQ(tda_open(json.c_str(), &program), TDA_OK) << tda_last_error();
    ASSERT_EQ(tda_load(program, 0), TDA_OK) << tda_last_error();
    tda_close(program);
  }
  program = nullptr;
  EXPECT_EQ(cuda->images,
            (std::vector<std::string>{"attention as cubin", ExamplePtx}));
  folder.write("attention.cubin", "another");
  EXPECT_EQ(tda_open(json.c_str(), &program), TDA_ERROR_HASH);
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

TEST_F(Runtime, PacksParamsInOrder) {
  load(1);
  Call call(memory);
  call[Call::K1].strides[0] = int64_t{3} << 32;
  int stream;
  ASSERT_EQ(launch(call, &stream), TDA_OK) << tda_last_error();
  ASSERT_EQ(cuda->launches.size(), 1u);
  const FakeLaunch &launch = cuda->launches[0];
  EXPECT_EQ(launch.function, "attention");
  EXPECT_EQ(launch.device, 1);
  EXPECT_EQ(launch.grid, (std::array<unsigned, 3>{8, 8, 2}));
  EXPECT_EQ(launch.block, (std::array<unsigned, 3>{256, 1, 1}));
  EXPECT_EQ(launch.sharedBytes, 98304u);
  EXPECT_EQ(launch.stream, &stream);
  uint64_t p = reinterpret_cast<uintptr_t>(memory);
  uint64_t q0 = 8 * 1000 * 128, q1 = 1000 * 128;
  uint64_t k0 = 2 * 777 * 128, k1 = 777 * 128;
  EXPECT_EQ(launch.params, (std::vector<uint64_t>{p,
                                                  q0,
                                                  q1,
                                                  128,
                                                  p,
                                                  uint64_t{3} << 32,
                                                  k1,
                                                  128, // q1, k1
                                                  p,
                                                  q0,
                                                  q1,
                                                  128,
                                                  p,
                                                  k0,
                                                  k1,
                                                  128, // q2, k2
                                                  p,
                                                  k0,
                                                  k1,
                                                  128,
                                                  p,
                                                  p,
                                                  uint64_t(-223), // v, ...
                                                  p,
                                                  q0,
                                                  q1,
                                                  128,
                                                  2,
                                                  8,
                                                  2,
                                                  1000,
                                                  777}));
}

TEST_F(Runtime, CallsNothingThatWaitsOrAllocates) {
  load();
  ASSERT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
  std::set<std::string> calls(cuda->calls.begin(), cuda->calls.end());
  EXPECT_EQ(calls,
            (std::set<std::string>{"cuCtxGetCurrent", "cuPointerGetAttributes",
                                   "cuLaunchKernel"}));
  tda_set_pointer_checks(program, 0);
  cuda->calls.clear();
  ASSERT_EQ(launch(Call(memory)), TDA_OK);
  EXPECT_EQ(cuda->calls,
            (std::vector<std::string>{"cuCtxGetCurrent", "cuLaunchKernel"}));
}

TEST_F(Runtime, EmptyCallsLaunchNothing) {
  load();
  EXPECT_EQ(launch(Call(memory, 0)), TDA_OK) << tda_last_error();
  EXPECT_EQ(launch(Call(memory, 2, 8, 2, 0, 5)), TDA_OK);
  EXPECT_TRUE(cuda->launches.empty());
  EXPECT_EQ(launch(Call(memory, 2, 8, 2, 5, 0)), TDA_OK); // Nk = 0: zeros.
  EXPECT_EQ(cuda->launches.size(), 1u);
}

TEST_F(Runtime, RefusesAddressesOfOtherPlaces) {
  load();
  char host[32];
  Call call(memory);
  call[Call::V].data =
      reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(host) + 15) & ~15);
  EXPECT_EQ(launch(call), TDA_ERROR_ARGUMENT);
  EXPECT_TRUE(contains(tda_last_error(), "argument 'v': data 0x"));
  EXPECT_TRUE(contains(tda_last_error(), "is not memory that the GPU can use"));

  void *elsewhere = nullptr;
  ASSERT_EQ(tda_device_use(1), TDA_OK);
  ASSERT_EQ(tda_device_alloc(256, &elsewhere), TDA_OK);
  ASSERT_EQ(tda_device_use(0), TDA_OK);
  call[Call::V].data = elsewhere;
  EXPECT_EQ(launch(call), TDA_ERROR_ARGUMENT);
  EXPECT_TRUE(contains(tda_last_error(),
                       "is memory of device 1; the call runs on device 0"));
  EXPECT_TRUE(cuda->launches.empty());
  tda_device_free(elsewhere);
}

TEST_F(Runtime, ContextOfTheThread) {
  open();
  Call unloaded(reinterpret_cast<void *>(256));
  EXPECT_EQ(launch(unloaded), TDA_ERROR_NOT_LOADED);
  EXPECT_STREQ(tda_last_error(),
               "'attention' is loaded on no device; call tda_load first");
  tda_close(program);
  load(1);
  // A thread without a context uses the device that is loaded, and has none
  // afterwards.
  std::thread([&] {
    EXPECT_EQ(launch(Call(memory)), TDA_OK) << tda_last_error();
    EXPECT_EQ(cuda->calls.front(), "cuCtxGetCurrent");
    EXPECT_EQ(cuda->calls.back(), "cuCtxPopCurrent_v2");
  }).join();

  useOtherContext(1);
  EXPECT_EQ(launch(Call(memory)), TDA_ERROR_NOT_LOADED);
  EXPECT_TRUE(contains(tda_last_error(), "is not the primary context"));
  EXPECT_EQ(tda_device_use(0), TDA_OK);
  EXPECT_EQ(launch(Call(memory)), TDA_ERROR_NOT_LOADED);
  EXPECT_TRUE(contains(tda_last_error(), "is not loaded on device 0"));

  EXPECT_EQ(tda_load(program, 0), TDA_OK);
  std::thread([&] {
    EXPECT_EQ(launch(Call(memory)), TDA_ERROR_NOT_LOADED);
    EXPECT_TRUE(contains(tda_last_error(), "no current context"));
  }).join();
}

TEST_F(Runtime, SeveralKernelsAndAWorkspace) {
  manifest.workspace = "Nq * 4";
  tda::ManifestKernel second;
  second.entry = "second";
  second.params = {tda::KernelParam::workspace("Nq * 2"),
                   tda::KernelParam::workspace("0")};
  second.grid = {"Hq", "1", "1"};
  second.cluster = {2, 1, 1};
  manifest.kernels = {second, second};
  manifest.kernels[0].entry = "attention";
  manifest.kernels[0].cluster = {1, 1, 1};
  load();
  cuda->paramSizes = {8, 8};

  Call call(memory);
  EXPECT_EQ(launch(call), TDA_ERROR_WORKSPACE);
  EXPECT_STREQ(tda_last_error(), "the workspace has 0 bytes; this call needs "
                                 "4000 (tda_workspace_bytes)");
  char *workspace = static_cast<char *>(memory);
  EXPECT_EQ(tda_launch(program, call.data(), 9, workspace + 16, 4000, nullptr),
            TDA_ERROR_WORKSPACE);
  ASSERT_EQ(tda_launch(program, call.data(), 9, workspace, 4000, nullptr),
            TDA_OK)
      << tda_last_error();
  ASSERT_EQ(cuda->launches.size(), 2u);
  EXPECT_EQ(cuda->launches[0].function, "attention");
  EXPECT_EQ(cuda->launches[1].function, "second");
  EXPECT_EQ(cuda->launches[1].cluster, (std::array<unsigned, 3>{2, 1, 1}));
  uint64_t base = reinterpret_cast<uintptr_t>(workspace);
  EXPECT_EQ(cuda->launches[1].params,
            (std::vector<uint64_t>{base + 2000, base}));
}

TEST_F(Runtime, GraphCapture) {
  load();
  void *stream = nullptr;
  tda_graph *graph = nullptr;
  ASSERT_EQ(tda_stream_create(&stream), TDA_OK);
  ASSERT_EQ(tda_graph_begin(stream), TDA_OK);
  EXPECT_EQ(launch(Call(memory), stream), TDA_OK) << tda_last_error();
  void *refused;
  EXPECT_EQ(tda_device_alloc(16, &refused), TDA_ERROR_DRIVER);
  ASSERT_EQ(tda_graph_end(stream, &graph), TDA_OK);
  EXPECT_EQ(tda_graph_launch(graph, stream), TDA_OK);
  EXPECT_EQ(tda_graph_destroy(graph), TDA_OK);
  EXPECT_EQ(tda_stream_destroy(stream), TDA_OK);
}

/// Runs body(0), body(1), ... at once, each in a thread of its own.
template <typename Body> void inThreads(int count, Body body) {
  std::vector<std::thread> workers;
  for (int t = 0; t < count; ++t)
    workers.emplace_back(body, t);
  for (std::thread &worker : workers)
    worker.join();
}

/// The example as a program of two kernels with one parameter each, which is
/// the number of queries.
class RuntimeGraphs : public Runtime {
protected:
  RuntimeGraphs() {
    tda::ManifestKernel &first = manifest.kernels[0];
    first.params = {tda::KernelParam::length(tda::Length::Nq)};
    manifest.kernels.push_back(first);
    manifest.kernels[1].entry = "second";
    cuda->paramSizes = {4};
    load();
    tda_set_launch_graphs(program, 1);
    tda_set_pointer_checks(program, 0);
  }

  /// Launches `queries` on `stream` and expects both kernels to have run so.
  void launchBoth(int queries, void *stream) {
    size_t before = cuda->launches.size();
    ASSERT_EQ(launch(Call(memory, 1, 8, 2, queries, 5), stream), TDA_OK)
        << tda_last_error();
    ASSERT_EQ(cuda->launches.size(), before + 2);
    for (size_t i = 0; i < 2; ++i) {
      const FakeLaunch &launch = cuda->launches[before + i];
      EXPECT_EQ(launch.function, i ? "second" : "attention");
      EXPECT_EQ(launch.params, std::vector<uint64_t>{uint64_t(queries)});
      EXPECT_EQ(launch.grid[0], unsigned(queries + 127) / 128);
      EXPECT_EQ(launch.stream, stream);
    }
  }

  int64_t count(const char *call) {
    return std::count(cuda->calls.begin(), cuda->calls.end(), call);
  }
};

TEST_F(RuntimeGraphs, MadeOnceAStream) {
  int one, other;
  launchBoth(1, &one);
  EXPECT_EQ(
      cuda->calls,
      (std::vector<std::string>{
          "cuCtxGetCurrent", "cuStreamIsCapturing",
          "cuThreadExchangeStreamCaptureMode", "cuGraphCreate",
          "cuGraphAddKernelNode_v2", "cuGraphAddKernelNode_v2",
          "cuGraphInstantiateWithFlags", "cuThreadExchangeStreamCaptureMode",
          "cuGraphExecKernelNodeSetParams_v2",
          "cuGraphExecKernelNodeSetParams_v2", "cuGraphLaunch"}));
  cuda->calls.clear();
  launchBoth(1000, &one);
  EXPECT_EQ(cuda->calls,
            (std::vector<std::string>{"cuCtxGetCurrent", "cuStreamIsCapturing",
                                      "cuGraphExecKernelNodeSetParams_v2",
                                      "cuGraphExecKernelNodeSetParams_v2",
                                      "cuGraphLaunch"}));
  launchBoth(2, &other);
  launchBoth(3, &one);
  EXPECT_EQ(cuda->graphs, 4);
  EXPECT_EQ(count("cuLaunchKernel"), 0);
  tda_close(program);
  program = nullptr;
  EXPECT_EQ(cuda->graphs, 0);
}

TEST_F(RuntimeGraphs, KernelByKernelWhereTheyCannotServe) {
  // While the stream is captured.
  void *stream = nullptr;
  tda_graph *graph = nullptr;
  ASSERT_EQ(tda_stream_create(&stream), TDA_OK);
  ASSERT_EQ(tda_graph_begin(stream), TDA_OK);
  launchBoth(7, stream);
  ASSERT_EQ(tda_graph_end(stream, &graph), TDA_OK);
  EXPECT_EQ(tda_graph_destroy(graph), TDA_OK);
  EXPECT_EQ(tda_stream_destroy(stream), TDA_OK);
  EXPECT_EQ(count("cuLaunchKernel"), 2);
  EXPECT_EQ(cuda->graphs, 0);
  // Where a kernel has nothing to do.
  EXPECT_EQ(launch(Call(memory, 1, 8, 2, 0, 5)), TDA_OK) << tda_last_error();
  EXPECT_EQ(cuda->graphs, 0);
  // Beyond the streams that get one.
  int streams[20];
  for (int &stream : streams)
    launchBoth(5, &stream);
  EXPECT_EQ(cuda->graphs, 2 * 16);
  EXPECT_EQ(count("cuLaunchKernel"), 2 + 2 * 4);
  // Where the program is told not to.
  tda_set_launch_graphs(program, 0);
  launchBoth(6, &streams[0]);
  EXPECT_EQ(count("cuLaunchKernel"), 2 + 2 * 5);
}

TEST_F(RuntimeGraphs, KernelByKernelWhereNoneCanBeMade) {
  cuda->graphFails = true;
  launchBoth(3, nullptr);
  launchBoth(4, nullptr); // Not tried again.
  EXPECT_EQ(count("cuGraphInstantiateWithFlags"), 1);
  EXPECT_EQ(count("cuLaunchKernel"), 4);
  tda_close(program);
  program = nullptr;
  EXPECT_EQ(cuda->graphs, 0);
}

TEST_F(RuntimeGraphs, ALaunchThatFailsSaysSo) {
  setenv("FAKE_CUDA_FAULT", "98304", 1);
  EXPECT_EQ(launch(Call(memory)), TDA_ERROR_DRIVER);
  unsetenv("FAKE_CUDA_FAULT");
  EXPECT_TRUE(
      contains(tda_last_error(), "launching the kernels of 'attention' gave"))
      << tda_last_error();
  EXPECT_EQ(count("cuLaunchKernel"), 0);
}

TEST_F(RuntimeGraphs, KeepAWorkspace) {
  tda_close(program);
  manifest.workspace = "Nq * 1024";
  manifest.kernels[1].params = {tda::KernelParam::workspace("Nq")};
  manifest.kernels.erase(manifest.kernels.begin());
  cuda->paramSizes = {8};
  load();
  tda_set_pointer_checks(program, 0);
  tda_set_launch_graphs(program, 1);
  std::vector<size_t> asked;
  auto give = [](void *user, size_t bytes) -> void * {
    static_cast<std::vector<size_t> *>(user)->push_back(bytes);
    return reinterpret_cast<void *>(uintptr_t{1} << 40);
  };
  auto launch = [&](int queries, void *stream) {
    Call call(memory, 1, 8, 2, queries, 5);
    EXPECT_EQ(tda_launch_with(program, 0, call.data(), call.Count, give, &asked,
                              stream),
              TDA_OK)
        << tda_last_error();
    return cuda->launches.back().params[0] - queries;
  };
  int one, other;
  uint64_t first = launch(16, &one);
  EXPECT_EQ(launch(2048, &one), first);
  EXPECT_NE(launch(16, &other), first);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(count("cuMemAlloc_v2"), 2);
  // What is too large for it, and what no graph serves.
  EXPECT_EQ(launch(2049, &one), uint64_t{1} << 40);
  tda_set_launch_graphs(program, 0);
  EXPECT_EQ(launch(16, &one), uint64_t{1} << 40);
  tda_set_launch_graphs(program, 1);
  EXPECT_EQ(launch(16, reinterpret_cast<void *>(2)), uint64_t{1} << 40);
  EXPECT_EQ(asked, (std::vector<size_t>{2049 * 1024, 16 * 1024, 16 * 1024}));
  // Nor where the driver makes no graph: nothing orders plain launches.
  cuda->graphFails = true;
  int third;
  EXPECT_EQ(launch(16, &third), uint64_t{1} << 40);
  EXPECT_EQ(launch(16, &third), uint64_t{1} << 40);
  EXPECT_EQ(asked.size(), 5u);
  EXPECT_EQ(count("cuMemAlloc_v2"), 3);
  tda_close(program);
  program = nullptr;
  EXPECT_EQ(count("cuMemFree_v2"), 3);
}

TEST_F(RuntimeGraphs, ManyThreads) {
  constexpr int threads = 8, launchesEach = 200;
  std::atomic<int> failures{0};
  inThreads(threads, [&](int t) {
    for (int i = 0; i < launchesEach; ++i) {
      failures += tda_device_use(0) != TDA_OK;
      failures += launch(Call(memory, 1, 8, 2, 1 + t, 5),
                         reinterpret_cast<void *>(intptr_t{t})) != TDA_OK;
    }
  });
  EXPECT_EQ(failures, 0);
  ASSERT_EQ(cuda->launches.size(), size_t{2} * threads * launchesEach);
  for (const FakeLaunch &launch : cuda->launches)
    EXPECT_EQ(launch.params[0], 1 + reinterpret_cast<uintptr_t>(launch.stream));
}

TEST_F(Runtime, ManyThreadsLoadAndLaunch) {
  load();
  constexpr int threads = 8, launchesEach = 200;
  std::atomic<int> failures{0};
  inThreads(threads, [&](int t) {
    for (int i = 0; i < launchesEach; ++i) {
      Call call(memory, 1, 8, 2, 1 + t, 5);
      failures += tda_load(program, t % 2) != TDA_OK;
      failures += tda_device_use(0) != TDA_OK;
      failures += launch(call, reinterpret_cast<void *>(intptr_t{t})) != TDA_OK;
      // Errors belong to the thread.
      call[Call::Q1].shape[3] = t;
      failures += launch(call) != TDA_ERROR_ARGUMENT;
      std::string part = "axis 3 has " + std::to_string(t) + " elements";
      failures += !contains(tda_last_error(), part);
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(cuda->images.size(), 2u);
  ASSERT_EQ(cuda->launches.size(), size_t{threads} * launchesEach);
  for (const FakeLaunch &launch : cuda->launches)
    EXPECT_EQ(launch.params[30],
              1 + reinterpret_cast<uintptr_t>(launch.stream));
}

TEST_F(Runtime, HostTimeOfALaunch) {
  load();
  tda_set_pointer_checks(program, 0); // The fake's lists cost more than ours.
  Call call(memory);
  constexpr int count = 20000;
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i)
    tda_launch(program, call.data(), call.Count, nullptr, 0, nullptr);
  std::chrono::duration<double, std::micro> time =
      std::chrono::steady_clock::now() - start;
  std::printf("host time of a launch: %.2f us\n", time.count() / count);
  EXPECT_EQ(cuda->launches.size(), size_t{count});
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

TEST_F(Runtime, DeviceHelpers) {
  int count = 0;
  tda_device_info info;
  ASSERT_EQ(tda_device_count(&count), TDA_OK) << tda_last_error();
  EXPECT_EQ(count, 2);
  ASSERT_EQ(tda_device_query(1, &info), TDA_OK);
  EXPECT_STREQ(info.name, "Fake GPU");
  EXPECT_EQ(info.major * 10 + info.minor, 90);
  EXPECT_EQ(info.driver_version, 12040);
  EXPECT_EQ(info.shared_bytes, 232448);

  ASSERT_EQ(tda_device_use(0), TDA_OK);
  void *address = nullptr;
  uint32_t value = 7, back[2] = {0, 0};
  ASSERT_EQ(tda_device_alloc(8, &address), TDA_OK);
  EXPECT_EQ(tda_device_fill(address, 0xff, 8), TDA_OK);
  EXPECT_EQ(tda_device_upload(address, &value, 4), TDA_OK);
  EXPECT_EQ(tda_device_download(back, address, 8), TDA_OK);
  EXPECT_EQ(back[0], 7u);
  EXPECT_EQ(back[1], 0xffffffffu);
  EXPECT_EQ(tda_device_free(address), TDA_OK);
  EXPECT_EQ(tda_device_free(address), TDA_ERROR_DRIVER);
  EXPECT_EQ(tda_device_alloc(0, &address), TDA_OK);
  EXPECT_EQ(address, nullptr);

  void *start, *stop;
  float milliseconds = 0;
  ASSERT_EQ(tda_event_create(&start), TDA_OK);
  ASSERT_EQ(tda_event_create(&stop), TDA_OK);
  EXPECT_EQ(tda_event_record(start, nullptr), TDA_OK);
  EXPECT_EQ(tda_event_record(stop, nullptr), TDA_OK);
  EXPECT_EQ(tda_event_elapsed(start, stop, &milliseconds), TDA_OK);
  EXPECT_EQ(milliseconds, 1.5f);
  EXPECT_EQ(tda_event_destroy(start), TDA_OK);
  EXPECT_EQ(tda_event_destroy(stop), TDA_OK);
}

TEST_F(Runtime, NoDevices) {
  cuda->deviceCount = 0;
  int count;
  EXPECT_EQ(tda_device_count(&count), TDA_ERROR_NO_DEVICE);
  EXPECT_STREQ(tda_last_error(), "no CUDA device: the driver shows none");
}

/// The status and message of the first driver call of a new process.
[[noreturn]] void firstCall(const char *library, const char *expected) {
  setenv("TDA_LIBCUDA", library, 1);
  int count;
  bool right = tda_device_count(&count) == TDA_ERROR_NO_DEVICE &&
               contains(tda_last_error(), expected);
  std::fprintf(stderr, "%s\n", tda_last_error());
  // No destructors: the fake library may still be open.
  std::_Exit(right ? 0 : 1);
}

TEST(RuntimeDeathTest, NoDriver) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(firstCall("/nowhere/libcuda.so.1",
                        "/nowhere/libcuda.so.1 could not be opened: "),
              testing::ExitedWithCode(0), "the machine has no NVIDIA driver");
}

TEST(RuntimeDeathTest, DriverWithoutDevice) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto body = [] {
    void *library = dlopen(TDA_FAKE_CUDA, RTLD_NOW);
    auto state =
        reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "fakeCuda"))();
    state->initResult = 100; // CUDA_ERROR_NO_DEVICE
    firstCall(TDA_FAKE_CUDA, "no CUDA device: cuInit gave");
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(0), "no CUDA device");
}

TEST(RuntimeStatus, Names) {
  EXPECT_STREQ(tda_status_name(TDA_OK), "TDA_OK");
  EXPECT_STREQ(tda_status_name(TDA_ERROR_MEMORY), "TDA_ERROR_MEMORY");
  EXPECT_STREQ(tda_status_name(static_cast<tda_status>(15)),
               "unknown tda_status");
  EXPECT_TRUE(contains(tda_runtime_version(), "."));
}

TEST_F(Runtime, LaunchOnADeviceThatIsNotCurrent) {
  load(0);
  ASSERT_EQ(tda_load(program, 1), TDA_OK) << tda_last_error();
  ExampleCall call(memory);
  tda_set_pointer_checks(program, 0);
  ASSERT_EQ(
      tda_launch_on(program, 1, call.data(), call.Count, nullptr, 0, nullptr),
      TDA_OK)
      << tda_last_error();
  ASSERT_EQ(launch(call), TDA_OK) << tda_last_error();
  ASSERT_EQ(cuda->launches.size(), 2u);
  EXPECT_EQ(cuda->launches[0].device, 1);
  EXPECT_EQ(cuda->launches[1].device, 0);
  EXPECT_EQ(
      tda_launch_on(program, 5, call.data(), call.Count, nullptr, 0, nullptr),
      TDA_ERROR_NOT_LOADED);
  EXPECT_TRUE(contains(tda_last_error(), "is not loaded on device 5"));
  EXPECT_EQ(
      tda_launch_on(program, -1, call.data(), call.Count, nullptr, 0, nullptr),
      TDA_ERROR_USE);
}

} // namespace
