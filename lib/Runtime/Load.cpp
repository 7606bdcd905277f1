//===- Load.cpp - A program onto a device ---------------------------------===//
#include "Program.h"

using namespace tda;

static tda_status attribute(const Driver &driver, CUdevice device, int which,
                            int &value) {
  return driverStatus(driver, driver.deviceAttribute(&value, which, device),
                      "cuDeviceGetAttribute");
}

/// "NVIDIA H100 (device 0, compute capability 9.0)".
static std::string deviceText(const LoadedDevice &device, int capability) {
  char name[256] = "unknown GPU";
  device.driver->deviceName(name, sizeof(name), device.device);
  return fmt::format("{} (device {}, compute capability {}.{})", name,
                     device.ordinal, capability / 10, capability % 10);
}

/// PTX for sm_90 runs on 9.0 and every later device. 'a' (sm_90a): on exactly
/// that capability. 'f' (sm_100f): on the same major version from there on.
/// PTX ISA, section ".target".
static bool runsOn(const std::string &arch, int capability) {
  int built = std::stoi(arch.substr(3));
  if (arch.back() == 'a')
    return capability == built;
  if (arch.back() == 'f' && capability / 10 != built / 10)
    return false;
  return capability >= built;
}

static tda_status checkDevice(const Manifest &manifest,
                              const LoadedDevice &device, int capability) {
  const Driver &driver = *device.driver;
  const ManifestTarget &target = manifest.target;
  int version = 0;
  TDA_TRY(driverStatus(driver, driver.driverVersion(&version),
                       "cuDriverGetVersion"));
  auto versionText = [](int v) {
    return fmt::format("CUDA {}.{}", v / 1000, v % 1000 / 10);
  };
  if (version < target.minDriver)
    return fail(TDA_ERROR_UNSUPPORTED,
                "the NVIDIA driver supports {}; '{}' needs {} or later",
                versionText(version), manifest.name,
                versionText(target.minDriver));
  if (!manifest.tensorMaps.empty() && !driver.tensorMapEncode)
    return fail(TDA_ERROR_UNSUPPORTED,
                "'{}' uses tensor maps, and the NVIDIA driver has no "
                "cuTensorMapEncodeTiled; a driver of CUDA 12.0 or later is "
                "needed",
                manifest.name);
  if (target.arch.back() == 'a' && !runsOn(target.arch, capability)) {
    int built = std::stoi(target.arch.substr(3));
    return fail(TDA_ERROR_UNSUPPORTED,
                "'{}' was compiled for {}, which runs on compute capability "
                "{}.{} alone, not on {}; compile it with --arch sm_{}",
                manifest.name, target.arch, built / 10, built % 10,
                deviceText(device, capability), capability);
  }
  if (!runsOn(target.arch, capability))
    return fail(TDA_ERROR_UNSUPPORTED,
                "'{}' was compiled for {}, which {} cannot run; compile it "
                "with --arch sm_{}",
                manifest.name, target.arch, deviceText(device, capability),
                capability);
  return TDA_OK;
}

/// The cubin where it was made for exactly this device, else the PTX.
static tda_status loadModule(const tda_program &program, int capability,
                             LoadedDevice &device) {
  const std::string &arch = program.manifest.target.arch;
  bool useCubin =
      !program.cubin.empty() && std::stoi(arch.substr(3)) == capability;
  const std::string &image = useCubin ? program.cubin : program.ptx;

  std::vector<char> log(8192, '\0');
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log.data(),
                    reinterpret_cast<void *>(uintptr_t{log.size() - 1})};
  const Driver &driver = *device.driver;
  CUresult result =
      driver.moduleLoad(&device.module, image.c_str(), 2, options, values);
  if (result == CUDA_SUCCESS)
    return TDA_OK;
  device.module = nullptr;
  return fail(TDA_ERROR_DRIVER, "the {} of '{}' does not load on {}: {}{}{}",
              useCubin ? "cubin" : "PTX", program.manifest.name,
              deviceText(device, capability), resultText(driver, result),
              log[0] ? "\n" : "", log.data());
}

