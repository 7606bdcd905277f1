// Launches the attention of `tda-compile --package` from a plain C++ host, with
// nothing but the emitted attention.h and attention.c and libcuda:
//
//   tda-compile --attention "views=2 d=64 causal normalize" --arch sm_90
//     --package -o out
//   cc -std=c99 -O2 -c out/attention.c -o attention.o
//   c++ -std=c++17 -O2 -Iout host.cpp attention.o -lcuda -o host
//   ./host out q1.npy k1.npy q2.npy k2.npy v.npy beta.npy lambda.npy o.npy
//
// The files are those of `tda-run --args`; o.npy gets the same bits.
#include "attention.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

// Of the CUDA driver API, what a host needs around a launch.
extern "C" {
int cuInit(unsigned flags);
int cuDeviceGet(int *device, int ordinal);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuCtxSetCurrent(void *context);
int cuMemAlloc_v2(unsigned long long *address, size_t bytes);
int cuMemFree_v2(unsigned long long address);
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes);
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes);
int cuStreamCreate(void **stream, unsigned flags);
int cuStreamSynchronize(void *stream);
}

static void stop(const std::string &why) {
  std::fprintf(stderr, "host: error: %s\n", why.c_str());
  std::exit(1);
}

#define CUDA(call)                                                             \
  do {                                                                         \
    if (int cudaError_ = (call))                                               \
      stop(#call " gave CUDA error " + std::to_string(cudaError_));            \
  } while (false)

// A NumPy file: the header as it stands, and what follows it.
struct Npy {
  std::string header, data;
  std::vector<int64_t> shape;
};

static Npy readNpy(const char *path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  if (all.size() < 10 || all.compare(0, 7, "\x93NUMPY\x01") != 0)
    stop(std::string(path) + " is not a NumPy file of version 1");
  size_t length = 10 + (unsigned char)all[8] + 256 * (unsigned char)all[9];
  Npy npy{all.substr(0, length), all.substr(length), {}};
  size_t at = npy.header.find("'shape': (");
  if (at == std::string::npos)
    stop(std::string(path) + " names no shape");
  for (char *next = &npy.header[at + 10]; *next != ')';) {
    if (*next == ',' || *next == ' ')
      ++next;
    else
      npy.shape.push_back(std::strtoll(next, &next, 10));
  }
  return npy;
}

// Device memory for `bytes`, filled from `from` where that is not NULL.
static void *upload(const void *from, size_t bytes) {
  unsigned long long address = 0;
  if (bytes == 0)
    return nullptr;
  CUDA(cuMemAlloc_v2(&address, bytes));
  if (from)
    CUDA(cuMemcpyHtoD_v2(address, from, bytes));
  return (void *)(uintptr_t)address;
}

// A contiguous view.
static tda_view view(void *data, const std::vector<int64_t> &shape) {
  tda_view result = {};
  result.data = data;
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
    result.shape[i] = shape[i];
    result.strides[i] = stride;
  }
  return result;
}

int main(int argc, char **argv) {
  if (argc != 10)
    stop("usage: host FOLDER q1.npy k1.npy q2.npy k2.npy v.npy beta.npy "
         "lambda.npy o.npy");
  CUDA(cuInit(0));
  int device;
  void *context, *stream;
  CUDA(cuDeviceGet(&device, 0));
  CUDA(cuDevicePrimaryCtxRetain(&context, device));
  CUDA(cuCtxSetCurrent(context));
  CUDA(cuStreamCreate(&stream, 0));

  char message[512];
  attention_code *code;
  if (attention_open(&code, argv[1], 0, message, sizeof(message)))
    stop(message);

  attention_call call = {};
  tda_view *inputs[] = {&call.q1, &call.k1,   &call.q2,    &call.k2,
                        &call.v,  &call.beta, &call.lambda};
  Npy q1;
  for (int i = 0; i < 7; ++i) {
    Npy npy = readNpy(argv[2 + i]);
    *inputs[i] = view(upload(npy.data.data(), npy.data.size()), npy.shape);
    if (i == 0)
      q1 = npy;
  }
  // The output has the shape of q1 where D = Dv.
  call.o = view(upload(nullptr, q1.data.size()), q1.shape);

  size_t bytes = 0;
  if (attention_workspace(&call, &bytes, message, sizeof(message)))
    stop(message);
  void *workspace = upload(nullptr, bytes);
  if (attention_launch(code, &call, workspace, bytes, stream, message,
                       sizeof(message)))
    stop(message);
  CUDA(cuStreamSynchronize(stream));

  std::string result(q1.data.size(), '\0');
  if (call.o.data)
    CUDA(cuMemcpyDtoH_v2(&result[0], (uintptr_t)call.o.data, result.size()));
  std::ofstream(argv[9], std::ios::binary) << q1.header << result;
  for (tda_view *input : inputs)
    if (input->data)
      cuMemFree_v2((uintptr_t)input->data);
  attention_close(code);
  std::printf("o: %zu bytes from a workspace of %zu\n", result.size(), bytes);
  return 0;
}
