/* Host time of one attention_launch, for dev/gpu-embed: prints the median of 200
   batches of 20 calls, in microseconds. The package is one that dev/gpu-embed
   compiles: two views, D = 64, bf16. */
#include "attention.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuCtxSetCurrent(void *);
int cuCtxSynchronize(void);
int cuMemAlloc_v2(unsigned long long *, size_t);

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  char message[512] = "";
  attention_code *code;
  attention_call call = {0};
  unsigned long long data;
  size_t bytes;
  double times[200];
  void *context;
  tda_view q = {0, {1, 2, 16, 64}, {2048, 1024, 64, 1}};
  tda_view head = {0, {2}, {1}};
  if (argc != 2 || cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) ||
      cuCtxSetCurrent(context) || cuMemAlloc_v2(&data, 1 << 20) ||
      attention_open(&code, argv[1], 0, message, sizeof(message)))
    return puts(message), 1;
  q.data = head.data = (void *)(uintptr_t)data;
  call.q1 = call.k1 = call.q2 = call.k2 = call.v = q;
  call.beta = call.lambda = head;
  call.o = q;
  call.o.data = (char *)q.data + 65536;
  if (attention_workspace(&call, &bytes, message, sizeof(message)))
    return puts(message), 1;
  for (int batch = 0; batch < 200; ++batch) {
    cuCtxSynchronize();
    double start = now();
    for (int i = 0; i < 20; ++i)
      if (attention_launch(code, &call, (char *)q.data + 131072, 524288, 0,
                           message, sizeof(message)))
        return puts(message), 1;
    times[batch] = (now() - start) / 20;
  }
  cuCtxSynchronize();
  qsort(times, 200, sizeof(double), compare);
  printf("%.3f\n", times[100]);
  return 0;
}
