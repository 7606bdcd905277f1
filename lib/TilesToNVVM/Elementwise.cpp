//===- Elementwise.cpp - Gate, mask, threshold, differential, norms -------===//
#include "lib/AttentionToTiles/Visibility.h"
#include "lib/TilesToNVVM/Emitter.h"

#include <limits>

using namespace mlir;
using namespace tda;

namespace {
/// Of an accumulator value's index in its fragment: which of the two rows, and
/// its column without the lane's part (2 * quad).
int halfOf(size_t i) { return i / 2 % 2; }
int64_t columnOf(size_t i) { return int64_t(i / 4 * 8 + i % 2); }
} // namespace

Value Emitter::gateOf(TileGateOp op, Value row) {
  Value n =
      emitVisibleCount(b, loc, row, get(op.getKeys()), get(op.getOffset()),
                       op.getCausal(), op.getWindow());
  Value count = arith::SIToFPOp::create(b, loc, b.getF32Type(), n);
  Value log2 = unaryPtx("lg2.approx.f32", divF(count, get(op.getKappa())));
  // 2 ln x / D = log2 x * (2 ln 2 / D)
  Value inner = mulF(maxF(log2, f32(0)),
                     f32(2 * 0.69314718055994530942 / double(op.getDim())));
  Value gate = mulF(maxF(get(op.getBeta()), f32(0)), sqrt(inner));
  Value dead = less(n, i32(1));
  return select(dead, f32(std::numeric_limits<double>::infinity()), gate);
}

void Emitter::emitGate(TileGateOp op) {
  Fragment tau;
  for (int half = 0; half < 2; ++half)
    tau.push_back(gateOf(op, ownRow(get(op.getRow()), half)));
  set(op, tau);
}

void Emitter::emitMask(TileMaskOp op) {
  Fragment s = getAll(op.getS());
  Value first = add(get(op.getKey()), mul(quad, 2));
  Value hidden = f32(-std::numeric_limits<double>::infinity());
  for (int half = 0; half < 2; ++half) {
    KeyRange keys = emitVisibleKeys(b, loc, ownRow(get(op.getRow()), half),
                                    get(op.getKeys()), get(op.getOffset()),
                                    op.getCausal(), op.getWindow());
    // begin <= column < end, relative to this lane's first column.
    Value begin = sub(keys.begin, first), end = sub(keys.end, first);
    for (size_t i = 0; i < s.size(); ++i) {
      if (halfOf(i) != half)
        continue;
      Value column = i32(columnOf(i));
      Value visible = less(column, end);
      if (op.getWindow())
        visible = arith::AndIOp::create(
            b, loc, visible,
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, column,
                                  begin));
      s[i] = select(visible, s[i], hidden);
    }
  }
  set(op, s);
}

/// The gate is never negative, so s > tau can be asked of the bits as signed
/// integers, and the largest score is an integer maximum. ptxas takes two
/// values at a time (VIMNMX3).
void Emitter::addToMaxima(Fragment &maxima, Value view, int half) {
  Fragment s = getAll(view);
  maxima.resize((s.size() + 7) / 8);
  for (size_t i = 0; i < s.size(); ++i) {
    if (halfOf(i) != half)
      continue;
    Value word = bits(s[i], b.getI32Type()), &largest = maxima[i / 8];
    largest =
        largest ? Value(arith::MaxSIOp::create(b, loc, largest, word)) : word;
  }
}

Emitter::Fragment Emitter::stepMaxima(ValueRange scores, int half) {
  Fragment maxima;
  for (Value view : scores)
    addToMaxima(maxima, view, half);
  return maxima;
}

void Emitter::emitSurvives(TileSurvivesOp op) {
  Fragment tau = getAll(op.getTau()), maxima[2];
  for (Value view : op.getScores()) {
    await(view);
    for (int half = 0; half < 2; ++half)
      addToMaxima(maxima[half], view, half);
  }
  Value any;
  for (int half = 0; half < 2; ++half) {
    Value largest;
    for (Value step : maxima[half])
      largest =
          largest ? Value(arith::MaxSIOp::create(b, loc, largest, step)) : step;
    Value above = less(bits(tau[half], b.getI32Type()), largest);
    any = any ? Value(arith::OrIOp::create(b, loc, any, above)) : above;
  }
  set(op, {NVVM::VoteSyncOp::create(b, loc, b.getI1Type(), i32(-1), any,
                                    NVVM::VoteSyncKind::any)});
}

