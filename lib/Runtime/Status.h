//===- Status.h - Errors of the C interface --------------------*- C++ -*-===//
#ifndef TDA_LIB_RUNTIME_STATUS_H
#define TDA_LIB_RUNTIME_STATUS_H

#include "tda/runtime.h"

#include <fmt/format.h>
#include <new>
#include <string>

namespace tda {

/// Makes `message` this thread's tda_last_error; returns `status`.
tda_status fail(tda_status status, std::string message);

/// The same with a format string.
template <typename... Args>
tda_status fail(tda_status status, fmt::format_string<Args...> format,
                Args &&...args) {
  return fail(status, fmt::format(format, std::forward<Args>(args)...));
}

/// TDA_ERROR_MEMORY, without allocating.
tda_status failMemory();

/// Runs the body of a C function: no C++ exception passes the interface.
template <typename Body> tda_status guarded(Body body) {
  try {
    return body();
  } catch (const std::exception &) {
    return failMemory();
  }
}

} // namespace tda

/// Leaves the function with a status that is not TDA_OK.
#define TDA_TRY(call)                                                          \
  do {                                                                         \
    if (tda_status tryStatus = (call))                                         \
      return tryStatus;                                                        \
  } while (false)

#endif // TDA_LIB_RUNTIME_STATUS_H
