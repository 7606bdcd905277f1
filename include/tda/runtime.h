/*===- runtime.h - Load and launch compiled attentions -----------*- C -*-===*\
|*                                                                            *|
|* The C interface of libtda_runtime (C99 and C++). It needs no CUDA header   *|
|* and links no CUDA library: the driver, libcuda.so.1, is opened when the    *|
|* first function that needs it is called. The environment variable           *|
|* TDA_LIBCUDA, where set, names the library to open instead.                 *|
|*                                                                            *|
|*   tda_program *program;                                                    *|
|*   tda_open("out/attention.json", &program);  // reads, checks the hashes   *|
|*   tda_load(program, 0);                      // once a device              *|
|*   int64_t q[4] = {2, 8, 1024, 128};                                        *|
|*   tda_argument args[] = {tda_tensor(TDA_BF16, q1, 4, q), ...};             *|
|*   tda_launch(program, args, n, NULL, 0, stream);                           *|
|*                                                                            *|
|* Every function returns a tda_status; on failure tda_last_error() is one    *|
|* sentence that names what is wrong. Errors never terminate the process.     *|
|*                                                                            *|
|* Threads: all functions may be called from many threads on one program at   *|
|* once, except tda_close, which must be the last use of it.                  *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/
#ifndef TDA_RUNTIME_H
#define TDA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TDA_API __attribute__((visibility("default")))
#else
#define TDA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tda_status {
  TDA_OK = 0,
  TDA_ERROR_USE = 1,         /* NULL or out-of-range parameter of this API */
  TDA_ERROR_FILE = 2,        /* a file cannot be read */
  TDA_ERROR_MANIFEST = 3,    /* malformed manifest, other schema version */
  TDA_ERROR_HASH = 4,        /* PTX or cubin is not what the manifest names */
  TDA_ERROR_ARGUMENT = 5,    /* an argument of a call does not fit */
  TDA_ERROR_WORKSPACE = 6,   /* workspace missing, small or misaligned */
  TDA_ERROR_NO_DEVICE = 7,   /* no NVIDIA driver, or no such device */
  TDA_ERROR_UNSUPPORTED = 8, /* device or driver cannot run this program */
  TDA_ERROR_NOT_LOADED = 9,  /* tda_load for the current device is missing */
  TDA_ERROR_DRIVER = 10,     /* a CUDA driver call failed */
  TDA_ERROR_BUFFER = 11,     /* the given text buffer is too small */
  TDA_ERROR_MEMORY = 12      /* host memory is exhausted */
} tda_status;

typedef enum tda_dtype {
  TDA_F32 = 1,
  TDA_BF16 = 2,
  TDA_F16 = 3,
  TDA_I32 = 4,
  TDA_I64 = 5
} tda_dtype;

typedef enum tda_kind { TDA_TENSOR = 1, TDA_SCALAR = 2 } tda_kind;

#define TDA_MAX_RANK 6

/* One argument of a call: a tensor in device memory, or an i64 scalar. */
typedef struct tda_argument {
  int32_t kind;                  /* tda_kind */
  int32_t dtype;                 /* tda_dtype; TDA_I64 for a scalar */
  void *data;                    /* tensor: device address of element 0;
                                    NULL is allowed where it has no element */
  int32_t rank;                  /* tensor: 0 (one value) to TDA_MAX_RANK */
  int64_t shape[TDA_MAX_RANK];   /* tensor: elements */
  int64_t strides[TDA_MAX_RANK]; /* tensor: elements, not bytes */
  int64_t scalar;                /* scalar: its value */
} tda_argument;

/* A manifest with its code; see tda_open. */
typedef struct tda_program tda_program;

/* "TDA_OK", "TDA_ERROR_USE", ...; "unknown tda_status" for other values. */
TDA_API const char *tda_status_name(tda_status status);

/* What went wrong in the last call that failed on this thread; "" before any.
   Valid until the next failing call on this thread. */
TDA_API const char *tda_last_error(void);

/* Version of this library, for example "0.1.0". */
TDA_API const char *tda_runtime_version(void);

/* Reads the manifest and the PTX (and cubin) that it names, which lie in the
   same folder, and compares their SHA-256 with the manifest's. Needs no GPU.
   Errors: FILE, MANIFEST, HASH. */
TDA_API tda_status tda_open(const char *manifest_path, tda_program **program);

/* The same from memory, for embedding; both texts are copied. `ptx` need not
   end with a NUL. A cubin that the manifest names is not used. */
TDA_API tda_status tda_open_memory(const char *manifest, size_t manifest_size,
                                   const char *ptx, size_t ptx_size,
                                   tda_program **program);

/* Unloads from all devices and frees. Launched work must have finished. NULL
   is allowed. */
TDA_API void tda_close(tda_program *program);

/* The manifest, as JSON text in its canonical form. Lives as the program. */
TDA_API const char *tda_manifest(const tda_program *program);

/* Number of arguments that a call takes, and their names in order (inputs,
   then outputs); NULL where `index` is out of range. */
TDA_API size_t tda_argument_count(const tda_program *program);
TDA_API const char *tda_argument_name(const tda_program *program, size_t index);

/* Makes the program ready on CUDA device `device` (0, 1, ...): initialises
   the driver, retains the device's primary context, compiles the PTX (or takes
   the cubin where it was made for exactly this compute capability) and sets
   its shared memory limit. Slow the first time; again: returns at once. The
   thread's current context stays as it was.
   Errors: NO_DEVICE, UNSUPPORTED (compute capability, driver version, tensor
   maps, shared memory), DRIVER (the message holds the JIT's log). */
