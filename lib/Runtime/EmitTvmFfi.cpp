//===- EmitTvmFfi.cpp - Symbols of TVM-FFI over a launcher ----------------===//
#include "tda/Package.h"

#include <fmt/format.h>

namespace tda {

static const char Template[] =
    R"cpp(// Written by tda-compile --package --tvm-ffi; do not edit.
//
// TVM-FFI symbols over @NAME@.h, for whatever hands over DLPack tensors:
//
//   cc -std=c99 -O2 -fPIC -c @NAME@.c
//   c++ -O2 -fPIC -shared $(tvm-ffi-config --cxxflags --ldflags) -o @NAME@.so
//     @NAME@_tvm_ffi.cc @NAME@.o -lcuda -ltvm_ffi
//
//   @NAME@(@SIGNATURE@, workspace)
//     launches on TVM-FFI's current stream of the device that holds the
//     tensors. Outputs and workspace (bytes, of @NAME@_workspace_bytes) are the
//     caller's; nothing is allocated and nothing waits.
//   @NAME@_workspace_bytes(@SIGNATURE@) -> int
//   @NAME@_load(device): before a first call that is captured into a graph.
#include "@NAME@.h"

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/extra/c_env_api.h>
#include <tvm/ffi/function.h>

#include <atomic>
#include <mutex>

namespace {

using tvm::ffi::TensorView;

[[noreturn]] void refuse(const char *message) {
  TVM_FFI_THROW(ValueError) << message;
}

tda_view viewOf(TensorView tensor, const char *name, DLDataTypeCode code,
                int bits, int rank, int &device) {
  tda_view view = {};
  if (tensor.device().device_type != kDLCUDA)
    TVM_FFI_THROW(ValueError) << "argument '" << name
                              << "' is not on a CUDA device";
  if (device >= 0 && tensor.device().device_id != device)
    TVM_FFI_THROW(ValueError)
        << "argument '" << name << "' is on device "
        << tensor.device().device_id << ", those before on " << device;
  device = tensor.device().device_id;
  DLDataType dtype = tensor.dtype();
  if (dtype.code != code || dtype.bits != bits || dtype.lanes != 1)
    TVM_FFI_THROW(TypeError) << "argument '" << name << "' has another dtype "
                             << "than the kernel";
  if (tensor.ndim() != rank)
    TVM_FFI_THROW(ValueError) << "argument '" << name << "' has "
                              << tensor.ndim() << " axes; it must have "
                              << rank;
  view.data = static_cast<char *>(tensor.data_ptr()) + tensor.byte_offset();
  for (int i = 0; i < rank; ++i) {
    view.shape[i] = tensor.shape()[i];
    view.strides[i] = tensor.strides()[i];
  }
  return view;
}

/// The code on a device, loaded at the first call.
@NAME@_code *codeOn(int device) {
  static std::atomic<@NAME@_code *> loaded[64];
  static std::mutex mutex;
  if (device < 0 || device >= 64)
    refuse("the number of the device is not in [0, 63]");
  @NAME@_code *code = loaded[device].load(std::memory_order_acquire);
  if (code)
    return code;
  std::lock_guard<std::mutex> lock(mutex);
  char message[1024] = "";
  code = loaded[device].load();
  if (!code && @NAME@_open(&code, nullptr, device, message, sizeof(message)))
    TVM_FFI_THROW(RuntimeError) << message;
  loaded[device].store(code, std::memory_order_release);
  return code;
}

@NAME@_call callOf(@PARAMETERS@, int &device) {
  @NAME@_call call = {};
@MEMBERS@  return call;
}

void load(int64_t device) { codeOn(static_cast<int>(device)); }

int64_t workspaceBytes(@PARAMETERS@) {
  int device = -1;
  char message[1024] = "";
  size_t bytes = 0;
  @NAME@_call call = callOf(@ARGUMENTS@, device);
  if (@NAME@_workspace(&call, &bytes, message, sizeof(message)))
    refuse(message);
  return static_cast<int64_t>(bytes);
}

void launch(@PARAMETERS@, TensorView workspace) {
  int device = -1;
  char message[1024] = "";
  @NAME@_call call = callOf(@ARGUMENTS@, device);
  tda_view memory = viewOf(workspace, "workspace", kDLUInt, 8, 1, device);
  void *stream = TVMFFIEnvGetStream(kDLCUDA, device);
  if (@NAME@_launch(codeOn(device), &call, memory.data,
                    static_cast<size_t>(memory.shape[0]), stream, message,
                    sizeof(message)))
    refuse(message);
}

} // namespace

TVM_FFI_DLL_EXPORT_TYPED_FUNC(@NAME@, launch);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(@NAME@_workspace_bytes, workspaceBytes);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(@NAME@_load, load);
)cpp";

static const char *dtypeCode(DType dtype) {
  return dtype == DType::BF16                         ? "kDLBfloat"
         : dtype == DType::I32 || dtype == DType::I64 ? "kDLInt"
                                                      : "kDLFloat";
}

static void replaceAll(std::string &text, const std::string &from,
                       const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

std::string emitTvmFfi(const Package &package) {
  std::string parameters, names, members, signature;
  for (const ManifestArgument &argument :
       package.variants[0].manifest.arguments) {
    bool isScalar = argument.kind == ManifestArgument::Kind::Scalar;
    const char *comma = names.empty() ? "" : ", ";
    parameters += fmt::format(
        "{}{} {}", comma, isScalar ? "int64_t" : "TensorView", argument.name);
    names += comma + argument.name;
    members +=
        isScalar
            ? fmt::format("  call.{0} = {0};\n", argument.name)
            : fmt::format(
                  "  call.{0} = viewOf({0}, \"{0}\", {1}, {2}, {3}, device);\n",
                  argument.name, dtypeCode(argument.dtype),
                  8 * dtypeSize(argument.dtype), argument.shape.size());
  }
  std::string text = Template;
  replaceAll(text, "@NAME@", package.name);
  replaceAll(text, "@PARAMETERS@", parameters);
  replaceAll(text, "@ARGUMENTS@", names);
  replaceAll(text, "@SIGNATURE@", names);
  replaceAll(text, "@MEMBERS@", members);
  return text;
}

} // namespace tda
