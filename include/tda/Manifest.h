//===- Manifest.h - What a compiled kernel needs to run --------*- C++ -*-===//
//
// The manifest (NAME.json) describes a compiled attention completely: with it
// and NAME.ptx any program can check arguments and launch. These structs are
// the one definition of it: the compiler fills and prints them, the runtime
// reads and checks them. The meaning of every field is docs/manifest.md.
//
// No LLVM here. Functions return false and fill `error` on failure.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_MANIFEST_H
#define TDA_MANIFEST_H

#include "tda/GridExpression.h"
#include "tda/Problem.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tda {

/// Written to and required of every manifest.
constexpr const char *ManifestSchema = "tda.manifest";
constexpr int ManifestSchemaVersion = 3;

/// Limits of this schema version; the runtime's call path needs no heap then.
constexpr int MaxRank = 6;
constexpr int MaxArguments = 32;
constexpr int MaxParams = 256;
constexpr int MaxKernels = 8;
constexpr int MaxTensorMaps = 16;

/// Bytes of a tensor map (CUtensorMap), and what it is aligned to.
constexpr int TensorMapBytes = 128;
constexpr int TensorMapAlignment = 64;
/// The one swizzle of this schema version, bytes.
constexpr int TensorMapSwizzle = 128;
/// Alignment of a tensor in the workspace that a map reads, bytes. TMA asks for
/// 16; with 128 rows do not straddle more cache lines than they must.
constexpr int TensorMapWorkspaceAlignment = 128;

/// Bytes of parameters that every driver takes; from CUDA 12.1 on 32764 (CUDA
/// C++ Programming Guide, "__global__ Function Parameters").
constexpr int MaxParamBytes = 4096;

struct ManifestTarget {
  std::string arch;   ///< "sm_90"; "sm_90a": that architecture alone.
  std::string ptxIsa; ///< PTX ISA version, "8.0".
  int minDriver = 0;  ///< As cuDriverGetVersion gives it: 12000 is CUDA 12.0.
};

/// Extent of one axis: a length symbol, or a fixed number of elements.
struct ManifestAxis {
  std::optional<Length> symbol;
  int64_t extent = 0; ///< Used where there is no symbol.

  ManifestAxis(Length length) : symbol(length) {}
  ManifestAxis(int64_t extent) : extent(extent) {}
};

enum class StrideRule {
  AnyWithUnitLast, ///< Any strides >= 0; the last axis has stride 1.
  Contiguous,      ///< Row-major without gaps.
};

/// One argument of the call: a device tensor or a host i64 scalar.
struct ManifestArgument {
  enum class Kind { Tensor, Scalar };

  std::string name; ///< A C identifier.
  bool output = false;
  Kind kind = Kind::Tensor;
  DType dtype = DType::BF16; ///< I64 for a scalar.

  // Tensors only.
  std::vector<ManifestAxis> shape;
  StrideRule strides = StrideRule::AnyWithUnitLast;
  int64_t alignment = 1;      ///< Of the base pointer, bytes; a power of 2.
  int64_t strideMultiple = 1; ///< Of all strides but the last, elements.

  // Scalars only: the accepted range, both ends included.
  int64_t min = 0;
  int64_t max = 0;
};

/// What a length may be.
struct LengthRange {
  int64_t min = 0;
  int64_t max = 0;
  std::optional<int64_t> equals; ///< Set where it was static at compile time.
};

/// `divisor` must divide `dividend`.
struct DividesRule {
  Length divisor;
  Length dividend;
};

/// Recipe of a TMA descriptor (a tensor map) of a tensor [B, H, N, C] of 16-bit
/// elements: which elements one copy brings into shared memory, and how they
/// lie there.
struct ManifestTensorMap {
  std::string name; ///< A C identifier; parameters name the map by it.
  /// The tensor that is read. With `workspace`: "like", the tensor whose shape
  /// and dtype that in the workspace has.
  std::string argument;
  /// Where set, the tensor lies in the workspace, contiguous, at this byte
  /// offset, an expression.
  std::optional<std::string> workspace;
  int boxRows = 1;                ///< Along N.
  int boxColumns = 1;             ///< Along C; those beyond C are zeros.
  int swizzle = TensorMapSwizzle; ///< Of the rows in shared memory, bytes.
};

