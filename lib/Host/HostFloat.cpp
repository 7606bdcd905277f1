//===- HostFloat.cpp - f32 to and from the 16-bit float types -------------===//

#include "tda/Host/HostFloat.h"

#include <cstring>

namespace tda::host {

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Drops the low `count` bits (1 to 31), rounding to nearest, ties to even. A
/// carry out of the mantissa lands in the exponent, which is what it means.
static uint32_t roundOff(uint32_t bits, unsigned count) {
  uint32_t half = 1u << (count - 1);
  uint32_t odd = (bits >> count) & 1;
  return (bits + half - 1 + odd) >> count;
}

uint16_t floatToBF16(float value) {
  uint32_t bits = bitsOf(value);
  bool isNaN = (bits & 0x7fffffff) > 0x7f800000;
  return isNaN ? (bits >> 16) | 0x0040 : roundOff(bits, 16);
}

float bf16ToFloat(uint16_t bits) { return floatOf(uint32_t(bits) << 16); }

uint16_t floatToF16(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t sign = (bits >> 16) & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) // NaN: keep the top of its payload.
    return sign | 0x7e00 | ((magnitude >> 13) & 0x03ff);
  if (magnitude >= 0x477ff000) // 65520, half way beyond the largest, 65504.
    return sign | 0x7c00;
  if (magnitude >= 0x38800000) // 2^-14: normal. Exponent bias 127 to 15.
    return sign | roundOff(magnitude - (112u << 23), 13);
  // Subnormal: a multiple of 2^-24. Up to 2^-25, the tie, it rounds to zero.
  if (magnitude <= 0x33000000)
    return sign;
  uint32_t mantissa = (magnitude & 0x007fffff) | 0x00800000;
  return sign | roundOff(mantissa, 126 - (magnitude >> 23));
}

float f16ToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f;
  uint32_t mantissa = bits & 0x03ff;
  if (exponent == 0x1f) // Infinity or NaN.
    return floatOf(sign | 0x7f800000 | (mantissa << 13));
  if (exponent != 0)
    return floatOf(sign | ((exponent + 112) << 23) | (mantissa << 13));
  float magnitude = float(mantissa) * 0x1p-24f; // Zero or subnormal; exact.
  return sign ? -magnitude : magnitude;
}

float roundToType(float value, DType type) {
  switch (type) {
  case DType::BF16:
    return bf16ToFloat(floatToBF16(value));
  case DType::F16:
    return f16ToFloat(floatToF16(value));
  default:
    return value;
  }
}

} // namespace tda::host
