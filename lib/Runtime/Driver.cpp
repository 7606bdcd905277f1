//===- Driver.cpp - The CUDA driver, opened at run time -------------------===//
#include "Driver.h"

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <mutex>

namespace tda {

/// Fills `driver` from the library at `path`.
static tda_status openLibrary(const char *path, Driver &driver) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return fail(TDA_ERROR_NO_DEVICE,
                "{} could not be opened: {}; the machine has no NVIDIA driver",
                path, reason ? reason : "unknown reason");
  }
#define TDA_LOOKUP(field, symbol, parameters)                                  \
  driver.field =                                                               \
      reinterpret_cast<decltype(driver.field)>(dlsym(library, #symbol));
#define TDA_REQUIRE(field, symbol, parameters)                                 \
  TDA_LOOKUP(field, symbol, parameters)                                        \
  if (!driver.field) {                                                         \
    dlclose(library);                                                          \
    return fail(TDA_ERROR_UNSUPPORTED,                                         \
                "{} has no function {}; a driver of CUDA 11.4 or later is "    \
                "needed",                                                      \
                path, #symbol);                                                \
  }
  TDA_DRIVER_FUNCTIONS(TDA_REQUIRE)
  TDA_DRIVER_OPTIONAL_FUNCTIONS(TDA_LOOKUP)
#undef TDA_REQUIRE
#undef TDA_LOOKUP

  CUresult result = driver.init(0);
  if (result == CUDA_SUCCESS)
    return TDA_OK; // The library stays open until the process ends.
  std::string reason = resultText(driver, result);
  dlclose(library);
  if (result == CUDA_ERROR_NO_DEVICE)
    return fail(TDA_ERROR_NO_DEVICE, "no CUDA device: cuInit gave {}", reason);
  if (result == CUDA_ERROR_STUB_LIBRARY)
    return fail(TDA_ERROR_NO_DEVICE,
                "{} is the stub of the CUDA Toolkit, not a driver", path);
  return fail(TDA_ERROR_DRIVER,
              "the CUDA driver does not start: cuInit gave "
              "{}",
              reason);
}

tda_status getDriver(const Driver *&driver) {
  static std::atomic<const Driver *> ready{nullptr};
  static std::mutex mutex;
  static Driver table;

  driver = ready.load(std::memory_order_acquire);
  if (driver)
    return TDA_OK;
  std::lock_guard<std::mutex> lock(mutex);
  if (!ready.load(std::memory_order_relaxed)) {
    const char *path = std::getenv("TDA_LIBCUDA");
    Driver opened;
    TDA_TRY(openLibrary(path && *path ? path : "libcuda.so.1", opened));
    table = opened;
    ready.store(&table, std::memory_order_release);
  }
  driver = &table;
  return TDA_OK;
}

std::string resultText(const Driver &driver, CUresult result) {
  const char *name = nullptr, *text = nullptr;
  if (driver.errorName(result, &name) != CUDA_SUCCESS || !name)
    return fmt::format("error {}", result);
  if (driver.errorText(result, &text) != CUDA_SUCCESS || !text)
    return name;
  return fmt::format("{} ({})", name, text);
}

tda_status driverStatus(const Driver &driver, CUresult result,
                        const std::string &what) {
  if (result == CUDA_SUCCESS)
    return TDA_OK;
  return fail(TDA_ERROR_DRIVER, "{}: {}", what, resultText(driver, result));
}

tda_status getDevice(const Driver &driver, int ordinal, CUdevice &device) {
  int count = 0;
  TDA_TRY(driverStatus(driver, driver.deviceCount(&count), "cuDeviceGetCount"));
  if (count == 0)
    return fail(TDA_ERROR_NO_DEVICE, "no CUDA device: the driver shows none");
  if (ordinal < 0 || ordinal >= count)
    return fail(TDA_ERROR_NO_DEVICE,
                "CUDA device {} was asked for, but the machine has {} (numbers "
                "start at 0)",
                ordinal, count);
  return driverStatus(driver, driver.deviceGet(&device, ordinal),
                      "cuDeviceGet");
}

tda_status ContextScope::push(const Driver &driver, CUcontext context) {
  TDA_TRY(
      driverStatus(driver, driver.contextPush(context), "cuCtxPushCurrent"));
  pushed = &driver;
  return TDA_OK;
}

ContextScope::~ContextScope() {
  CUcontext popped;
  if (pushed)
    pushed->contextPop(&popped);
}

} // namespace tda
