//===- LauncherTest.cpp - The emitted C launcher on the fake driver -------===//
//
// NAME.c is compiled as a user would, loaded, and called beside the runtime:
// both must ask the driver for the same launches and tensor maps.
//
//===----------------------------------------------------------------------===//
#include "fake_cuda/RuntimeFixture.h"
#include "tda/Package.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;
using tda::KernelParam;
using tda::Length;
using Call = ExampleCall;

namespace {

/// tda_view and attention_call of the emitted header.
struct View {
  void *data;
  int64_t shape[6], strides[6];
};
struct LauncherCall {
  View q1, k1, q2, k2, v, beta, lambda;
  int64_t offset;
  View o;
};

LauncherCall toLauncher(const Call &call) {
  LauncherCall result{};
  View *views[] = {&result.q1,     &result.k1, &result.q2,
                   &result.k2,     &result.v,  &result.beta,
                   &result.lambda, nullptr,    &result.o};
  for (int i = 0; i < Call::Count; ++i) {
    if (!views[i])
      continue;
    views[i]->data = call.args[i].data;
    std::copy(call.args[i].shape, call.args[i].shape + 6, views[i]->shape);
    std::copy(call.args[i].strides, call.args[i].strides + 6,
              views[i]->strides);
  }
  result.offset = call.args[Call::Offset].scalar;
  return result;
}

/// An emitted launcher, compiled with all warnings as errors.
class Launcher : public Runtime {
protected:
  Launcher() {
    static int number = 0;
    folder = fs::temp_directory_path() /
             fmt::format("tda-launcher-{}-{}", getpid(), number++);
    fs::create_directories(folder);
    package.name = "attention";
  }
  ~Launcher() override {
    if (code)
      close(code);
    fs::remove_all(folder);
  }

  void write(const std::string &name, const std::string &text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  }