TDA_API tda_status tda_load(tda_program *program, int device);

/* Checks the arguments of a call without a GPU: number, kinds, dtypes, ranks,
   shapes, that lengths agree and are in range, strides, alignment, that data
   is there, that TMA can read what tensor maps describe. Errors: ARGUMENT. */
TDA_API tda_status tda_check(const tda_program *program,
                             const tda_argument *args, size_t nargs);

/* Bytes of device memory, aligned to 256, that tda_launch needs for these
   arguments (their `data` is not looked at). 0: pass NULL. */
TDA_API tda_status tda_workspace_bytes(const tda_program *program,
                                       const tda_argument *args, size_t nargs,
                                       size_t *bytes);

/* tda_check, then launches all kernels on `stream` (a CUstream or
   cudaStream_t; NULL is the default stream) in the thread's current context,
   which must be the primary context of a device that was loaded; a thread
   without a context uses the one device that was loaded. Does not wait, does
   not allocate device memory (but see tda_set_launch_graphs), may be captured
   into a CUDA graph. A call with
   an empty result launches nothing. Outputs must not overlap other arguments.
   Errors: ARGUMENT, WORKSPACE, NOT_LOADED, DRIVER. */
TDA_API tda_status tda_launch(const tda_program *program,
                              const tda_argument *args, size_t nargs,
                              void *workspace, size_t workspace_bytes,
                              void *stream);

/* The same on CUDA device `device`, which must have been loaded, whatever the
   thread's current context is; that stays as it was. `stream` is one of that
   device. */
TDA_API tda_status tda_launch_on(const tda_program *program, int device,
                                 const tda_argument *args, size_t nargs,
                                 void *workspace, size_t workspace_bytes,
                                 void *stream);

/* The same with a workspace from `allocate(user, bytes)`, which is called at
   most once, after all arguments were checked, and only where a workspace is
   needed. It returns device memory aligned to 256 that stays valid until the
   stream has passed the launch; NULL: the call fails with WORKSPACE. */
typedef void *(*tda_allocate)(void *user, size_t bytes);
TDA_API tda_status tda_launch_with(const tda_program *program, int device,
                                   const tda_argument *args, size_t nargs,
                                   tda_allocate allocate, void *user,
                                   void *stream);

/* By default tda_launch asks the driver of each tensor's address whether the
   device can use it (some 0.1 us each); `enabled` = 0 leaves that out. */
TDA_API void tda_set_pointer_checks(tda_program *program, int enabled);

/* With `enabled` other than 0, a launch gives its values to a CUDA graph that
   the program keeps for the stream, and launches that: less time of the host,
   above all where there are two kernels (docs/embedding.md). The first launch
   on each of up to 16 streams of a device makes the graph then: some 50 us, and
   the driver may allocate for it. With a graph tda_launch_with keeps 2 MiB of
   workspace, and calls `allocate` only for more. Where that cannot be (later
   streams, CU_STREAM_PER_THREAD, a stream that is captured, another thread in
   the same launch, a driver older than CUDA 12 or that refuses) kernels are
   launched one by one, as by default. Results are the same. What was made is
   kept until tda_close, also after `enabled` = 0. */
TDA_API void tda_set_launch_graphs(tda_program *program, int enabled);

/* Writes what tda_launch would do with these arguments as text: lengths, tensor
   maps, grid, block, shared memory and the value of every parameter. Needs no
   GPU; `data` may be NULL. Always ends `buffer` with a NUL. Errors: ARGUMENT;
   BUFFER where the text was cut, the message gives the size needed. */
TDA_API tda_status tda_explain(const tda_program *program,
                               const tda_argument *args, size_t nargs,
                               char *buffer, size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* A tensor with the given strides, in elements. A rank outside
   [0, TDA_MAX_RANK] is kept for tda_check to refuse. */
static inline tda_argument tda_tensor_strided(tda_dtype dtype, const void *data,
                                              int rank, const int64_t *shape,
                                              const int64_t *strides) {
  tda_argument argument;
  int i;
  argument.kind = TDA_TENSOR;
  argument.dtype = (int32_t)dtype;
  argument.data = (void *)(uintptr_t)data;
  argument.rank = rank;
  argument.scalar = 0;
  for (i = 0; i < TDA_MAX_RANK; ++i) {
    argument.shape[i] = i < rank ? shape[i] : 0;
    argument.strides[i] = i < rank ? strides[i] : 0;
  }
  return argument;
}

/* A contiguous (row-major) tensor. */
static inline tda_argument tda_tensor(tda_dtype dtype, const void *data,
                                      int rank, const int64_t *shape) {
  int64_t strides[TDA_MAX_RANK];
  int64_t stride = 1;
  int i;
  for (i = TDA_MAX_RANK - 1; i >= 0; --i) {
    strides[i] = stride;
    if (i < rank && shape[i] > 1)
      stride = stride <= INT64_MAX / shape[i] ? stride * shape[i] : INT64_MAX;
  }
  return tda_tensor_strided(dtype, data, rank, shape, strides);
}

/* An i64 scalar, passed by value. */
static inline tda_argument tda_scalar(int64_t value) {
  tda_argument argument = tda_tensor_strided(
      TDA_I64, (const void *)0, 0, (const int64_t *)0, (const int64_t *)0);
  argument.kind = TDA_SCALAR;
  argument.scalar = value;
  return argument;
}

#endif /* TDA_RUNTIME_H */
