//===- GlobalMemory.cpp - Tiles to and from the tensors -------------------===//
#include "lib/TilesToNVVM/Emitter.h"

using namespace mlir;
using namespace tda;

/// Address of one element; a null index leaves its axis out. Offsets are
/// 64-bit: a tensor may hold more than 2^31 elements.
Value Emitter::elementAddress(const GlobalTensor &tensor,
                              ArrayRef<Value> indices) {
  Value offset;
  for (auto [index, stride] : llvm::zip(indices, tensor.strides)) {
    if (!index)
      continue;
    Value wide = arith::ExtSIOp::create(b, loc, b.getI64Type(), index);
    Value part = mul(wide, stride);
    offset = offset ? add(offset, part) : part;
  }
  return LLVM::GEPOp::create(b, loc, tensor.pointer.getType(),
                             tensor.elementType, tensor.pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

void Emitter::emitLoad(TileLoadOp op) {
  auto tile = cast<TileType>(op.getType());
  const GlobalTensor &tensor = signature.tensors[op.getSource()];
  Value batch = get(op.getBatch()), head = get(op.getHead()),
        limit = get(op.getLimit());
  bool rowTile = tile.getShape().size() == 1;
  Type word = rowTile ? tile.getElementType() : Type(b.getI32Type());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(word));

  Fragment halves[2];
  for (int half = 0; half < 2; ++half) {
    Value row = ownRow(get(op.getRow()), half);
    Value inside = less(row, limit);
    // Row limit - 1 exists: the program's first row is below the limit.
    Value safe = select(inside, row, sub(limit, i32(1)));
    SmallVector<Value> at{batch, head, safe};
    if (!rowTile)
      at.push_back(mul(quad, 2));
    Value base = elementAddress(tensor, at);
    int64_t words = rowTile ? 1 : tile.getColumns() / 8;
    for (int64_t i = 0; i < words; ++i) {
      Value from =
          LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                              ArrayRef<LLVM::GEPArg>{int32_t(16 * i)});
      Value loaded = LLVM::LoadOp::create(b, loc, word, from);
      halves[half].push_back(select(inside, loaded, zero));
    }
  }
  Fragment result;
  for (size_t i = 0; i < halves[0].size(); ++i)
    for (int half = 0; half < 2; ++half)
      result.push_back(halves[half][i]);
  set(op, result);
}

void Emitter::emitStore(TileStoreOp op) {
  auto tile = cast<TileType>(op.getTile().getType());
  const GlobalTensor &tensor = signature.tensors[op.getTarget()];
  Fragment values = getAll(op.getTile());
  bool rowTile = tile.getShape().size() == 1;
  bool packed = !rowTile && !tile.getElementType().isF32();
  for (int half = 0; half < 2; ++half) {
    Value row = ownRow(get(op.getRow()), half);
    Value mine = less(row, get(op.getLimit()));
    // The four lanes of a row hold the same row value: one of them stores it.
    if (rowTile)
      mine = arith::AndIOp::create(b, loc, mine, less(quad, i32(1)));
    auto branch = scf::IfOp::create(b, loc, mine, false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    SmallVector<Value> at;
    if (op.getPlane())
      at.push_back(i32(*op.getPlane()));
    llvm::append_range(at,
                       ValueRange{get(op.getBatch()), get(op.getHead()), row});
    if (!rowTile)
      at.push_back(mul(quad, 2));
    Value base = elementAddress(tensor, at);
    if (rowTile) {
      LLVM::StoreOp::create(b, loc, values[half], base);
      continue;
    }
    for (int64_t n = 0; n < tile.getColumns() / 8; ++n) {
      Value to =
          LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                              ArrayRef<LLVM::GEPArg>{int32_t(16 * n)});
      Value word = packed
                       ? values[2 * n + half]
                       : pack(values[4 * n + 2 * half],
                              values[4 * n + 2 * half + 1], tensor.elementType);
      LLVM::StoreOp::create(b, loc, word, to);
    }
  }
}

/// beta, lambda or kappa: from its tensor, or from a constant of the module.
LogicalResult Emitter::emitMemrefLoad(memref::LoadOp op) {
  auto it = signature.tensors.find(op.getMemref());
  if (it != signature.tensors.end()) {
    SmallVector<Value> indices;
    for (Value index : op.getIndices())
      indices.push_back(get(index));
    Value from = indices.empty() ? it->second.pointer
                                 : elementAddress(it->second, indices);
    set(op, {LLVM::LoadOp::create(b, loc, op.getType(), from)});
    return success();
  }
  auto fetch = op.getMemref().getDefiningOp<memref::GetGlobalOp>();
  auto global = fetch ? SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
                            op, fetch.getNameAttr())
                      : nullptr;
  if (!global)
    return op.emitError("reads neither an argument nor a constant");
  auto dense = cast<DenseElementsAttr>(*global.getInitialValue());
  if (dense.isSplat()) {
    set(op,
        {arith::ConstantOp::create(b, loc, dense.getSplatValue<TypedAttr>())});
    return success();
  }
  // A constant a head: a select chain over the few heads stays in registers.
  Value head = get(op.getIndices().front()), value;
  for (auto [i, element] : llvm::enumerate(dense.getValues<FloatAttr>())) {
    Value constant = arith::ConstantOp::create(b, loc, element);
    Value same =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, head, i32(i));
    value = value ? select(same, constant, value) : constant;
  }
  set(op, {value});
  return success();
}
