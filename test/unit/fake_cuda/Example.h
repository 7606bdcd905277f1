//===- Example.h - test/data/manifest/example.json for tests ---*- C++ -*-===//
//
// The manifest that the documentation shows, its PTX, and a call that fits it.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TEST_UNIT_EXAMPLE_H
#define TDA_TEST_UNIT_EXAMPLE_H

#include "tda/Manifest.h"
#include "tda/runtime.h"

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

/// Stands for the code; the fake driver finds the kernel's name in it.
inline const std::string ExamplePtx = "attention second";

inline std::string readText(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string exampleText() {
  return readText(TDA_TEST_DATA "/manifest/example.json");
}

/// The example, with the hash of ExamplePtx.
inline tda::Manifest exampleManifest() {
  tda::Manifest manifest;
  std::string error;
  EXPECT_TRUE(tda::parseManifest(exampleText(), manifest, error)) << error;
  manifest.hashes.ptx = tda::hashText(ExamplePtx);
  return manifest;
}

inline tda_program *openMemory(const tda::Manifest &manifest) {
  std::string text = tda::printManifest(manifest);
  tda_program *program = nullptr;
  EXPECT_EQ(tda_open_memory(text.data(), text.size(), ExamplePtx.data(),
                            ExamplePtx.size(), &program),
            TDA_OK)
      << tda_last_error();
  return program;
}

/// q1, k1, q2, k2, v, beta, lambda, offset, o: contiguous, D = Dv = 128. All
/// tensors are at `data`.
struct ExampleCall {
  enum Index { Q1, K1, Q2, K2, V, Beta, Lambda, Offset, O, Count };
  std::array<tda_argument, Count> args;

  ExampleCall(void *data, int64_t b = 2, int64_t hq = 8, int64_t hkv = 2,
              int64_t nq = 1000, int64_t nk = 777) {
    int64_t q[] = {b, hq, nq, 128}, k[] = {b, hkv, nk, 128};
    for (Index i : {Q1, Q2, O})
      args[i] = tda_tensor(TDA_BF16, data, 4, q);
    for (Index i : {K1, K2, V})
      args[i] = tda_tensor(TDA_BF16, data, 4, k);
    for (Index i : {Beta, Lambda})
      args[i] = tda_tensor(TDA_F32, data, 1, &hq);
    args[Offset] = tda_scalar(-223);
  }
  tda_argument &operator[](Index i) { return args[i]; }
  const tda_argument *data() const { return args.data(); }
};

#endif // TDA_TEST_UNIT_EXAMPLE_H
