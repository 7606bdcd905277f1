//===- Status.cpp - Errors of the C interface -----------------------------===//
#include "Status.h"

/// The message is either the text, or one that needed no memory.
static thread_local std::string lastText;
static thread_local const char *lastError = "";

tda_status tda::fail(tda_status status, std::string message) {
  lastText = std::move(message);
  lastError = lastText.c_str();
  return status;
}

tda_status tda::failMemory() {
  lastError = "host memory is exhausted";
  return TDA_ERROR_MEMORY;
}

const char *tda_last_error(void) { return lastError; }

const char *tda_runtime_version(void) { return TDA_RUNTIME_VERSION; }

const char *tda_status_name(tda_status status) {
  switch (status) {
#define TDA_NAME(code)                                                         \
  case code:                                                                   \
    return #code;
    TDA_NAME(TDA_OK)
    TDA_NAME(TDA_ERROR_USE)
    TDA_NAME(TDA_ERROR_FILE)
    TDA_NAME(TDA_ERROR_MANIFEST)
    TDA_NAME(TDA_ERROR_HASH)
    TDA_NAME(TDA_ERROR_ARGUMENT)
    TDA_NAME(TDA_ERROR_WORKSPACE)
    TDA_NAME(TDA_ERROR_NO_DEVICE)
    TDA_NAME(TDA_ERROR_UNSUPPORTED)
    TDA_NAME(TDA_ERROR_NOT_LOADED)
    TDA_NAME(TDA_ERROR_DRIVER)
    TDA_NAME(TDA_ERROR_BUFFER)
    TDA_NAME(TDA_ERROR_MEMORY)
#undef TDA_NAME
  }
  return "unknown tda_status";
}
