/*===- compiler.h - Compile attentions at run time ---------------*- C -*-===*\
|*                                                                            *|
|* The C interface of libtda_compiler (C99 and C++), which holds the compiler *|
|* as a library. Unlike libtda_runtime it links LLVM and MLIR.                *|
|*                                                                            *|
|*   tda_compiled *compiled;                                                  *|
|*   if (tda_compile("views=2 d=128 causal", "sm_90", "", &compiled))         *|
|*     puts(tda_compiler_error());                                            *|
|*   tda_open_memory(tda_compiled_manifest(compiled, &n), n, ...);            *|
|*                                                                            *|
|* Functions may be called from many threads at once.                         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/
#ifndef TDA_COMPILER_H
#define TDA_COMPILER_H

#include "tda/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled attention. */
typedef struct tda_compiled tda_compiled;

/* What went wrong in the last call that failed on this thread. */
TDA_API const char *tda_compiler_error(void);

/* Compiles `attention`, the words of `tda-compile --attention`, for `arch`: a
   GPU ("sm_90"), or "cpu", which is this machine with all of its features.
   `schedule` overrides the default schedule; "" or NULL: nothing of it.
   Returns 0, or 1 with tda_compiler_error(). */
TDA_API int tda_compile(const char *attention, const char *arch,
                        const char *schedule, tda_compiled **compiled);

TDA_API void tda_compiled_free(tda_compiled *compiled);

/* GPU: the manifest (JSON) and the PTX, for tda_open_memory. Both live as long
   as `compiled` and end with a NUL that `size` does not count; "" for a CPU. */
TDA_API const char *tda_compiled_manifest(const tda_compiled *compiled,
                                          size_t *size);
TDA_API const char *tda_compiled_ptx(const tda_compiled *compiled,
                                     size_t *size);

/* CPU: the code, which takes an array of pointers to memref descriptors of
   contiguous tensors and to scalars (inputs, outputs, then the numbers of the
   first program and of that after the last), and how many queries one program
   computes; there is a program for each tile of queries, head and batch. NULL
   and 0 for a GPU. */
typedef void (*tda_cpu_code)(void **arguments);
TDA_API tda_cpu_code tda_compiled_cpu(const tda_compiled *compiled,
                                      int64_t *queries);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TDA_COMPILER_H */
