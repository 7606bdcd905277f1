//===- CompilerTest.cpp - The compiler's C interface ----------------------===//
#include "tda/compiler.h"

#include <array>
#include <gtest/gtest.h>
#include <string>

namespace {

TEST(Compiler, GpuCodeOpensInTheRuntime) {
  tda_compiled *compiled = nullptr;
  ASSERT_EQ(tda_compile("views=1 d=64 causal", "sm_80", "", &compiled), 0)
      << tda_compiler_error();
  size_t manifestSize = 0, ptxSize = 0;
  const char *manifest = tda_compiled_manifest(compiled, &manifestSize);
  const char *ptx = tda_compiled_ptx(compiled, &ptxSize);
  tda_program *program = nullptr;
  EXPECT_EQ(tda_open_memory(manifest, manifestSize, ptx, ptxSize, &program),
            TDA_OK)
      << tda_last_error();
  EXPECT_EQ(tda_argument_count(program), 5u);
  tda_close(program);
  int64_t queries = 7;
  EXPECT_EQ(tda_compiled_cpu(compiled, &queries), nullptr);
  EXPECT_EQ(queries, 0);
  tda_compiled_free(compiled);
}

TEST(Compiler, CpuCodeRuns) {
  tda_compiled *compiled = nullptr;
  ASSERT_EQ(tda_compile("views=1 d=1 dtype=f32 power=1 beta=scalar", "cpu",
                        nullptr, &compiled),
            0)
      << tda_compiler_error();
  size_t size = 7;
  tda_compiled_ptx(compiled, &size);
  EXPECT_EQ(size, 0u);
  int64_t queries = 0, first = 0, last = 1;
  tda_cpu_code code = tda_compiled_cpu(compiled, &queries);
  ASSERT_NE(code, nullptr);
  EXPECT_GE(queries, 1);
  // One head, one query 2, keys 3 and 5, values 7 and 11, beta 0.
  float q = 2, k[2] = {3, 5}, v[2] = {7, 11}, beta = 0, o = 0;
  struct Memref4 {
    void *base, *data;
    int64_t offset, shape[4], strides[4];
  };
  struct Memref0 {
    void *base, *data;
    int64_t offset;
  };
  auto tensor = [](float *data, int64_t n) {
    return Memref4{data, data, 0, {1, 1, n, 1}, {n, n, 1, 1}};
  };
  Memref4 mq = tensor(&q, 1), mk = tensor(k, 2), mv = tensor(v, 2),
          mo = tensor(&o, 1);
  Memref0 mbeta{&beta, &beta, 0};
  void *arguments[] = {&mq, &mk, &mv, &mbeta, &mo, &first, &last};
  code(arguments);
  EXPECT_EQ(o, 2 * 3 * 7 + 2 * 5 * 11);
  tda_compiled_free(compiled);
}

TEST(Compiler, SaysWhatIsWrong) {
  tda_compiled *compiled = nullptr;
  for (auto [words, arch, schedule, part] :
       {std::array<const char *, 4>{"views=3 d=64", "sm_80", "", "views must"},
        {"views=1 d=64", "sm_20", "", "unknown"},
        {"views=1 d=64", "sm_80", "tile_m = 5", "tile_m"},
        {"views=1 d=1000", "sm_80", "", "1000"}}) {
    EXPECT_EQ(tda_compile(words, arch, schedule, &compiled), 1) << words;
    EXPECT_EQ(compiled, nullptr);
    EXPECT_NE(std::string(tda_compiler_error()).find(part), std::string::npos)
        << tda_compiler_error();
  }
  EXPECT_EQ(tda_compile(nullptr, "sm_80", "", &compiled), 1);
}

} // namespace
