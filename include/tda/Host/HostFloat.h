//===- HostFloat.h - f32 to and from the 16-bit float types ----*- C++ -*-===//
//
// Bit-level conversions, the same on every machine. Down-conversions round to
// nearest, ties to even; values too large become infinity, subnormals are
// kept, and a NaN stays a (quiet) NaN of the same sign.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_HOST_HOSTFLOAT_H
#define TDA_HOST_HOSTFLOAT_H

#include "tda/Problem.h"

#include <cstdint>

namespace tda::host {

uint16_t floatToBF16(float value);
float bf16ToFloat(uint16_t bits);

/// IEEE binary16: 65520 and above become infinity.
uint16_t floatToF16(float value);
float f16ToFloat(uint16_t bits);

/// The value after one trip through `type` (f32, bf16 or f16).
float roundToType(float value, DType type);

} // namespace tda::host

#endif // TDA_HOST_HOSTFLOAT_H
