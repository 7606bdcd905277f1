//===- RuntimeCheckTest.cpp - tda_check, tda_explain without a GPU --------===//
#include "fake_cuda/Example.h"

#include <functional>

namespace {

class RuntimeCheck : public testing::Test {
protected:
  RuntimeCheck() : call(memory) {}
  ~RuntimeCheck() override { tda_close(program); }

  /// The message for the example's call after `change`, "" where it is right.
  std::string check(const std::function<void(ExampleCall &)> &change) {
    ExampleCall changed = call;
    change(changed);
    tda_status status = tda_check(program, changed.data(), changed.Count);
    if (status == TDA_OK)
      return "";
    EXPECT_EQ(status, TDA_ERROR_ARGUMENT);
    return tda_last_error();
  }

  void replace(const tda::Manifest &manifest) {
    tda_close(program);
    program = openMemory(manifest);
  }

  alignas(256) char memory[256] = {}; // Never touched: only its address counts.
  ExampleCall call;
  tda_program *program = openMemory(exampleManifest());
};

using Call = ExampleCall;

TEST_F(RuntimeCheck, Accepts) {
  EXPECT_EQ(check([](Call &) {}), "");
  // [B, N, H, D] in memory, seen as [B, H, N, D].
  EXPECT_EQ(check([](Call &c) {
              int64_t strides[] = {1000 * 8 * 128, 128, 8 * 128, 1};
              std::copy(strides, strides + 4, c[Call::Q1].strides);
              std::copy(strides, strides + 4, c[Call::O].strides);
            }),
            "");
  // Broadcast input; offsets beyond 2^31 elements.
  EXPECT_EQ(check([](Call &c) { c[Call::K1].strides[1] = 0; }), "");
  EXPECT_EQ(check([](Call &c) { c[Call::Q1].strides[0] = int64_t{1} << 40; }),
            "");
}

TEST_F(RuntimeCheck, StrideOfOneElementDoesNotMatter) {
  call = ExampleCall(memory, 1, 1, 1, 1, 1);
  EXPECT_EQ(check([](Call &c) {
              for (int axis : {0, 1, 2})
                c[Call::Q1].strides[axis] = -3;
            }),
            "");
}

TEST_F(RuntimeCheck, EmptyTensorsNeedNoData) {
  call = ExampleCall(nullptr, 0);
  EXPECT_NE(check([](Call &) {}).find("'beta': data is NULL"),
            std::string::npos);
  call = ExampleCall(memory, 2, 8, 2, 16, 0); // Nk = 0: zeros, by the kernel.
  EXPECT_EQ(check([](Call &c) {
              for (auto i : {Call::K1, Call::K2, Call::V})
                c[i].data = nullptr;
            }),
            "");
}

TEST_F(RuntimeCheck, NamesWhatIsWrong) {
  struct {
    std::function<void(Call &)> change;
    std::string message;
  } cases[] = {
      {[](Call &c) { c[Call::Q1].dtype = TDA_F16; },
       "argument 'q1': dtype is f16; it must be bf16"},
      {[](Call &c) { c[Call::Q1].dtype = 77; },
       "argument 'q1': dtype is no tda_dtype; it must be bf16"},
      {[](Call &c) { c[Call::Q1].kind = 0; },
       "argument 'q1': must be a tensor"},
      {[](Call &c) { c[Call::Offset] = c[Call::Q1]; },
       "argument 'offset': must be a scalar"},
      {[](Call &c) { c[Call::V].rank = 3; },
       "argument 'v': rank is 3; it must be 4, with shape [B, Hkv, Nk, 128]"},
      {[](Call &c) { c[Call::V].rank = 99; },
       "argument 'v': rank is 99; it must be 4, with shape [B, Hkv, Nk, 128]"},
      {[](Call &c) { c[Call::Q1].shape[3] = 64; },
       "argument 'q1': axis 3 has 64 elements; it must have 128, the kernel "
       "was compiled for shape [B, Hq, Nq, 128]"},
      {[](Call &c) { c[Call::Q1].shape[3] = 0; },
       "argument 'q1': axis 3 has 0 elements; it must have 128, the kernel "
       "was compiled for shape [B, Hq, Nq, 128]"},
      {[](Call &c) { c[Call::Q1].shape[2] = -1; },
       "argument 'q1': axis 2 (Nq) has -1 elements"},
      {[](Call &c) { c[Call::K2].shape[2] = 776; },
       "argument 'k2': axis 2 (Nk) has 776 elements; it must have 777, as axis "
       "2 of 'k1'"},
      {[](Call &c) {
         for (auto i : {Call::K1, Call::K2, Call::V})
           c[i].shape[1] = 3;
       },
       "Hkv = 3 (axis 1 of 'k1') does not divide Hq = 8 (axis 1 of 'q1')"},
      {[](Call &c) {
         for (auto i : {Call::K1, Call::K2, Call::V})
           c[i].shape[1] = 0;
       },
       "Hkv = 0 (axis 1 of 'k1'): it must be in [1, 65535]"},
      {[](Call &c) { c[Call::Q1].strides[3] = 2; },
       "argument 'q1': axis 3 has stride 2 elements; it must be 1: the last "
       "axis is contiguous"},
      {[](Call &c) { c[Call::Q1].strides[2] = 129; },
       "argument 'q1': axis 2 (Nq) has stride 129 elements; it must be a "
       "multiple of 8 (16 bytes)"},
      {[](Call &c) { c[Call::Q1].strides[2] = -128; },
       "argument 'q1': axis 2 (Nq) has stride -128 elements; it must not be "
       "negative"},
      {[](Call &c) { c[Call::Beta].strides[0] = 2; },
       "argument 'beta': axis 0 (Hq) has stride 2 elements; it must be 1: the "
       "last axis is contiguous"},
      {[](Call &c) { c[Call::O].strides[1] = 0; },
       "argument 'o': elements of this output overlap: strides [1024000, 0, "
       "128, 1] for shape [2, 8, 1000, 128]"},
      {[](Call &c) { c[Call::Q1].strides[0] = INT64_MAX / 8 * 8; },
       "argument 'q1': the offset of its last element does not fit 64 bits"},
      {[](Call &c) { c[Call::O].data = nullptr; },
       "argument 'o': data is NULL; it must be the device address of shape [2, "
       "8, 1000, 128]"},
      {[](Call &c) { c[Call::Offset].scalar = int64_t{1} << 31; },
       "argument 'offset': 2147483648 is not in [-2147483648, 2147483647]"},
      {[](Call &c) { c[Call::Offset].dtype = TDA_I32; },
       "argument 'offset': a scalar has dtype i64"},
  };
  for (const auto &[change, message] : cases)
    EXPECT_EQ(check(change), message);
  EXPECT_NE(check([](Call &c) {
              c[Call::V].data = static_cast<char *>(c[Call::V].data) + 8;
            }).find("it must be aligned to 16 bytes"),
            std::string::npos);
}

TEST_F(RuntimeCheck, ContiguousArguments) {
  tda::Manifest manifest = exampleManifest();
  manifest.arguments[Call::Q1].strides = tda::StrideRule::Contiguous;
  replace(manifest);
  EXPECT_EQ(check([](Call &c) { c[Call::Q1].strides[1] = 256000; }),
            "argument 'q1': axis 1 (Hq) has stride 256000 elements; it must be "
            "128000: this argument is contiguous");
}

TEST_F(RuntimeCheck, CountsAndNulls) {
  EXPECT_EQ(tda_check(program, call.data(), 8), TDA_ERROR_ARGUMENT);
  EXPECT_STREQ(tda_last_error(), "8 arguments were given; 'attention' takes 9");
  EXPECT_EQ(tda_check(program, nullptr, 9), TDA_ERROR_USE);
  EXPECT_EQ(tda_check(nullptr, call.data(), 9), TDA_ERROR_USE);
  EXPECT_EQ(tda_argument_count(program), 9u);
  EXPECT_STREQ(tda_argument_name(program, 8), "o");
  EXPECT_EQ(tda_argument_name(program, 9), nullptr);
}

TEST_F(RuntimeCheck, StaticLengthsAndGridLimits) {
  tda::Manifest manifest = exampleManifest();
  manifest.lengths[tda::Length::Nk].equals = 512;
  replace(manifest);
  EXPECT_EQ(check([](Call &) {}),
            "Nk = 777 (axis 2 of 'k1'): the kernel was compiled for Nk = 512");

  manifest = exampleManifest();
  manifest.kernels[0].grid[1] = "Nq * 100";
  replace(manifest);
  EXPECT_EQ(check([](Call &) {}),
            "kernel 'attention': grid y = Nq * 100 is 100000 blocks; a device "
            "takes 0 to 65535");
  manifest.kernels[0].grid[1] = "Hq / (Nq - 1000)";
  replace(manifest);
  EXPECT_EQ(check([](Call &) {}),
            "kernel 'attention': grid y = Hq / (Nq - 1000): division of 8 by "
            "zero");
  manifest.kernels[0].grid[1] = "Hq";
  manifest.kernels[0].cluster = {1, 3, 1};
  replace(manifest);
  EXPECT_EQ(check([](Call &) {}),
            "kernel 'attention': grid y = Hq is 8 blocks, no multiple of the "
            "cluster's 3");
}

TEST_F(RuntimeCheck, WorkspaceBytes) {
  tda::Manifest manifest = exampleManifest();
  size_t bytes = 1;
  ExampleCall noData(nullptr);
  EXPECT_EQ(tda_workspace_bytes(program, noData.data(), 9, &bytes), TDA_OK);
  EXPECT_EQ(bytes, 0u);
  manifest.workspace = "B * Hq * Nq * 4";
  replace(manifest);
  EXPECT_EQ(tda_workspace_bytes(program, noData.data(), 9, &bytes), TDA_OK);
  EXPECT_EQ(bytes, 64000u);
}

TEST_F(RuntimeCheck, Explain) {
  char text[8192];
  ASSERT_EQ(tda_explain(program, call.data(), 9, text, sizeof(text)), TDA_OK);
  std::string explained = text;
  EXPECT_EQ(explained.substr(0, explained.find("  param 0")),
            "attention for sm_90\n"
            "lengths: B=2 Hq=8 Hkv=2 Nq=1000 Nk=777\n"
            "workspace: 0 bytes\n"
            "kernel attention\n"
            "  grid (ceildiv(Nq, 128), Hq, B) = (8, 8, 2)\n"
            "  block (256, 1, 1), cluster (1, 1, 1)\n"
            "  dynamic shared memory 98304 bytes\n"
            "  parameters 236 bytes\n");
  for (const char *line :
       {"param 1: i64 stride of q1 axis 0 (B) = 1024000\n",
        "param 22: i64 offset = -223\n", "param 31: i32 Nk = 777\n"})
    EXPECT_NE(explained.find(line), std::string::npos) << line;

  char small[10];
  EXPECT_EQ(tda_explain(program, call.data(), 9, small, sizeof(small)),
            TDA_ERROR_BUFFER);
  EXPECT_STREQ(small, "attention");
  EXPECT_EQ(tda_explain(program, call.data(), 9, nullptr, 0), TDA_ERROR_USE);
}

} // namespace