Emitter::Fragment Emitter::rectify(ArrayRef<Value> scores, TileThresholdOp op) {
  Fragment tau = getAll(op.getTau()), a;
  double power = op.getPower().convertToDouble();
  Value zero = f32(0), half, shift[2];
  if (op.getHalved()) {
    half = f32(0.5);
    for (int i = 0; i < 2; ++i)
      shift[i] = mulF(tau[i], f32(-0.5));
  }
  for (auto [i, s] : llvm::enumerate(scores)) {
    Value x =
        op.getHalved()
            ? saturatedFma(s, half, shift[halfOf(i)])
            : maxF(arith::SubFOp::create(b, loc, s, tau[halfOf(i)]), zero);
    if (power == 2) {
      x = mulF(x, x);
    } else if (power == 3) {
      x = mulF(mulF(x, x), x);
    } else if (power != 1) {
      // x^p = 2^(p log2 x); log2 0 = -inf and 2^-inf = 0, as it should be.
      Value exponent = mulF(unaryPtx("lg2.approx.f32", x), f32(power));
      x = unaryPtx("ex2.approx.f32", exponent);
    }
    a.push_back(x);
  }
  return a;
}

void Emitter::emitThreshold(TileThresholdOp op) {
  set(op, rectify(getAll(op.getS()), op));
}

Emitter::Fragment Emitter::subtract(ArrayRef<Value> a1, ArrayRef<Value> a2,
                                    TileDifferentialOp op) {
  Fragment lambda = getAll(op.getLambda()), a;
  for (Value &l : lambda)
    l = arith::NegFOp::create(b, loc, l);
  for (size_t i = 0; i < a1.size(); ++i)
    a.push_back(fma(lambda[halfOf(i) % lambda.size()], a2[i], a1[i]));
  return a;
}

void Emitter::emitDifferential(TileDifferentialOp op) {
  set(op, subtract(getAll(op.getA1()), getAll(op.getA2()), op));
}

void Emitter::emitCount(TileCountOp op) {
  Fragment s = getAll(op.getS()), tau = getAll(op.getTau()),
           acc = getAll(op.getAcc());
  for (int half = 0; half < 2; ++half) {
    Value count = i32(0);
    for (size_t i = 0; i < s.size(); ++i) {
      if (halfOf(i) != half)
        continue;
      Value above = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT,
                                          s[i], tau[half]);
      count = add(count, arith::ExtUIOp::create(b, loc, b.getI32Type(), above));
    }
    acc[half] = add(acc[half], quadSum(count));
  }
  set(op, acc);
}

void Emitter::emitScale(TileScaleOp op) {
  Fragment x = getAll(op.getTile());
  Value factor = f32(op.getFactor().convertToDouble());
  for (Value &value : x)
    value = mulF(value, factor);
  set(op, x);
}

void Emitter::emitRmsNorm(TileRmsNormOp op) {
  auto type = cast<TileType>(op.getTile().getType());
  Fragment x = getAll(op.getTile());
  const GlobalTensor &gain = signature.tensors[op.getGain()];
  Value scale[2];
  for (int half = 0; half < 2; ++half) {
    Value sum = f32(0);
    for (size_t i = 0; i < x.size(); ++i)
      if (halfOf(i) == half)
        sum = fma(x[i], x[i], sum);
    Value mean = mulF(quadSum(sum), f32(1.0 / double(type.getColumns())));
    Value root = sqrt(addF(mean, f32(op.getEps().convertToDouble())));
    // An all-zero row with eps = 0 stays zero instead of 0 * inf.
    Value zero =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, root, f32(0));
    scale[half] = select(zero, f32(0), divF(f32(1), root));
  }
  Value first = mul(quad, 2);
  for (size_t i = 0; i < x.size(); ++i) {
    Value g =
        LLVM::LoadOp::create(b, loc, b.getF32Type(),
                             elementAddress(gain, {add(first, columnOf(i))}));
    x[i] = mulF(mulF(x[i], scale[halfOf(i)]), g);
  }
  set(op, x);
}

void Emitter::emitNormalize(TileNormalizeOp op) {
  Type element = cast<TileType>(op.getTile().getType()).getElementType();
  Fragment q = getAll(op.getTile());
  // Word i of a k16 block holds row g for even i, row g + 8 for odd i.
  Value scale[2];
  for (int half = 0; half < 2; ++half) {
    Value sum = f32(0);
    for (size_t i = half; i < q.size(); i += 2) {
      auto [low, high] = unpack(q[i], element);
      sum = fma(high, high, fma(low, low, sum));
    }
    scale[half] = divF(f32(1), maxF(sqrt(quadSum(sum)), f32(1e-12)));
  }
  for (size_t i = 0; i < q.size(); ++i) {
    auto [low, high] = unpack(q[i], element);
    q[i] = pack(mulF(low, scale[i % 2]), mulF(high, scale[i % 2]), element);
  }
  set(op, q);
}
