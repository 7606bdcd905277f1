//===- DeviceWorkspace.cpp - A call's workspace between guards ------------===//
#include "DeviceWorkspace.h"

#include "tda/device.h"

#include <cstdint>
#include <fmt/format.h>
#include <vector>

using namespace tda;
using namespace tda::gputest;

/// On both sides; a multiple of the alignment that a workspace has.
static constexpr size_t GuardBytes = 512;
static constexpr uint8_t GuardByte = 0xa5;
static constexpr uint8_t NaNByte = 0xff;

static bool good(tda_status status, std::string &error) {
  if (status != TDA_OK)
    error = fmt::format("the workspace: {}", tda_last_error());
  return status == TDA_OK;
}

DeviceWorkspace::~DeviceWorkspace() {
  if (memory)
    tda_device_free(memory);
}

void *DeviceWorkspace::data() const {
  return memory ? static_cast<uint8_t *>(memory) + GuardBytes : nullptr;
}

bool DeviceWorkspace::reserve(size_t wanted, std::string &error) {
  if (wanted <= bytes)
    return true;
  if (memory && !good(tda_device_free(memory), error))
    return false;
  memory = nullptr;
  bytes = 0;
  if (!good(tda_device_alloc(wanted + 2 * GuardBytes, &memory), error))
    return false;
  bytes = wanted;
  return poison(error);
}

bool DeviceWorkspace::poison(std::string &error) {
  return !memory ||
         (good(tda_device_fill(memory, GuardByte, bytes + 2 * GuardBytes),
               error) &&
          good(tda_device_fill(data(), NaNByte, bytes), error));
}

bool DeviceWorkspace::check(std::string &error) const {
  if (!memory)
    return true;
  for (int64_t from : {-int64_t(GuardBytes), int64_t(bytes)}) {
    std::vector<uint8_t> seen(GuardBytes);
    if (!good(tda_device_download(seen.data(),
                                  static_cast<uint8_t *>(data()) + from,
                                  seen.size()),
              error))
      return false;
    for (size_t i = 0; i < seen.size(); ++i)
      if (seen[i] != GuardByte) {
        error = fmt::format("memory around the workspace of {} bytes was "
                            "written at byte {} from its start",
                            bytes, from + int64_t(i));
        return false;
      }
  }
  return true;
}
