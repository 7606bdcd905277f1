//===- Copies.cpp - Between tensors and buffers ---------------------------===//
#include "Emitter.h"

using namespace mlir;
using namespace tda;
using namespace tda::cpu;

static MemRefType typeOf(Value memref) {
  return cast<MemRefType>(memref.getType());
}

void Emitter::fillZero(Value memref) {
  MemRefType type = typeOf(memref);
  Value zero = b.zero(b.vector(type.getElementType()));
  int64_t columns = type.getShape().back();
  if (type.getRank() == 1)
    return b.loop(columns, b.lanes, [&](Value c) { b.store(zero, memref, c); });
  b.loop(type.getDimSize(0), 1, [&](Value r) {
    b.loop(columns, b.lanes, [&](Value c) { b.store(zero, memref, {r, c}); });
  });
}

void Emitter::copy(Value from, Value to) {
  if (from == to)
    return;
  MemRefType type = typeOf(from);
  int64_t columns = type.getShape().back();
  auto move = [&](ValueRange at) { b.store(b.load(from, at), to, at); };
  if (type.getRank() == 1)
    return b.loop(columns, b.lanes, [&](Value c) { move(c); });
  b.loop(type.getDimSize(0), 1, [&](Value r) {
    b.loop(columns, b.lanes, [&](Value c) { move({r, c}); });
  });
}

/// Copies `columns` contiguous elements, extended to f32: whole vectors, then
/// one by one. The padding of `to` stays as it is.
void Emitter::copyColumns(Value from, ValueRange at, Value to, ValueRange toAt,
                          int64_t columns) {
  auto indices = [&](ValueRange prefix, Value c) {
    SmallVector<Value> result(prefix);
    result.push_back(c);
    return result;
  };
  int64_t whole = columns / b.lanes * b.lanes;
  b.loop(whole, b.lanes, [&](Value c) {
    Value x = b.load(from, indices(at, c));
    b.store(b.convert(x, b.getF32Type()), to, indices(toAt, c));
  });
  b.loop(b.index(whole), b.index(columns), [&](Value c) {
    Value x = memref::LoadOp::create(b, from, indices(at, c));
    memref::StoreOp::create(b, b.convert(x, b.getF32Type()), to,
                            indices(toAt, c));
  });
}

/// Row `row` of the panel into row `to` of its buffer.
void Emitter::copyRow(const Panel &panel, Value row, Value to) {
  int64_t columns = typeOf(panel.source).getDimSize(3);
  Value key = b.add(panel.key, row);
  Value inside =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key, panel.limit);
  scf::IfOp::create(
      b, inside,
      [&](OpBuilder &, Location) {
        copyColumns(panel.source, {panel.batch, panel.head, key}, panel.memref,
                    to, columns);
        scf::YieldOp::create(b);
      },
      [&](OpBuilder &, Location) {
        Value zero = b.zero(b.vector(b.getF32Type()));
        b.loop(b.padded(columns), b.lanes,
               [&](Value c) { b.store(zero, panel.memref, {to, c}); });
        scf::YieldOp::create(b);
      });
}

void Emitter::emitZero(TileZeroOp op) {
  auto type = cast<TileType>(op.getType());
  Layout layout = type.getShape().size() == 1 ? Layout::Row : Layout::RowMajor;
  bind(op, fresh(type, layout));
  fillZero(buffer(op).memref);
}

void Emitter::emitLoad(TileLoadOp op) {
  auto type = cast<TileType>(op.getType());
  bool isRow = type.getShape().size() == 1;
  bind(op, fresh(type, isRow ? Layout::Row : Layout::Transposed));
  Value to = buffer(op).memref, source = scalar(op.getSource());
  Value batch = scalar(op.getBatch()), head = scalar(op.getHead());
  Value row = scalar(op.getRow());
  Value rows = b.index(type.getRows());
  Value valid = b.clamp(b.sub(scalar(op.getLimit()), row), rows);
  Value partial =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, valid, rows);
  scf::IfOp::create(b, partial, [&](OpBuilder &, Location) {
    fillZero(to);
    scf::YieldOp::create(b);
  });
  b.loop(b.index(0), valid, [&](Value r) {
    Value from = b.add(row, r);
    if (isRow) {
      Value x =
          memref::LoadOp::create(b, source, ValueRange{batch, head, from});
      memref::StoreOp::create(b, x, to, r);
      return;
    }
    b.loop(type.getColumns(), 1, [&](Value c) {
      Value x =
          memref::LoadOp::create(b, source, ValueRange{batch, head, from, c});
      memref::StoreOp::create(b, b.convert(x, b.getF32Type()), to,
                              ValueRange{c, r});
    });
  });
}

void Emitter::emitStore(TileStoreOp op) {
  auto type = cast<TileType>(op.getTile().getType());
  Value from = buffer(op.getTile()).memref, target = scalar(op.getTarget());
  Value row = scalar(op.getRow());
  Value valid =
      b.clamp(b.sub(scalar(op.getLimit()), row), b.index(type.getRows()));
  SmallVector<Value> prefix;
  if (op.getPlane())
    prefix.push_back(b.index(*op.getPlane()));
  prefix.append({scalar(op.getBatch()), scalar(op.getHead())});
  Type element = typeOf(target).getElementType();
  // x + 0 turns -0 into +0, so that a skipped tile and one that added zeros
  // give the same bits.
  auto rounded = [&](Value x) {
    Value sum = arith::AddFOp::create(b, x, b.zero(x.getType()));
    return b.convert(sum, cast<FloatType>(element));
  };
  b.loop(b.index(0), valid, [&](Value r) {
    SmallVector<Value> at(prefix);
    at.push_back(b.add(row, r));
    if (type.getShape().size() == 1) {
      Value x = memref::LoadOp::create(b, from, r);
      memref::StoreOp::create(b, isa<FloatType>(element) ? rounded(x) : x,
                              target, at);
      return;
    }
    at.push_back(Value());
    int64_t columns = type.getColumns();
    int64_t whole = columns / b.lanes * b.lanes;
    b.loop(whole, b.lanes, [&](Value c) {
      at.back() = c;
      b.store(rounded(b.load(from, {r, c})), target, at);
    });
    b.loop(b.index(whole), b.index(columns), [&](Value c) {
      at.back() = c;
      Value x = memref::LoadOp::create(b, from, ValueRange{r, c});
      memref::StoreOp::create(b, rounded(x), target, at);
    });
  });
}
