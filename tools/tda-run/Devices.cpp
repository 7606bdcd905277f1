//===- Devices.cpp - The GPUs of this machine -----------------------------===//
#include "Program.h"
#include "tda/TargetTable.h"
#include "tda/device.h"

#include <fmt/format.h>

using namespace tda;

int tda::listDevices() {
  int count = 0;
  if (tda_device_count(&count) != TDA_OK || count == 0) {
    fmt::print("none\n");
    return 0;
  }
  for (int i = 0; i < count; ++i) {
    tda_device_info info;
    if (tda_device_query(i, &info) != TDA_OK)
      return reportError(tda_last_error());
    fmt::print("{}: {}, compute capability {}.{}, {:.0f} GiB, CUDA {}.{}\n", i,
               info.name, info.major, info.minor,
               double(info.memory_bytes) / (1 << 30),
               info.driver_version / 1000, info.driver_version % 1000 / 10);
  }
  return 0;
}

bool tda::targetOfDevice(int device, std::string &target,
                         std::string &messages) {
  tda_device_info info;
  if (tda_device_query(device, &info) != TDA_OK) {
    messages += fmt::format("error: --target gpu: {}; --target cpu needs no "
                            "GPU\n",
                            tda_last_error());
    return false;
  }
  int capability = 10 * info.major + info.minor, best = 0;
  for (const Target &row : targetTable())
    if (row.path != Path::Vector && row.computeCapability <= capability &&
        row.computeCapability > best) {
      best = row.computeCapability;
      target = row.name;
    }
  if (best == 0)
    messages += fmt::format("error: {} has compute capability {}.{}; the GPU "
                            "path needs 8.0\n",
                            info.name, info.major, info.minor);
  return best != 0;
}
