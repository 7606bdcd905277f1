//===- TensorMap.cpp - TMA descriptors of a call --------------------------===//
//
// A tensor [B, H, N, C] becomes a map of rank 4 with the axes C, N, H, B. What
// can be known without a driver is computed and refused by tda_check; at the
// launch the driver only packs the numbers into the 128 bytes of a map, on the
// host. Limits: CUDA Driver API Reference, cuTensorMapEncodeTiled.
//
//===----------------------------------------------------------------------===//
#include "Program.h"

#include <fmt/ranges.h>

using namespace tda;

static constexpr uint64_t ElementBytes = 2;
static constexpr uint64_t MaxDim = uint64_t{1} << 32;
static constexpr uint64_t StrideLimit = uint64_t{1} << 40; // Bytes, excluded.
static constexpr uint64_t StrideUnit = 16;                 // Bytes.

static std::string tensorText(const ManifestTensorMap &map) {
  return map.workspace
             ? fmt::format("tensor map '{}' (workspace, like argument '{}')",
                           map.name, map.argument)
             : fmt::format("argument '{}'", map.argument);
}

/// Names the tensor and what TMA needs; `details` come between.
static tda_status failTensor(tda_status status, const ManifestTensorMap &map,
                             const MappedTensor &tensor,
                             const std::string &details) {
  return fail(status,
              "{}: TMA cannot read shape [{}] with strides [{}, {}] bytes{}; "
              "it needs an address and strides that are multiples of 16 bytes, "
              "strides below 2^40 bytes and at most 2^32 elements along an "
              "axis",
              tensorText(map),
              fmt::join(tensor.dims.rbegin(), tensor.dims.rend(), ", "),
              fmt::join(tensor.strides.rbegin(), tensor.strides.rend(), ", "),
              ElementBytes, details);
}

/// The axes of `argument`, whose strides stand for contiguous ones where
/// `isContiguous`. Strides that do not fit are too large in any case.
static MappedTensor describe(const tda_argument &argument, bool isContiguous) {
  MappedTensor tensor;
  uint64_t contiguous = ElementBytes;
  for (int i = 0; i < 4; ++i) {
    int axis = 3 - i;
    auto extent = static_cast<uint64_t>(argument.shape[axis]);
    tensor.isEmpty |= extent == 0;
    tensor.dims[i] = extent;
    uint64_t stride = contiguous;
    if (!isContiguous &&
        __builtin_mul_overflow(static_cast<uint64_t>(argument.strides[axis]),
                               ElementBytes, &stride))
      stride = UINT64_MAX;
    // Only the index 0 exists along an axis of one element: the stride
    // addresses nothing, but the driver looks at it.
    if (i > 0)
      tensor.strides[i - 1] = extent <= 1 ? StrideUnit : stride;
    if (__builtin_mul_overflow(contiguous, extent, &contiguous))
      contiguous = UINT64_MAX;
  }
  return tensor;
}

/// Where a tensor of `bytes` lies in the workspace.
static tda_status findOffset(const ManifestTensorMap &map,
                             const TensorMapPlan &plan, const Call &call,
                             MappedTensor &tensor) {
  std::string error;
  if (!plan.offset.evaluate(call.lengths, tensor.offset, error))
    return fail(TDA_ERROR_ARGUMENT,
                "tensor map '{}': offset {} into the workspace: {}", map.name,
                *map.workspace, error);
  if (tensor.offset % TensorMapWorkspaceAlignment != 0)
    return fail(TDA_ERROR_ARGUMENT,
                "tensor map '{}': offset {} = {} into the workspace must be a "
                "multiple of {} bytes",
                map.name, *map.workspace, tensor.offset,
                TensorMapWorkspaceAlignment);
  int64_t end = ElementBytes;
  bool fits = true;
  for (uint64_t dim : tensor.dims)
    fits &= !__builtin_mul_overflow(end, dim, &end);
  fits &= !__builtin_add_overflow(end, tensor.offset, &end);
  if (tensor.offset < 0 || !fits || end > call.workspaceBytes)
    return fail(TDA_ERROR_ARGUMENT,
                "tensor map '{}': shape [{}] at offset {} = {} is not inside "
                "the workspace of {} bytes",
                map.name,
                fmt::join(tensor.dims.rbegin(), tensor.dims.rend(), ", "),
                *map.workspace, tensor.offset, call.workspaceBytes);
  return TDA_OK;
}

tda_status tda::describeTensorMaps(const tda_program &program,
                                   const tda_argument *args, Call &call) {
  for (size_t i = 0; i < program.tensorMaps.size(); ++i) {
    const ManifestTensorMap &map = program.manifest.tensorMaps[i];
    const TensorMapPlan &plan = program.tensorMaps[i];
    MappedTensor &tensor = call.mapped[i];
    tensor = describe(args[plan.argument], map.workspace.has_value());
    if (tensor.isEmpty)
      continue;
    bool isLegal = true;
    for (uint64_t dim : tensor.dims)
      isLegal &= dim <= MaxDim;
    for (uint64_t stride : tensor.strides)
      isLegal &= stride % StrideUnit == 0 && stride < StrideLimit;
    if (!isLegal)
      return failTensor(TDA_ERROR_ARGUMENT, map, tensor, "");
    if (map.workspace)
      TDA_TRY(findOffset(map, plan, call, tensor));
  }
  return TDA_OK;
}

tda_status tda::encodeTensorMaps(const tda_program &program,
                                 const Driver &driver, const Call &call,
                                 const tda_argument *args,
                                 const void *workspace, CUtensorMap *maps) {
  static_assert(sizeof(CUtensorMap) == TensorMapBytes &&
                alignof(CUtensorMap) == TensorMapAlignment);
  for (size_t i = 0; i < program.tensorMaps.size(); ++i) {
    const ManifestTensorMap &map = program.manifest.tensorMaps[i];
    int argument = program.tensorMaps[i].argument;
    const MappedTensor &tensor = call.mapped[i];
    maps[i] = CUtensorMap{};
    if (tensor.isEmpty)
      continue;
    uintptr_t address =
        map.workspace ? reinterpret_cast<uintptr_t>(workspace) + tensor.offset
                      : reinterpret_cast<uintptr_t>(args[argument].data);
    bool isBF16 = program.manifest.arguments[argument].dtype == DType::BF16;
    const unsigned box[4] = {unsigned(map.boxColumns), unsigned(map.boxRows), 1,
                             1};
    const unsigned elementStrides[4] = {1, 1, 1, 1};
    CUresult result = driver.tensorMapEncode(
        &maps[i],
        isBF16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
               : CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
        4, reinterpret_cast<void *>(address), tensor.dims.data(),
        tensor.strides.data(), box, elementStrides,
        CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
        CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (result != CUDA_SUCCESS)
      return failTensor(TDA_ERROR_DRIVER, map, tensor,
                        fmt::format(" at {:#x}: cuTensorMapEncodeTiled gave {}",
                                    address, resultText(driver, result)));
  }
  return TDA_OK;
}