/// One parameter of a kernel, in the order of its PTX signature.
struct KernelParam {
  enum class Kind {
    Pointer,   ///< ptr: base address of a tensor.
    Length,    ///< i32: a run-time length.
    Stride,    ///< i64: stride of a tensor's axis, elements.
    Scalar,    ///< i64: a scalar argument.
    Workspace, ///< ptr: workspace base plus a byte offset.
    TensorMap, ///< tensor_map: a TMA descriptor by value, 128 bytes.
  };
  Kind kind = Kind::Pointer;
  std::string argument; ///< Pointer, Stride, Scalar: the argument's name.
  int axis = 0;         ///< Stride.
  tda::Length symbol = tda::Length::B; ///< Length.
  std::string offset; ///< Workspace: byte offset, an expression.
  std::string map;    ///< TensorMap: its name.

  static KernelParam pointer(std::string argument);
  static KernelParam length(tda::Length symbol);
  static KernelParam stride(std::string argument, int axis);
  static KernelParam scalar(std::string argument);
  static KernelParam workspace(std::string offset);
  static KernelParam tensorMap(std::string map);
};

struct ManifestKernel {
  std::string entry; ///< The .entry in the PTX.
  std::vector<KernelParam> params;
  std::array<std::string, 3> grid = {"1", "1", "1"}; ///< Blocks, expressions.
  std::array<int, 3> block = {1, 1, 1};              ///< Threads.
  std::array<int, 3> cluster = {1, 1, 1};            ///< Blocks.
  int sharedBytes = 0; ///< Dynamic shared memory, bytes.
  /// Not 0: the kernel is persistent, its blocks take several items, and its
  /// grid has at most this many blocks an SM along x.
  int blocksPerSm = 0;
};

/// What the results may be relied on for.
struct ManifestNumerics {
  double relativeError = 0;  ///< Bound of ||o - ref|| / ||ref||.
  bool deterministic = true; ///< Same input and device: the same bits.
  std::string accumulate = "f32";
  std::string reference = "float64";
};

struct ManifestHashes {
  std::string ir;  ///< "sha256:" and 64 hex digits; the input IR.
  std::string ptx; ///< Of the bytes of files.ptx.
  std::optional<std::string> cubin; ///< Of files.cubin; set where that is.
};

/// Names of files beside the manifest.
struct ManifestFiles {
  std::string ptx;
  std::optional<std::string> cubin;
};

struct ManifestCompiler {
  std::string version;              ///< Of tda.
  std::string git;                  ///< Revision of tda.
  std::string llvm;                 ///< Version of LLVM.
  std::optional<std::string> ptxas; ///< Version, where a cubin was made.
};

struct Manifest {
  std::string name; ///< A C identifier; prefix in the generated header.
  ManifestTarget target;
  Problem problem;
  std::vector<ManifestArgument> arguments; ///< Inputs, then outputs.
  std::map<Length, LengthRange> lengths;   ///< Every symbol that is used.
  std::vector<DividesRule> rules;
  std::vector<ManifestKernel> kernels; ///< Launched in order on one stream.
  std::string workspace = "0";         ///< Bytes, an expression.
  std::vector<ManifestTensorMap> tensorMaps;
  ManifestNumerics numerics;
  ManifestHashes hashes;
  ManifestFiles files;
  ManifestCompiler compiler;
  std::string schedule;
};

/// Reads `path` (parseManifest); errors start with the path.
bool readManifest(const std::string &path, Manifest &manifest,
                  std::string &error);

/// Parses and checks `text` completely. `error` names the JSON path of the
/// first thing that is wrong. `manifest` is only changed on success.
bool parseManifest(std::string_view text, Manifest &manifest,
                   std::string &error);

/// The rules that tie fields together (names resolve, expressions parse,
/// ranges are sane); parseManifest calls it, a writer should before printing.
bool checkManifest(const Manifest &manifest, std::string &error);

/// The JSON text, ending with a newline; equal manifests give equal text.
std::string printManifest(const Manifest &manifest);

/// The C99 header NAME.h: `NAME_launch`, an inline wrapper of `tda_launch`.
std::string emitHeader(const Manifest &manifest);

/// SHA-256 of `bytes` as 64 lower-case hex digits.
std::string sha256Hex(std::string_view bytes);

/// "sha256:" + sha256Hex(bytes), the form of hashes in a manifest.
std::string hashText(std::string_view bytes);

/// Bytes that the parameters of `kernel` take, each at its alignment.
int paramBytes(const ManifestKernel &kernel);

/// Shape as in messages and headers: "[B, Hq, Nq, 128]".
std::string shapeText(const std::vector<ManifestAxis> &shape);

/// "any-with-unit-last", "contiguous".
const char *strideRuleName(StrideRule rule);

} // namespace tda

#endif // TDA_MANIFEST_H
