//===- NVVMToPTXTest.cpp - Inline PTX that synchronises, and the chip -----===//
//
// What only the emitted code shows: LLVM must not duplicate inline PTX in which
// threads wait for each other.
//
//===----------------------------------------------------------------------===//
#include "tda/Compile.h"
#include "tda/Emit.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace tda;

namespace {

struct Emitted {
  bool ok = false;
  std::string llvm, ptx, error;
};

Emitted emit(const std::string &source, const std::string &chip = "sm_90") {
  Emitted result;
  auto context = makeContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, context.get());
  std::string error;
  const Target *target = findTarget("sm_90", error);
  if (!module || !target) {
    ADD_FAILURE() << "the test's own module does not parse " << error;
    return result;
  }
  result.ok = translateToPtx(*module, *target, chip, result.llvm, result.ptx,
                             result.error);
  return result;
}

int occurrences(const std::string &text, const std::string &word) {
  int count = 0;
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1))
    ++count;
  return count;
}

/// Threads part by `%odd`, meet for `wait`, and part by `%odd` again. LLVM
/// likes to thread the two branches into one, with a copy of `wait` on each
/// side.
std::string kernelThatMeets(const std::string &wait) {
  return R"mlir(
llvm.func @step(%out: !llvm.ptr<1>) attributes {no_inline} {
  %value = llvm.mlir.constant(7 : i32) : i32
  llvm.store volatile %value, %out : i32, !llvm.ptr<1>
  llvm.inline_asm has_side_effects "bar.sync 1, 128;", "" : () -> ()
  llvm.return
}
llvm.func @kernel(%out: !llvm.ptr<1>) attributes {nvvm.kernel} {
  %zero = llvm.mlir.constant(0 : i32) : i32
  %one = llvm.mlir.constant(1 : i32) : i32
  %yes = llvm.mlir.constant(true) : i1
  %no = llvm.mlir.constant(false) : i1
  %tid = nvvm.read.ptx.sreg.tid.x : i32
  %low = llvm.and %tid, %one : i32
  %odd = llvm.icmp "eq" %low, %one : i32
  llvm.cond_br %odd, ^left, ^right
^left:
  llvm.store volatile %one, %out : i32, !llvm.ptr<1>
  llvm.br ^meet(%yes : i1)
^right:
  llvm.store volatile %zero, %out : i32, !llvm.ptr<1>
  llvm.br ^meet(%no : i1)
^meet(%again: i1):
  )mlir" +
         wait +
         R"mlir(
  llvm.cond_br %again, ^more, ^done
^more:
  llvm.store volatile %tid, %out : i32, !llvm.ptr<1>
  llvm.br ^done
^done:
  llvm.return
})mlir";
}

TEST(NVVMToPTX, InlineAsmThatSynchronisesIsNotDuplicated) {
  Emitted emitted = emit(
      kernelThatMeets(
          R"(llvm.inline_asm has_side_effects "wgmma.wait_group.sync.aligned 0;",
         "" : () -> ())"),
      "sm_90a");
  ASSERT_TRUE(emitted.ok) << emitted.error;
  EXPECT_EQ(occurrences(emitted.ptx, "wgmma.wait_group"), 1) << emitted.ptx;
  EXPECT_GE(occurrences(emitted.llvm, "{ convergent "), 1) << emitted.llvm;
}

TEST(NVVMToPTX, CallsOfWhatSynchronisesAreNotDuplicated) {
  Emitted emitted =
      emit(kernelThatMeets("llvm.call @step(%out) : (!llvm.ptr<1>) -> ()"));
  ASSERT_TRUE(emitted.ok) << emitted.error;
  EXPECT_EQ(occurrences(emitted.ptx, "call.uni"), 1) << emitted.ptx;
}

TEST(NVVMToPTX, InlineAsmWithoutSideEffectsStaysFree) {
  Emitted emitted = emit(R"mlir(
llvm.func @kernel(%out: !llvm.ptr<1>, %x: f32) attributes {nvvm.kernel} {
  %y = llvm.inline_asm "add.sat.f32 $0, $1, $1;", "=f,f" %x : (f32) -> f32
  llvm.store %y, %out : f32, !llvm.ptr<1>
  llvm.return
})mlir");
  ASSERT_TRUE(emitted.ok) << emitted.error;
  EXPECT_EQ(occurrences(emitted.ptx, "add.sat.f32"), 1);
  EXPECT_EQ(occurrences(emitted.llvm, "convergent"), 0) << emitted.llvm;
}

TEST(NVVMToPTX, Chip) {
  std::string kernel = R"mlir(
llvm.func @kernel() attributes {nvvm.kernel} {
  llvm.return
})mlir";
  EXPECT_EQ(occurrences(emit(kernel).ptx, ".target sm_90\n"), 1);
  EXPECT_EQ(occurrences(emit(kernel, "sm_90a").ptx, ".target sm_90a\n"), 1);
  Emitted wrong = emit(kernel, "sm_100a");
  EXPECT_FALSE(wrong.ok);
  EXPECT_EQ(wrong.error, "a kernel for sm_90 cannot be emitted for 'sm_100a'; "
                         "it can for sm_90 and sm_90a");
}

} // namespace
