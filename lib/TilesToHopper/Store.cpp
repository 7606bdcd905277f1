//===- Store.cpp - Output through shared memory ---------------------------===//
//
// In the accumulator's layout four lanes hold eight columns of a row: a warp's
// store touches eight rows, 16 bytes each, half of what L2 writes at a time.
// Where a warp has a place in shared memory (for rows of V, none of which are
// on their way any more) its 16 rows pass through it, and 16 bytes a lane reach
// global memory row by row.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

/// Whether all rows of a tensor of 2-byte elements begin at multiples of 16
/// bytes. Its manifest asks for less.
Value WarpgroupEmitter::hasWideRows(const GlobalTensor &tensor) {
  Type wide = b.getI64Type();
  Value bytes = LLVM::PtrToIntOp::create(b, loc, wide, tensor.pointer);
  for (Value stride : ArrayRef(tensor.strides).drop_back())
    bytes = arith::OrIOp::create(b, loc, bytes, add(stride, stride));
  Value rest = arith::AndIOp::create(
      b, loc, arith::TruncIOp::create(b, loc, b.getI32Type(), bytes), i32(15));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest, i32(0));
}

void WarpgroupEmitter::storeOutput(TileStoreOp op) {
  auto tile = cast<TileType>(op.getTile().getType());
  if (!pipeline.getFetchBytes() || tile.getShape().size() != 2 ||
      !tile.getElementType().isF32())
    return Emitter::emitStore(op);
  const GlobalTensor &tensor = signature.tensors[op.getTarget()];
  auto branch = scf::IfOp::create(b, loc, hasWideRows(tensor), true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    Emitter::emitStore(op);
    b.setInsertionPointToStart(branch.thenBlock());
    storeThroughShared(op);
  }
  if (schedule.grid != Grid::Persistent)
    return;
  // The next program's rows meet zero weights here. They must be finite, which
  // output that overflowed is not; nor need another head's values be.
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  clearFetched();
}

void WarpgroupEmitter::storeThroughShared(TileStoreOp op) {
  const GlobalTensor &tensor = signature.tensors[op.getTarget()];
  Fragment values = getAll(op.getTile());
  int64_t columns = 2 * values.size(), chunks = columns / 8;
  int64_t pitch = panelPitch(columns);
  Value place = byteAddress(fetchAddress());
  // All lanes have read the rows that lay here.
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  Value own = add(add(place, mul(group, pitch)), mul(quad, 4));
  for (int64_t n = 0; n < columns / 8; ++n)
    for (int64_t half = 0; half < 2; ++half) {
      const Value *pair = &values[4 * n + 2 * half];
      inlinePtx("st.shared.b32 [$0], $1;", "r,r,~{memory}",
                {add(own, 8 * half * pitch + 16 * n),
                 pack(pair[0], pair[1], tensor.elementType)},
                {});
    }
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  Value firstRow = sub(ownRow(get(op.getRow()), 0), group);
  for (int64_t i = 0; i < 16 * chunks; i += 32) {
    Value chunk = add(lane, i);
    Value row = divide(chunk, i32(chunks));
    Value column = remainder(chunk, i32(chunks));
    Value at = add(firstRow, row);
    auto some = scf::IfOp::create(b, loc, less(at, get(op.getLimit())), false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(some.thenBlock());
    Fragment words = inlinePtx(
        "ld.shared.v4.b32 {$0,$1,$2,$3}, [$4];", "=r,=r,=r,=r,r,~{memory}",
        {add(add(place, mul(row, pitch)), mul(column, 16))},
        SmallVector<Type>(4, b.getI32Type()));
    Value to = elementAddress(
        tensor, {get(op.getBatch()), get(op.getHead()), at, mul(column, 8)});
    inlinePtx("st.global.v4.b32 [$0], {$1,$2,$3,$4};", "l,r,r,r,r,~{memory}",
              {to, words[0], words[1], words[2], words[3]}, {});
  }
}
