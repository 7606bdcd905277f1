//===- RuntimeFixture.h - The runtime on the fake driver -------*- C++ -*-===//
#ifndef TDA_TEST_UNIT_RUNTIMEFIXTURE_H
#define TDA_TEST_UNIT_RUNTIMEFIXTURE_H

#include "Example.h"
#include "FakeCuda.h"
#include "tda/device.h"

#include <cstdlib>
#include <dlfcn.h>

/// The runtime with the fake driver, as after a start of the process.
class Runtime : public testing::Test {
protected:
  Runtime() {
    setenv("TDA_LIBCUDA", TDA_FAKE_CUDA, 1);
    void *library = dlopen(TDA_FAKE_CUDA, RTLD_NOW);
    auto function = [&](const char *name) { return dlsym(library, name); };
    reinterpret_cast<void (*)()>(function("fakeCudaReset"))();
    cuda = reinterpret_cast<FakeCuda *(*)()>(function("fakeCuda"))();
    useOtherContext =
        reinterpret_cast<void (*)(int)>(function("fakeCudaUseOtherContext"));
    for (const tda::KernelParam &param : manifest.kernels[0].params)
      cuda->paramSizes.push_back(
          param.kind == tda::KernelParam::Kind::Length ? 4 : 8);
  }
  ~Runtime() override {
    if (memory)
      tda_device_free(memory);
    tda_close(program);
  }

  void open() { program = openMemory(manifest); }

  /// Opens, loads on `device` and allocates 256 bytes there.
  void load(int device = 0) {
    open();
    EXPECT_EQ(tda_load(program, device), TDA_OK) << tda_last_error();
    EXPECT_EQ(tda_device_use(device), TDA_OK) << tda_last_error();
    EXPECT_EQ(tda_device_alloc(256, &memory), TDA_OK) << tda_last_error();
    cuda->calls.clear();
  }

  tda_status launch(const ExampleCall &call, void *stream = nullptr) {
    return tda_launch(program, call.data(), call.Count, nullptr, 0, stream);
  }

  tda::Manifest manifest = exampleManifest();
  tda_program *program = nullptr;
  void *memory = nullptr;
  FakeCuda *cuda = nullptr;
  void (*useOtherContext)(int) = nullptr;
};

inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

#endif // TDA_TEST_UNIT_RUNTIMEFIXTURE_H
