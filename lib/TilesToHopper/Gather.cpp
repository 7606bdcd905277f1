//===- Gather.cpp - Values of survivors, fetched by the warp --------------===//
//
// Where survivors are rare, values are not copied ahead: a warp that has a
// weight in a step of 16 keys reads those 16 rows of V from global memory (they
// are in L2 as a rule) and multiplies with mma.sync, which gives the bits that
// wgmma gives for the same step. A lane loads pairs of columns of the rows g
// and g + 8; movmatrix transposes each 8 x 8 block into the B operand (PTX ISA,
// "movmatrix", "Matrix fragments for mma.m16n8k16").
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

void WarpgroupEmitter::emitGather(TileGatherOp op) {
  const GlobalTensor &tensor = signature.tensors[op.getValues()];
  Type element = tensor.elementType, word = b.getI32Type();
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
  StringRef type = element.isF16() ? "f16" : "bf16";

  bool apart = element.isF16();
  Fragment sum = apart ? Fragment(acc.size(), f32(0)) : acc;
  SmallVector<Type> types(acc.size(), b.getF32Type());
  for (int64_t step = 0; step < steps; ++step) {
    Value bit = arith::AndIOp::create(b, loc, mask, i32(int64_t(1) << step));
    Value live =
        schedule.force
            ? Value(arith::ConstantOp::create(b, loc, b.getBoolAttr(true)))
            : Value(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, bit,
                                          i32(0)));
    auto branch = scf::IfOp::create(b, loc, types, live, true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, sum);
    b.setInsertionPointToStart(branch.thenBlock());
    // Rows beyond the last key meet zero weights; the last one stands for them.
    Value from[2];
    for (int half = 0; half < 2; ++half) {
      Value row = add(add(get(op.getKey()), group), 16 * step + 8 * half);
      from[half] = elementAddress(
          rows, {Value(), Value(), arith::MinSIOp::create(b, loc, row, last)});
    }
    Fragment loaded;
    for (size_t n = 0; n < acc.size() / 4; ++n)
      for (int half = 0; half < 2; ++half) {
        Value at = LLVM::GEPOp::create(b, loc, from[half].getType(),
                                       b.getI8Type(), from[half],
                                       ArrayRef<LLVM::GEPArg>{int32_t(16 * n)});
        loaded.push_back(LLVM::LoadOp::create(b, loc, word, at));
      }
    Fragment next = sum;
    for (size_t n = 0; n < acc.size() / 4; ++n) {
      std::string text =
          "{\n.reg .b32 x, y;\n"
          "movmatrix.sync.aligned.m8n8.trans.b16 x, $12;\n"
          "movmatrix.sync.aligned.m8n8.trans.b16 y, $13;\n"
          "mma.sync.aligned.m16n8k16.row.col.f32." +
          type.str() + "." + type.str() +
          ".f32 {$0,$1,$2,$3}, {$8,$9,$10,$11}, {x,y}, {$0,$1,$2,$3};\n}";
      Fragment operands(ArrayRef<Value>(next).slice(4 * n, 4));
      llvm::append_range(operands, ArrayRef<Value>(words).slice(4 * step, 4));
      operands.push_back(loaded[2 * n]);
      operands.push_back(loaded[2 * n + 1]);
      Fragment product =
          inlinePtx(text, "=f,=f,=f,=f,0,1,2,3,r,r,r,r,r,r", operands,
                    SmallVector<Type>(4, b.getF32Type()));
      std::copy(product.begin(), product.end(), next.begin() + 4 * n);
    }
    scf::YieldOp::create(b, loc, next);
    sum.assign(branch.getResults().begin(), branch.getResults().end());
  }
  set(op.getResult(), apart ? addPart(acc, sum, unscale) : sum);
  set(op.getLive(), {LLVM::CtPopOp::create(b, loc, word, mask)});
}
