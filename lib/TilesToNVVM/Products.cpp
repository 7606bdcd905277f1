//===- Products.cpp - Scores and aggregation on mma.sync ------------------===//
//
// mma.sync m16n8k16 with f32 accumulators, B operands by ldmatrix: as they lie
// for the keys (contracted along D), transposed for the values (contracted
// along the keys). See PTX ISA, "ldmatrix" and "mma.sync".
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToNVVM/Emitter.h"

using namespace mlir;
using namespace tda;

/// Four 8 x 8 matrices of 16-bit elements, one i32 a lane each.
Emitter::Fragment Emitter::loadMatrices(Value address, bool transposed) {
  Type i32Type = b.getI32Type();
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(4, i32Type));
  Value loaded = NVVM::LdMatrixOp::create(
      b, loc, type, address, 4,
      transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  return {field(loaded, 0), field(loaded, 1), field(loaded, 2),
          field(loaded, 3)};
}

/// acc[0..3] += a b on the tensor cores.
void Emitter::accumulate(Value *acc, ArrayRef<Value> a, ArrayRef<Value> bs) {
  Type element = cast<VectorType>(a[0].getType()).getElementType();
  auto kind = element.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  auto operands = [&](ArrayRef<Value> values) {
    // bf16 pairs travel as i32, f16 pairs as vectors (NVVM dialect, mma.sync).
    SmallVector<Value> converted;
    for (Value v : values)
      converted.push_back(bits(v, element.isBF16()
                                      ? Type(b.getI32Type())
                                      : Type(VectorType::get(2, element))));
    return converted;
  };
  auto type = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  Value result = NVVM::MmaOp::create(
      b, loc, type, operands(a), operands(bs),
      ValueRange{acc[0], acc[1], acc[2], acc[3]}, ArrayRef<int64_t>{16, 8, 16},
      std::nullopt, std::nullopt, std::array<NVVM::MMATypes, 2>{kind, kind},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t i = 0; i < 4; ++i)
    acc[i] = field(result, i);
}

SmallVector<Value> Emitter::typed(ArrayRef<Value> words, Type element) {
  SmallVector<Value> result;
  for (Value word : words)
    result.push_back(
        LLVM::BitcastOp::create(b, loc, VectorType::get(2, element), word));
  return result;
}

void Emitter::emitScores(TileScoresOp op) {
  auto panel = cast<PanelType>(op.getK().getType());
  Type element = panel.getElementType();
  int64_t pitch = panelPitch(panel.getColumns());
  Fragment q = getAll(op.getQ());
  // Lanes 0-7 address the matrix of keys 0-7 and d 0-7, 8-15 the same keys and
  // d 8-15, 16-31 the next eight keys.
  Value row = add(mul(divide(lane, i32(16)), 8), remainder(lane, i32(8)));
  Value half = remainder(divide(lane, i32(8)), i32(2));
  Value base =
      sharedAddress(get(op.getK()), add(mul(row, pitch), mul(half, 16)));
  Fragment s(panel.getRows() / 8 * 4, f32(0));
  for (int64_t k = 0; k < panel.getColumns() / 16; ++k) {
    auto a = typed(ArrayRef<Value>(q).slice(4 * k, 4), element);
    for (int64_t n = 0; n < panel.getRows() / 16; ++n) {
      Fragment keys =
          loadMatrices(sharedAddress(base, n * 16 * pitch + k * 32), false);
      accumulate(&s[8 * n], a, {keys[0], keys[1]});
      accumulate(&s[8 * n + 4], a, {keys[2], keys[3]});
    }
  }
  set(op, s);
}

// f16 cannot hold (s - tau)^2 of a small difference, nor scores of long rows
// (docs/semantics.md, Numbers): each row of the tile is scaled by the power of
// two that brings its largest entry to [2^14, 2^15), and unscaled in f32.
void Emitter::scaleRows(Fragment &a, Type element, Value unscale[2]) {
  if (!element.isF16())
    return;
  for (int half = 0; half < 2; ++half) {
    Value largest = f32(0);
    for (size_t i = 0; i < a.size(); i += 4)
      for (int e = 0; e < 2; ++e)
        largest =
            maxF(largest, LLVM::FAbsOp::create(b, loc, a[i + 2 * half + e]));
    Value exponent = arith::AndIOp::create(
        b, loc, bits(quadMax(largest), b.getI32Type()), i32(0x7f800000));
    // Below 2^-100 nothing is left of it in the output's f16.
    exponent = arith::MaxSIOp::create(b, loc, exponent, i32(27 << 23));
    Value scale =
        bits(sub(i32((2 * 127 + 14) << 23), exponent), b.getF32Type());
    unscale[half] = bits(sub(exponent, i32(14 << 23)), b.getF32Type());
    for (size_t i = 0; i < a.size(); i += 4)
      for (int e = 0; e < 2; ++e)
        a[i + 2 * half + e] = mulF(a[i + 2 * half + e], scale);
  }
}

Emitter::Fragment Emitter::packWeights(ArrayRef<Value> a, Type element) {
  Fragment words;
  for (size_t i = 0; i < a.size(); i += 2)
    words.push_back(pack(a[i], a[i + 1], element));
  return words;
}

void Emitter::emitAggregate(TileAggregateOp op) {
  auto panel = cast<PanelType>(op.getV().getType());
  Type element = panel.getElementType();
  int64_t pitch = panelPitch(panel.getColumns());
  int64_t steps = panel.getRows() / 16;
  Fragment a = getAll(op.getA()), acc = getAll(op.getAcc());
  Value unscale[2];
  scaleRows(a, element, unscale);
  Fragment words = packWeights(a, element);
  SmallVector<SmallVector<Value>> rows;
  for (int64_t k = 0; k < steps; ++k)
    rows.push_back(typed(ArrayRef<Value>(words).slice(4 * k, 4), element));
  // Lanes 0-7 address keys 0-7, 8-15 keys 8-15, 16-31 the next eight columns.
  Value row = remainder(lane, i32(16));
  Value base = sharedAddress(
      get(op.getV()), add(mul(row, pitch), mul(divide(lane, i32(16)), 16)));
  auto product = [&](int64_t n, int64_t k, Value *low, Value *high) {
    Fragment values =
        loadMatrices(sharedAddress(base, k * 16 * pitch + n * 32), true);
    accumulate(low, rows[k], {values[0], values[1]});
    accumulate(high, rows[k], {values[2], values[3]});
  };
  int64_t blocks = panel.getColumns() / 16;
  if (!element.isF16()) {
    for (int64_t k = 0; k < steps; ++k)
      for (int64_t n = 0; n < blocks; ++n)
        product(n, k, &acc[8 * n], &acc[8 * n + 4]);
  } else {
    for (int64_t n = 0; n < blocks; ++n) {
      Fragment part(8, f32(0));
      for (int64_t k = 0; k < steps; ++k)
        product(n, k, &part[0], &part[4]);
      for (int64_t i = 0; i < 8; ++i)
        acc[8 * n + i] = fma(part[i], unscale[i / 2 % 2], acc[8 * n + i]);
    }
  }
  set(op, acc);
}