  /// Compiles the variants of `package`; one of `manifest` where it has none.
  void build() {
    if (package.variants.empty())
      package.variants.push_back({manifest, {}, ExamplePtx, ""});
    write("attention.h", tda::emitLauncherHeader(package));
    write("attention.c", tda::emitLauncher(package));
    write("attention.ptx", ExamplePtx);
    std::string path = folder.string();
    std::string command = fmt::format(
        "{} -std=c99 -O1 -Wall -Wextra -Werror -shared -fPIC -o {}/a.so "
        "{}/attention.c {} -Wl,-rpath,{}",
        TDA_C_COMPILER, path, path, TDA_FAKE_CUDA,
        fs::path(TDA_FAKE_CUDA).parent_path().string());
    ASSERT_EQ(std::system(command.c_str()), 0);
    void *library = dlopen((path + "/a.so").c_str(), RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    open_ = reinterpret_cast<decltype(open_)>(dlsym(library, "attention_open"));
    workspace_ = reinterpret_cast<decltype(workspace_)>(
        dlsym(library, "attention_workspace"));
    launch_ =
        reinterpret_cast<decltype(launch_)>(dlsym(library, "attention_launch"));
    close =
        reinterpret_cast<decltype(close)>(dlsym(library, "attention_close"));
  }

  int openLauncher(int device = 0) {
    return open_(&code, folder.c_str(), device, message, sizeof(message));
  }

  int run(const LauncherCall &call, void *stream = nullptr) {
    return launch_(code, &call, memory, SIZE_MAX, stream, message,
                   sizeof(message));
  }
  int run(const Call &call) { return run(toLauncher(call)); }

  /// The runtime and the launcher, on the same call.
  void compare(const Call &call) {
    cuda->launches.clear();
    cuda->tensorMaps.clear();
    ASSERT_EQ(
        tda_launch(program, call.data(), call.Count, memory, SIZE_MAX, this),
        TDA_OK)
        << tda_last_error();
    std::vector<FakeLaunch> wanted = cuda->launches;
    std::vector<FakeTensorMap> maps = cuda->tensorMaps;
    cuda->launches.clear();
    cuda->tensorMaps.clear();
    ASSERT_EQ(run(toLauncher(call), this), 0) << message;
    EXPECT_TRUE(cuda->tensorMaps == maps);
    ASSERT_EQ(cuda->launches.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const FakeLaunch &a = cuda->launches[i], &b = wanted[i];
      EXPECT_EQ(a.function, b.function);
      EXPECT_EQ(a.grid, b.grid);
      EXPECT_EQ(a.block, b.block);
      EXPECT_EQ(a.cluster, b.cluster);
      EXPECT_EQ(a.sharedBytes, b.sharedBytes);
      EXPECT_EQ(a.stream, b.stream);
      EXPECT_EQ(a.params, b.params);
      EXPECT_EQ(a.device, b.device);
    }
  }

  /// Two kernels, of which one is persistent with clusters; a workspace.
  void useEverything() {
    manifest.workspace = "256 + B * Hq * Nq * 256";
    manifest.tensorMaps.resize(2);
    tda::ManifestTensorMap &q1 = manifest.tensorMaps[0];
    tda::ManifestTensorMap &unit = manifest.tensorMaps[1];
    q1.name = q1.argument = unit.argument = "q1";
    unit.name = "unit_q1";
    unit.workspace = "256";
    q1.boxRows = unit.boxRows = 128;
    q1.boxColumns = unit.boxColumns = 64;
    tda::ManifestKernel second;
    second.entry = "second";
    second.grid = {"ceildiv(Nq, 128) * 2", "max(Hq, 1)", "min(B, 7)"};
    second.block = {128, 1, 1};
    second.cluster = {2, 1, 1};
    second.sharedBytes = 100000;
    second.blocksPerSm = 1;
    second.params = manifest.kernels[0].params = {
        KernelParam::pointer("o"), KernelParam::tensorMap("unit_q1"),
        KernelParam::stride("k1", 1), KernelParam::workspace("B * 128"),
        KernelParam::scalar("offset")};
    manifest.kernels.push_back(second);
    cuda->paramSizes = {8, 128, 8, 8, 8};
  }

  fs::path folder;
  tda::Package package;
  char message[512] = "";
  void *code = nullptr;
  int (*open_)(void **, const char *, int, char *, size_t) = nullptr;
  int (*workspace_)(const LauncherCall *, size_t *, char *, size_t) = nullptr;
  int (*launch_)(const void *, const LauncherCall *, void *, size_t, void *,
                 char *, size_t) = nullptr;
  void (*close)(void *) = nullptr;
};

TEST_F(Launcher, LaunchesAsTheRuntimeDoes) {
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  compare(Call(memory));
  compare(Call(memory, 1, 4, 4, 1, 5));
  compare(Call(memory, 0));             // An empty batch: nothing is launched.
  compare(Call(memory, 1, 1, 1, 8, 0)); // No keys: zeros are written.
  Call strided(memory);
  int64_t strides[] = {1000 * 8 * 128, 128, 8 * 128, 1};
  std::copy(strides, strides + 4, strided[Call::Q1].strides);
  std::copy(strides, strides + 4, strided[Call::O].strides);
  compare(strided);
}

TEST_F(Launcher, MoreThanTwoToTheThirtyOneElements) {
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  // 2^33 elements of q and o; strides and offsets are 64 bit.
  Call large(memory, 64, 64, 64, 16384, 16384);
  compare(large);
  EXPECT_EQ(large[Call::Q1].strides[0], int64_t(1) << 27);
  large[Call::K1].strides[0] = int64_t(1) << 40;
  compare(large);
  // What does not fit is refused, not wrapped.
  LauncherCall call = toLauncher(Call(memory, 65536, 64, 64, 1 << 30, 8));
  EXPECT_NE(run(call), 0);
  EXPECT_NE(std::string(message), "");
}

TEST_F(Launcher, MapsClustersAndWorkspace) {
  useEverything();
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  compare(Call(memory));
  compare(Call(memory, 1, 4, 4, 1, 5));
  EXPECT_EQ(cuda->dynamicShared["second"], 100000);

  LauncherCall call = toLauncher(Call(memory));
  size_t bytes = 0, wanted = 0;
  ASSERT_EQ(workspace_(&call, &bytes, message, sizeof(message)), 0);
  ASSERT_EQ(
      tda_workspace_bytes(program, Call(memory).data(), Call::Count, &wanted),
      TDA_OK);
  EXPECT_EQ(bytes, wanted);
  EXPECT_EQ(launch_(code, &call, memory, bytes - 1, nullptr, message, 512), 3);
  EXPECT_TRUE(contains(message, "this call needs")) << message;
  EXPECT_EQ(
      launch_(code, &call, (char *)memory + 8, bytes, nullptr, message, 512),
      3);
  EXPECT_TRUE(contains(message, "aligned to 256")) << message;
  call.q1.strides[0] = int64_t(1) << 40;
  EXPECT_EQ(run(call), 1);
  EXPECT_TRUE(contains(message, "argument 'q1'")) << message;
}

TEST_F(Launcher, EmbeddedCodeNeedsNoFiles) {
  load();
  package.embed = true;
  build();
  fs::remove(folder / "attention.ptx");
  ASSERT_EQ(openLauncher(), 0) << message;
  EXPECT_EQ(cuda->images.back(), ExamplePtx);
  compare(Call(memory));
}

TEST_F(Launcher, DispatchesOverLengths) {
  tda::Manifest shortOne = manifest, longOne = manifest;
  shortOne.name = "attention_0";
  shortOne.kernels[0].entry = "attention";
  longOne.name = "attention_1";
  longOne.kernels[0].entry = "second";
  package.variants.push_back(
      {shortOne, {{Length::Nk, {0, 512, {}}}}, ExamplePtx, ""});
  package.variants.push_back(
      {longOne, {{Length::Nk, {513, 2048, {}}}}, ExamplePtx, ""});
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  cuda->launches.clear();
  ASSERT_EQ(run(Call(memory, 1, 1, 1, 8, 512)), 0) << message;
  ASSERT_EQ(run(Call(memory, 1, 1, 1, 8, 513)), 0) << message;
  ASSERT_EQ(cuda->launches.size(), 2u);
  EXPECT_EQ(cuda->launches[0].function, "attention");
  EXPECT_EQ(cuda->launches[1].function, "second");
  EXPECT_EQ(run(Call(memory, 1, 1, 1, 8, 2049)), 2);
  EXPECT_TRUE(contains(message, "no kernel of 'attention' covers B = 1, Hq = "
                                "1, Hkv = 1, Nq = 8, Nk = 2049; compiled are: "
                                "Nk <= 512; Nk in [513, 2048]"))
      << message;
}

TEST_F(Launcher, NamesWhatDoesNotFit) {
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  auto refused = [&](auto change, const char *text) {
    LauncherCall call = toLauncher(Call(memory));
    change(call);
    cuda->launches.clear();
    EXPECT_EQ(run(call), 1) << text;
    EXPECT_TRUE(contains(message, text)) << message;
    EXPECT_TRUE(cuda->launches.empty());
  };
  refused([](LauncherCall &c) { c.q2.shape[2] = 999; },
          "argument 'q2': axis 2 (Nq) has 999 elements; it must have 1000, as "
          "in 'q1'");
  refused([](LauncherCall &c) { c.v.shape[3] = 64; },
          "argument 'v': axis 3 has 64 elements; it must have 128");
  refused([](LauncherCall &c) { c.q1.data = nullptr; },
          "argument 'q1': data is NULL");
  refused([](LauncherCall &c) { c.k1.data = (char *)c.k1.data + 2; },
          "argument 'k1': data is at 0x");
  refused([](LauncherCall &c) { c.k1.strides[3] = 2; }, "must be 1");
  refused([](LauncherCall &c) { c.k1.strides[2] = 132; }, "multiples of 8");
  refused([](LauncherCall &c) { c.v.strides[0] = -8; }, "not be negative");
  refused([](LauncherCall &c) { c.o.strides[2] = 0; }, "overlap");
  refused([](LauncherCall &c) { c.k1.strides[0] = INT64_MAX / 8 * 8; },
          "does not fit 64 bits");
  refused([](LauncherCall &c) { c.offset = int64_t(1) << 40; },
          "argument 'offset'");
  refused(
      [](LauncherCall &c) {
        for (View *view : {&c.k1, &c.k2, &c.v})
          view->shape[1] = 3;
      },
      "Hkv = 3 does not divide Hq = 8");
}

TEST_F(Launcher, RefusesOtherDevicesAndDrivers) {
  build();
  cuda->driverVersion = 11080;
  EXPECT_EQ(openLauncher(), 5);
  EXPECT_TRUE(contains(message, "supports CUDA 11.8; 'attention' needs 12.0"))
      << message;
  cuda->driverVersion = 12040;
  cuda->capability = 80;
  EXPECT_EQ(openLauncher(), 5);
  EXPECT_TRUE(contains(message, "compute capability 8.0 cannot run"))
      << message;
  EXPECT_EQ(cuda->retained, 0);
  cuda->capability = 90;
  cuda->moduleFails = true;
  EXPECT_EQ(openLauncher(), 6);
  EXPECT_TRUE(contains(message, "bad PTX")) << message;
  EXPECT_EQ(cuda->retained, 0);
}

TEST_F(Launcher, ChecksTheHash) {
  build();
  write("attention.ptx", ExamplePtx + " ");
  EXPECT_EQ(openLauncher(), 4);
  EXPECT_TRUE(contains(message, "is not the file that this launcher"))
      << message;
  // Of more than one block, to the reference that the manifest is made with.
  std::string large(1000, 'x');
  write("attention.ptx", large);
  EXPECT_EQ(openLauncher(), 4);
  EXPECT_TRUE(contains(message, tda::sha256Hex(large))) << message;
  fs::remove(folder / "attention.ptx");
  EXPECT_EQ(openLauncher(), 4);
  EXPECT_TRUE(contains(message, "cannot be read")) << message;
}

TEST_F(Launcher, AbsurdGridsAreErrors) {
  manifest.kernels[0].grid = {"Nq / (Nk - Nk)", "1", "1"};
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  EXPECT_EQ(run(Call(memory)), 1);
  EXPECT_TRUE(contains(message, "division by zero")) << message;
}

TEST_F(Launcher, OverflowIsAnError) {
  manifest.kernels[0].grid = {"9223372036854775807 * Nq", "1", "1"};
  load();
  build();
  ASSERT_EQ(openLauncher(), 0) << message;
  EXPECT_EQ(run(Call(memory)), 1);
  EXPECT_TRUE(contains(message, "64-bit overflow")) << message;
}

TEST_F(Launcher, ThreadsWithoutContextsAndTwoDevices) {
  load();
  build();
  ASSERT_EQ(openLauncher(1), 0) << message;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  LauncherCall call = toLauncher(Call(memory));
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      char text[64];
      for (int j = 0; j < 50; ++j)
        failures += launch_(code, &call, nullptr, 0, nullptr, text, 64) != 0;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
  ASSERT_EQ(cuda->launches.size(), 200u);
  EXPECT_EQ(cuda->launches[0].device, 1);
}

TEST(ScheduleRanges, Text) {
  std::vector<tda::ScheduleRange> ranges;
  std::string error;
  ASSERT_TRUE(tda::parseScheduleRanges(
      "Nk <= 2048, Nk >= 1: tile_m = 64; Nq >= 2 : warps = 4;: ", ranges,
      error))
      << error;
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(tda::coverText(ranges[0].covers), "Nk in [1, 2048]");
  EXPECT_EQ(ranges[0].schedule, "tile_m = 64");
  EXPECT_EQ(tda::coverText(ranges[1].covers), "Nq >= 2");
  EXPECT_EQ(tda::coverText(ranges[2].covers), "all lengths");
  for (auto [text, part] :
       std::initializer_list<std::pair<const char *, const char *>>{
           {"tile_m = 64", "has no ':'"},
           {"Nx <= 3: ", "'Nx <= 3' is not LENGTH <= NUMBER"},
           {"Nk < 3: ", "is not LENGTH"},
           {"Nk <= 3x: ", "'3x' is no length"},
           {"Nk <= 99999999999999999999: ", "is no length"},
           {"Nk <= 3, Nk >= 4: ", "leaves no Nk that is covered"}}) {
    EXPECT_FALSE(tda::parseScheduleRanges(text, ranges, error)) << text;
    EXPECT_TRUE(contains(error, part)) << error;
  }
}

} // namespace
