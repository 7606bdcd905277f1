//===- CheckTensor.cpp - Does a tensor fit its argument? ------------------===//
#include "Program.h"

#include <fmt/ranges.h>

namespace tda {

/// tda_dtype counts from 1, so that a zeroed argument is refused.
static const char *givenDTypeName(int dtype) {
  if (dtype < TDA_F32 || dtype > TDA_I64)
    return "no tda_dtype";
  return dtypeName(static_cast<DType>(dtype - TDA_F32));
}
static_assert(static_cast<int>(DType::F32) == TDA_F32 - TDA_F32 &&
              static_cast<int>(DType::BF16) == TDA_BF16 - TDA_F32 &&
              static_cast<int>(DType::F16) == TDA_F16 - TDA_F32 &&
              static_cast<int>(DType::I32) == TDA_I32 - TDA_F32 &&
              static_cast<int>(DType::I64) == TDA_I64 - TDA_F32);

static std::string axisText(const ManifestArgument &wanted, int axis) {
  const ManifestAxis &extent = wanted.shape[axis];
  return extent.symbol
             ? fmt::format("axis {} ({})", axis, lengthName(*extent.symbol))
             : fmt::format("axis {}", axis);
}

static tda_status checkShape(const ManifestArgument &wanted,
                             const tda_argument &given) {
  int rank = static_cast<int>(wanted.shape.size());
  if (given.rank != rank)
    return fail(TDA_ERROR_ARGUMENT,
                "argument '{}': rank is {}; it must be {}, with shape {}",
                wanted.name, given.rank, rank, shapeText(wanted.shape));
  for (int i = 0; i < rank; ++i) {
    if (given.shape[i] < 0)
      return fail(TDA_ERROR_ARGUMENT, "argument '{}': {} has {} elements",
                  wanted.name, axisText(wanted, i), given.shape[i]);
    if (!wanted.shape[i].symbol && given.shape[i] != wanted.shape[i].extent)
      return fail(TDA_ERROR_ARGUMENT,
                  "argument '{}': axis {} has {} elements; it must have {}, "
                  "the kernel was compiled for shape {}",
                  wanted.name, i, given.shape[i], wanted.shape[i].extent,
                  shapeText(wanted.shape));
  }
  return TDA_OK;
}

/// Ends the message on an address or a stride that TMA could not use.
static const char *tmaReason(bool readByTma) {
  return readByTma ? ": the GPU reads this argument with TMA" : "";
}

/// Strides of axes with more than one element; the others address nothing.
static tda_status checkStrides(const ManifestArgument &wanted,
                               const tda_argument &given, bool readByTma) {
  int64_t contiguous = 1;
  for (int i = given.rank - 1; i >= 0; --i) {
    int64_t extent = given.shape[i], stride = given.strides[i];
    bool isLast = i == given.rank - 1;
    if (extent <= 1)
      continue;
    auto failStride = [&](const std::string &rule) {
      return fail(TDA_ERROR_ARGUMENT,
                  "argument '{}': {} has stride {} elements; it must {}",
                  wanted.name, axisText(wanted, i), stride, rule);
    };
    if (stride < 0)
      return failStride("not be negative");
    if (isLast && stride != 1)
      return failStride("be 1: the last axis is contiguous");
    if (wanted.strides == StrideRule::Contiguous && stride != contiguous)
      return failStride(
          fmt::format("be {}: this argument is contiguous", contiguous));
    if (!isLast && stride % wanted.strideMultiple != 0)
      return failStride(
          fmt::format("be a multiple of {} ({} bytes){}", wanted.strideMultiple,
                      wanted.strideMultiple * dtypeSize(wanted.dtype),
                      tmaReason(readByTma)));
    if (__builtin_mul_overflow(contiguous, extent, &contiguous))
      contiguous = INT64_MAX;
  }
  return TDA_OK;
}

/// The byte offset of every element fits 64 bits, and no two elements of an
/// output share an address, or different blocks would write it.
static tda_status checkExtent(const ManifestArgument &wanted,
                              const tda_argument &given) {
  // Axes (stride, extent) from the smallest stride, by insertion.
  std::array<std::pair<int64_t, int64_t>, MaxRank> axes;
  int count = 0;
  for (int i = 0; i < given.rank; ++i) {
    if (given.shape[i] <= 1)
      continue;
    std::pair<int64_t, int64_t> axis = {given.strides[i], given.shape[i]};
    int place = count++;
    for (; place > 0 && axis < axes[place - 1]; --place)
      axes[place] = axes[place - 1];
    axes[place] = axis;
  }

  int64_t last = 0; // Offset of the last element of the axes so far.
  for (int i = 0; i < count; ++i) {
    auto [stride, extent] = axes[i];
    if (wanted.output && stride <= last)
      return fail(TDA_ERROR_ARGUMENT,
                  "argument '{}': elements of this output overlap: strides "
                  "[{}] for shape [{}]",
                  wanted.name,
                  fmt::join(given.strides, given.strides + given.rank, ", "),
                  fmt::join(given.shape, given.shape + given.rank, ", "));
    int64_t span, bytes;
    int64_t size = dtypeSize(wanted.dtype);
    if (__builtin_mul_overflow(extent - 1, stride, &span) ||
        __builtin_add_overflow(last, span, &last) ||
        __builtin_mul_overflow(last, size, &bytes))
      return fail(TDA_ERROR_ARGUMENT,
                  "argument '{}': the offset of its last element does not fit "
                  "64 bits",
                  wanted.name);
  }
  return TDA_OK;
}

tda_status checkTensor(const ManifestArgument &wanted,
                       const tda_argument &given, DataCheck dataCheck,
                       bool readByTma) {
  if (given.dtype - TDA_F32 != static_cast<int>(wanted.dtype))
    return fail(TDA_ERROR_ARGUMENT, "argument '{}': dtype is {}; it must be {}",
                wanted.name, givenDTypeName(given.dtype),
                dtypeName(wanted.dtype));
  TDA_TRY(checkShape(wanted, given));
  for (int i = 0; i < given.rank; ++i)
    if (given.shape[i] == 0)
      return TDA_OK; // No element: nothing is read or written.
  TDA_TRY(checkStrides(wanted, given, readByTma));
  TDA_TRY(checkExtent(wanted, given));
  if (dataCheck == DataCheck::Ignored)
    return TDA_OK;
  if (!given.data)
    return fail(TDA_ERROR_ARGUMENT,
                "argument '{}': data is NULL; it must be "
                "the device address of shape [{}]",
                wanted.name,
                fmt::join(given.shape, given.shape + given.rank, ", "));
  auto address = reinterpret_cast<uintptr_t>(given.data);
  if (address % wanted.alignment != 0)
    return fail(TDA_ERROR_ARGUMENT,
                "argument '{}': data is at {:#x}; it must be aligned to {} "
                "bytes{}",
                wanted.name, address, wanted.alignment, tmaReason(readByTma));
  return TDA_OK;
}

} // namespace tda
