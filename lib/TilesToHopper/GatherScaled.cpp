//===- GatherScaled.cpp - Values of scaled weights, fetched by the warp ---===//
//
// Weights of f16 are scaled by the largest of their row in the tile, and the
// product of the tile is summed apart from the output. So nothing can be left
// on the way to the next tile as in Gather.cpp: a warp reads its 16 rows of
// values from global memory (they are in L2 as a rule) and multiplies at once.
// A lane loads pairs of columns of the rows g and g + 8; movmatrix transposes
// each 8 x 8 block into the B operand (PTX ISA, "movmatrix", "Matrix fragments
// for mma.m16n8k16").
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

void WarpgroupEmitter::emitGatherScaled(TileGatherOp op) {
  const GlobalTensor &tensor = signature.tensors[op.getValues()];
  Type element = tensor.elementType;
  Fragment a = getAll(op.getA()), acc = getAll(op.getAcc());
  Value unscale[2];
  scaleRows(a, element, unscale);
  Fragment words = packWeights(a, element);
  int64_t steps = words.size() / 4;
  Value mask = liveSteps(words);
  Value last = sub(get(op.getLimit()), i32(1));
  GlobalTensor rows = tensor;
  rows.pointer = elementAddress(
      tensor, {get(op.getBatch()), get(op.getHead()), i32(0), mul(quad, 2)});

  auto sumOf = [&](Fragment sum, int64_t first) {
    SmallVector<Type> types(sum.size(), b.getF32Type());
    for (int64_t step = 0; step < steps; ++step) {
      auto branch =
          scf::IfOp::create(b, loc, types, isLiveStep(mask, step), true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, sum);
      b.setInsertionPointToStart(branch.thenBlock());
      // Rows beyond the last key meet zero weights; the last one stands for
      // them.
      Value from[2];
      for (int half = 0; half < 2; ++half) {
        Value row = add(add(get(op.getKey()), group), 16 * step + 8 * half);
        from[half] =
            elementAddress(rows, {Value(), Value(),
                                  arith::MinSIOp::create(b, loc, row, last)});
      }
      scf::YieldOp::create(
          b, loc,
          multiplyRows(sum, ArrayRef<Value>(words).slice(4 * step, 4), from,
                       first, element));
      sum.assign(branch.getResults().begin(), branch.getResults().end());
    }
    return sum;
  };
  auto partOf = [&](int64_t first, int64_t count) {
    return sumOf(Fragment(count / 2, f32(0)), first);
  };
  set(op.getResult(),
      element.isF16() ? accumulateApart(acc, unscale, partOf) : sumOf(acc, 0));
}

/// sum + the weights of a k16 step times the 16 rows of values of which this
/// lane's two begin at `rows`, from column `first` on.
Emitter::Fragment WarpgroupEmitter::multiplyRows(ArrayRef<Value> sum,
                                                 ArrayRef<Value> weights,
                                                 Value rows[2], int64_t first,
                                                 Type element) {
  StringRef type = element.isF16() ? "f16" : "bf16";
  Fragment loaded, next;
  for (size_t n = 0; n < sum.size() / 4; ++n)
    for (int half = 0; half < 2; ++half) {
      Value at = LLVM::GEPOp::create(
          b, loc, rows[half].getType(), b.getI8Type(), rows[half],
          ArrayRef<LLVM::GEPArg>{int32_t(2 * first + 16 * n)});
      loaded.push_back(LLVM::LoadOp::create(b, loc, b.getI32Type(), at));
    }
  for (size_t n = 0; n < sum.size() / 4; ++n) {
    std::string text =
        "{\n.reg .b32 x, y;\n"
        "movmatrix.sync.aligned.m8n8.trans.b16 x, $12;\n"
        "movmatrix.sync.aligned.m8n8.trans.b16 y, $13;\n"
        "mma.sync.aligned.m16n8k16.row.col.f32." +
        type.str() + "." + type.str() +
        ".f32 {$0,$1,$2,$3}, {$8,$9,$10,$11}, {x,y}, {$0,$1,$2,$3};\n}";
    Fragment operands(sum.slice(4 * n, 4));
    llvm::append_range(operands, weights);
    operands.push_back(loaded[2 * n]);
    operands.push_back(loaded[2 * n + 1]);
    llvm::append_range(next, inlinePtx(text, "=f,=f,=f,=f,0,1,2,3,r,r,r,r,r,r",
                                       operands,
                                       SmallVector<Type>(4, b.getF32Type())));
  }
  return next;
}