/// Finds the kernel and makes it ready: what a first launch would do lazily,
/// perhaps waiting for the device, happens here.
static tda_status loadKernel(const ManifestKernel &kernel, int capability,
                             LoadedDevice &device, CUfunction &function) {
  const Driver &driver = *device.driver;
  TDA_TRY(driverStatus(
      driver,
      driver.moduleFunction(&function, device.module, kernel.entry.c_str()),
      fmt::format("the code has no kernel '{}'", kernel.entry)));
  if (driver.functionLoad)
    TDA_TRY(driverStatus(driver, driver.functionLoad(function), "cuFuncLoad"));

  int maxThreads = 0, staticShared = 0, sharedLimit = 0;
  TDA_TRY(driverStatus(
      driver,
      driver.functionGet(&maxThreads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK,
                         function),
      "cuFuncGetAttribute"));
  TDA_TRY(driverStatus(driver,
                       driver.functionGet(&staticShared,
                                          CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
                                          function),
                       "cuFuncGetAttribute"));
  TDA_TRY(attribute(driver, device.device,
                    CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                    sharedLimit));
  int threads = kernel.block[0] * kernel.block[1] * kernel.block[2];
  if (threads > maxThreads)
    return fail(TDA_ERROR_UNSUPPORTED,
                "kernel '{}' is launched with {} threads a block; its code "
                "allows {} on {}",
                kernel.entry, threads, maxThreads,
                deviceText(device, capability));
  if (int64_t{kernel.sharedBytes} + staticShared > sharedLimit)
    return fail(TDA_ERROR_UNSUPPORTED,
                "kernel '{}' needs {} bytes of shared memory a block ({} "
                "dynamic, {} static); {} has {}",
                kernel.entry, int64_t{kernel.sharedBytes} + staticShared,
                kernel.sharedBytes, staticShared,
                deviceText(device, capability), sharedLimit);
  return driverStatus(
      driver,
      driver.functionSet(function,
                         CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                         kernel.sharedBytes),
      "cuFuncSetAttribute");
}

/// Frees what a LoadedDevice holds, whole or in part.
static void release(LoadedDevice &device) {
  if (device.module) {
    ContextScope scope;
    if (scope.push(*device.driver, device.context) == TDA_OK) {
      if (device.graphs)
        device.graphs->destroy(*device.driver);
      device.driver->moduleUnload(device.module);
    }
  }
  if (device.context)
    device.driver->contextRelease(device.device);
  device = LoadedDevice();
}

static tda_status load(const tda_program &program, int ordinal,
                       LoadedDevice &device) {
  TDA_TRY(getDriver(device.driver));
  const Driver &driver = *device.driver;
  device.ordinal = ordinal;
  TDA_TRY(getDevice(driver, ordinal, device.device));
  int major = 0, minor = 0, pageable = 0;
  TDA_TRY(attribute(driver, device.device,
                    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, major));
  TDA_TRY(attribute(driver, device.device,
                    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, minor));
  TDA_TRY(attribute(driver, device.device,
                    CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, pageable));
  device.readsHostMemory = pageable != 0;
  TDA_TRY(attribute(driver, device.device,
                    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
                    device.multiprocessors));
  int capability = 10 * major + minor;
  TDA_TRY(checkDevice(program.manifest, device, capability));

  TDA_TRY(driverStatus(driver,
                       driver.contextRetain(&device.context, device.device),
                       "cuDevicePrimaryCtxRetain"));
  ContextScope scope;
  TDA_TRY(scope.push(driver, device.context));
  TDA_TRY(loadModule(program, capability, device));
  for (size_t i = 0; i < program.manifest.kernels.size(); ++i)
    TDA_TRY(loadKernel(program.manifest.kernels[i], capability, device,
                       device.functions[i]));
  device.graphs = std::make_unique<LaunchGraphs>();
  return TDA_OK;
}

tda_status tda_load(tda_program *program, int device) {
  return guarded([&]() -> tda_status {
    if (!program)
      return fail(TDA_ERROR_USE, "tda_load: the program is NULL");
    std::lock_guard<std::mutex> lock(program->loadMutex);
    int count = program->loadedCount.load(std::memory_order_relaxed);
    for (int i = 0; i < count; ++i)
      if (program->loaded[i].ordinal == device)
        return TDA_OK;
    if (count == MaxDevices)
      return fail(TDA_ERROR_USE, "a program is loaded on at most {} devices",
                  MaxDevices);
    LoadedDevice loaded;
    tda_status status = load(*program, device, loaded);
    if (status != TDA_OK) {
      release(loaded);
      return status;
    }
    program->loaded[count] = std::move(loaded);
    program->loadedCount.store(count + 1, std::memory_order_release);
    return TDA_OK;
  });
}

void tda::unload(tda_program &program) {
  int count = program.loadedCount.exchange(0);
  for (int i = 0; i < count; ++i)
    release(program.loaded[i]);
}
