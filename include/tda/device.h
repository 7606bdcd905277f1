/*===- device.h - The few device calls that tests need -----------*- C -*-===*\
|*                                                                            *|
|* Memory, streams, timing and graph capture through the CUDA driver, for     *|
|* programs that have no CUDA headers (tda-run, tests, examples). A program   *|
|* that uses CUDA or a framework already needs none of it: tda_launch takes   *|
|* any CUstream and any device address.                                       *|
|*                                                                            *|
|* Part of libtda_runtime; errors as in runtime.h. Without a driver or a GPU  *|
|* every function gives TDA_ERROR_NO_DEVICE. All but the first three act on   *|
|* the thread's current context: call tda_device_use first.                   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/
#ifndef TDA_DEVICE_H
#define TDA_DEVICE_H

#include "tda/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tda_device_info {
  char name[256];        /* "NVIDIA H100 80GB HBM3" */
  int major, minor;      /* compute capability */
  int driver_version;    /* CUDA version of the driver: 12040 is 12.4 */
  int multiprocessors;   /* number of SMs */
  int shared_bytes;      /* most dynamic shared memory of a block */
  uint64_t memory_bytes; /* device memory */
} tda_device_info;

/* Number of CUDA devices; TDA_ERROR_NO_DEVICE where there is none. */
TDA_API tda_status tda_device_count(int *count);
TDA_API tda_status tda_device_query(int device, tda_device_info *info);
/* Makes the device's primary context this thread's current one. It stays
   retained until the process ends. */
TDA_API tda_status tda_device_use(int device);

/* Device memory, aligned to 256 bytes. `bytes` = 0 gives NULL. */
TDA_API tda_status tda_device_alloc(size_t bytes, void **address);
TDA_API tda_status tda_device_free(void *address);

/* These wait for all earlier work of the context and for their own end. */
TDA_API tda_status tda_device_fill(void *address, int byte, size_t bytes);
TDA_API tda_status tda_device_upload(void *device_to, const void *host_from,
                                     size_t bytes);
TDA_API tda_status tda_device_download(void *host_to, const void *device_from,
                                       size_t bytes);
TDA_API tda_status tda_device_synchronize(void);

/* Streams (CUstream) that do not wait for the default stream. */
TDA_API tda_status tda_stream_create(void **stream);
TDA_API tda_status tda_stream_synchronize(void *stream);
TDA_API tda_status tda_stream_destroy(void *stream);

/* Timing events (CUevent). tda_event_elapsed waits for `stop`. */
TDA_API tda_status tda_event_create(void **event);
TDA_API tda_status tda_event_record(void *event, void *stream);
TDA_API tda_status tda_event_elapsed(void *start, void *stop,
                                     float *milliseconds);
TDA_API tda_status tda_event_destroy(void *event);

/* Graph capture, in the mode that forbids the most. What is launched on
   `stream` between begin and end runs at each tda_graph_launch. */
typedef struct tda_graph tda_graph;
TDA_API tda_status tda_graph_begin(void *stream);
TDA_API tda_status tda_graph_end(void *stream, tda_graph **graph);
TDA_API tda_status tda_graph_launch(tda_graph *graph, void *stream);
TDA_API tda_status tda_graph_destroy(tda_graph *graph);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TDA_DEVICE_H */
