//===- Device.cpp - The few device calls that tests need ------------------===//
#include "tda/device.h"
#include "Driver.h"

#include <array>
#include <mutex>

using namespace tda;

/// Calls the driver function in `field` with the parenthesised `parameters`;
/// an error names it.
#define TDA_CALL(driver, field, parameters)                                    \
  TDA_TRY(driverStatus(*driver, driver->field parameters, #field))

/// Opens the driver, then runs the body with it.
template <typename Body> static tda_status withDriver(Body body) {
  return guarded([&]() -> tda_status {
    const Driver *driver = nullptr;
    TDA_TRY(getDriver(driver));
    return body(driver);
  });
}

static CUdeviceptr toDevice(const void *address) {
  return reinterpret_cast<uintptr_t>(address);
}

static tda_status failNull(const char *function) {
  return fail(TDA_ERROR_USE, "{}: a parameter is NULL", function);
}

tda_status tda_device_count(int *count) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!count)
      return failNull("tda_device_count");
    CUdevice first;
    TDA_TRY(getDevice(*driver, 0, first));
    TDA_CALL(driver, deviceCount, (count));
    return TDA_OK;
  });
}

tda_status tda_device_query(int device, tda_device_info *info) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!info)
      return failNull("tda_device_query");
    *info = tda_device_info();
    CUdevice handle;
    size_t memory = 0;
    TDA_TRY(getDevice(*driver, device, handle));
    TDA_CALL(driver, deviceName, (info->name, sizeof(info->name), handle));
    TDA_CALL(driver, driverVersion, (&info->driver_version));
    TDA_CALL(driver, deviceMemory, (&memory, handle));
    info->memory_bytes = memory;
    std::pair<int *, int> attributes[] = {
        {&info->major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR},
        {&info->minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR},
        {&info->multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT},
        {&info->shared_bytes,
         CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN}};
    for (auto [value, attribute] : attributes)
      TDA_CALL(driver, deviceAttribute, (value, attribute, handle));
    return TDA_OK;
  });
}

tda_status tda_device_use(int device) {
  return withDriver([&](const Driver *driver) -> tda_status {
    constexpr int maxDevices = 64;
    static std::array<CUcontext, maxDevices> contexts{};
    static std::mutex mutex;
    CUdevice handle;
    TDA_TRY(getDevice(*driver, device, handle));
    if (device >= maxDevices)
      return fail(TDA_ERROR_USE, "device {}: at most {} are supported", device,
                  maxDevices);
    std::lock_guard<std::mutex> lock(mutex);
    if (!contexts[device])
      TDA_CALL(driver, contextRetain, (&contexts[device], handle));
    TDA_CALL(driver, contextSet, (contexts[device]));
    return TDA_OK;
  });
}

tda_status tda_device_alloc(size_t bytes, void **address) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!address)
      return failNull("tda_device_alloc");
    *address = nullptr;
    if (bytes == 0)
      return TDA_OK;
    CUdeviceptr pointer = 0;
    TDA_TRY(driverStatus(*driver, driver->memAlloc(&pointer, bytes),
                         fmt::format("allocating {} bytes on the GPU", bytes)));
    *address = reinterpret_cast<void *>(static_cast<uintptr_t>(pointer));
    return TDA_OK;
  });
}

tda_status tda_device_free(void *address) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (address)
      TDA_CALL(driver, memFree, (toDevice(address)));
    return TDA_OK;
  });
}

tda_status tda_device_fill(void *address, int byte, size_t bytes) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, contextSynchronize, ());
    if (bytes)
      TDA_CALL(driver, memSet, (toDevice(address), byte, bytes));
    TDA_CALL(driver, contextSynchronize, ());
    return TDA_OK;
  });
}

tda_status tda_device_upload(void *device_to, const void *host_from,
                             size_t bytes) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, contextSynchronize, ());
    if (bytes)
      TDA_CALL(driver, copyToDevice, (toDevice(device_to), host_from, bytes));
    TDA_CALL(driver, contextSynchronize, ());
    return TDA_OK;
  });
}

tda_status tda_device_download(void *host_to, const void *device_from,
                               size_t bytes) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, contextSynchronize, ());
    if (bytes)
      TDA_CALL(driver, copyToHost, (host_to, toDevice(device_from), bytes));
    return TDA_OK;
  });
}

tda_status tda_device_synchronize(void) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, contextSynchronize, ());
    return TDA_OK;
  });
}

tda_status tda_stream_create(void **stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!stream)
      return failNull("tda_stream_create");
    CUstream created = nullptr;
    TDA_CALL(driver, streamCreate, (&created, CU_STREAM_NON_BLOCKING));
    *stream = created;
    return TDA_OK;
  });
}

tda_status tda_stream_synchronize(void *stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, streamSynchronize, (static_cast<CUstream>(stream)));
    return TDA_OK;
  });
}

tda_status tda_stream_destroy(void *stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (stream)
      TDA_CALL(driver, streamDestroy, (static_cast<CUstream>(stream)));
    return TDA_OK;
  });
}

tda_status tda_event_create(void **event) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!event)
      return failNull("tda_event_create");
    CUevent created = nullptr;
    TDA_CALL(driver, eventCreate, (&created, 0));
    *event = created;
    return TDA_OK;
  });
}

tda_status tda_event_record(void *event, void *stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, eventRecord,
             (static_cast<CUevent>(event), static_cast<CUstream>(stream)));
    return TDA_OK;
  });
}

tda_status tda_event_elapsed(void *start, void *stop, float *milliseconds) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!milliseconds)
      return failNull("tda_event_elapsed");
    TDA_CALL(driver, eventSynchronize, (static_cast<CUevent>(stop)));
    TDA_CALL(driver, eventElapsed,
             (milliseconds, static_cast<CUevent>(start),
              static_cast<CUevent>(stop)));
    return TDA_OK;
  });
}

tda_status tda_event_destroy(void *event) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (event)
      TDA_CALL(driver, eventDestroy, (static_cast<CUevent>(event)));
    return TDA_OK;
  });
}

tda_status tda_graph_begin(void *stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(driver, captureBegin,
             (static_cast<CUstream>(stream), CU_STREAM_CAPTURE_MODE_GLOBAL));
    return TDA_OK;
  });
}

tda_status tda_graph_end(void *stream, tda_graph **graph) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (!graph)
      return failNull("tda_graph_end");
    *graph = nullptr;
    CUgraph captured = nullptr;
    TDA_CALL(driver, captureEnd, (static_cast<CUstream>(stream), &captured));
    CUgraphExec executable = nullptr;
    CUresult result = driver->graphInstantiate(&executable, captured, 0);
    driver->graphDestroy(captured);
    TDA_TRY(driverStatus(*driver, result, "graphInstantiate"));
    *graph = reinterpret_cast<tda_graph *>(executable);
    return TDA_OK;
  });
}

tda_status tda_graph_launch(tda_graph *graph, void *stream) {
  return withDriver([&](const Driver *driver) -> tda_status {
    TDA_CALL(
        driver, graphLaunch,
        (reinterpret_cast<CUgraphExec>(graph), static_cast<CUstream>(stream)));
    return TDA_OK;
  });
}

tda_status tda_graph_destroy(tda_graph *graph) {
  return withDriver([&](const Driver *driver) -> tda_status {
    if (graph)
      TDA_CALL(driver, graphExecDestroy,
               (reinterpret_cast<CUgraphExec>(graph)));
    return TDA_OK;
  });
}
