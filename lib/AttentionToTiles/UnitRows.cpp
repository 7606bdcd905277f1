//===- UnitRows.cpp - Unit copies of queries and keys ---------------------===//
#include "lib/AttentionToTiles/UnitRows.h"

#include "lib/AttentionToTiles/TileLoop.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tda;

namespace {

/// Where the runtime wants tensors of the workspace to begin, bytes.
constexpr int64_t kAlignment = 256;

/// A tensor of the call and where its unit rows go.
struct Copy {
  BlockArgument source;
  StringRef name;
  RankedTensorType type;
  std::string offset;
};

class UnitRows {
public:
  UnitRows(func::FuncOp func, AttentionOp op)
      : func(func), op(op), b(op.getContext()) {}

  LogicalResult split();

private:
  FailureOr<SmallVector<Copy>> copiesOf(ArrayRef<Value> operands);
  void place(Copy &copy);
  void buildFunction(ArrayRef<SmallVector<Copy>> groups);
  void buildProgram(ArrayRef<Copy> copies, ValueRange sources,
                    ValueRange targets);
  void readCopy(const Copy &copy, ArrayRef<OpOperand *> operands);

  func::FuncOp func;
  AttentionOp op;
  OpBuilder b;
  llvm::SmallPtrSet<Value, 4> seen;
  std::string bytes; ///< Of the workspace: all copies that have a place.
};

} // namespace

/// The tensors of `operands` that no function copies yet.
FailureOr<SmallVector<Copy>> UnitRows::copiesOf(ArrayRef<Value> operands) {
  SmallVector<Copy> copies;
  for (Value operand : operands) {
    auto source = dyn_cast_or_null<BlockArgument>(operand);
    if (operand && !source)
      return op.emitError("a GPU kernel normalises queries and keys that are "
                          "arguments of the function, not constants");
    if (!source || !seen.insert(source).second)
      continue;
    auto name =
        func.getArgAttrOfType<StringAttr>(source.getArgNumber(), kOperandAttr);
    copies.push_back({source, name.getValue(),
                      cast<RankedTensorType>(source.getType()), ""});
    place(copies.back());
  }
  return copies;
}

/// The next free bytes of the workspace.
void UnitRows::place(Copy &copy) {
  copy.offset = bytes.empty() ? "0" : bytes;
  auto length = [&](int64_t axis) {
    return lengthName(copy.name, 4, axis).str() + " * ";
  };
  // Both operands have 16-bit elements and a static last axis.
  std::string size = "ceildiv(" + length(0) + length(1) + length(2) +
                     std::to_string(2 * copy.type.getDimSize(3)) + ", " +
                     std::to_string(kAlignment) + ") * " +
                     std::to_string(kAlignment);
  bytes += (bytes.empty() ? "" : " + ") + size;
}

/// The function that writes the copies of both groups, before `func`.
void UnitRows::buildFunction(ArrayRef<SmallVector<Copy>> groups) {
  SmallVector<Copy> copies =
      llvm::to_vector(llvm::concat<const Copy>(groups[0], groups[1]));
  SmallVector<Type> types;
  for (const Copy &copy : copies)
    types.push_back(boundaryType(copy.type));
  for (const Copy &copy : copies)
    types.push_back(workspaceType(copy.type));
  auto unit =
      func::FuncOp::create(op.getLoc(), (func.getName() + "_unit").str(),
                           b.getFunctionType(types, {}));
  // Gives it another name where this one is taken.
  SymbolTable(func->getParentOp()).insert(unit, func->getIterator());
  unit->setAttr(kWorkspaceAttr, b.getStringAttr(bytes));
  Block *entry = unit.addEntryBlock();
  for (auto [i, copy] : llvm::enumerate(copies)) {
    unsigned target = copies.size() + i;
    unit.setArgAttr(i, kOperandAttr, b.getStringAttr(copy.name));
    unit.setArgAttr(target, kOperandAttr, b.getStringAttr(copy.name));
    unit.setArgAttr(target, kWorkspaceAttr, b.getStringAttr(copy.offset));
  }
  unsigned at = 0;
  for (ArrayRef<Copy> group : groups) {
    b.setInsertionPointToEnd(entry);
    buildProgram(group, entry->getArguments().slice(at, group.size()),
                 entry->getArguments().slice(copies.size() + at, group.size()));
    at += group.size();
  }
  b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(b, op.getLoc());
}

/// The program that writes `copies`, which have the same rows.
void UnitRows::buildProgram(ArrayRef<Copy> copies, ValueRange sources,
                            ValueRange targets) {
  if (copies.empty())
    return;
  Location loc = op.getLoc();
  auto dim = [&](int64_t axis) -> Value {
    return b.createOrFold<memref::DimOp>(loc, sources[0], axis);
  };
  // Rows pass through registers once: no key loop, so no ring that counts.
  Schedule schedule{/*tileM=*/64, /*tileN=*/64, /*stages=*/2, /*warps=*/4};
  Value batches = dim(0), heads = dim(1), rows = dim(2);
  auto program = TileProgramOp::create(
      b, loc, batches, heads, rows, ScheduleAttr::get(b.getContext(), schedule),
      *op.getTarget());
  Block &body = program.getBody().front();
  b.setInsertionPointToStart(&body);
  Value batch = body.getArgument(0), head = body.getArgument(1),
        row = body.getArgument(2);
  for (auto [copy, source, target] : llvm::zip(copies, sources, targets)) {
    auto type =
        TileType::get(b.getContext(), {schedule.tileM, copy.type.getDimSize(3)},
                      copy.type.getElementType());
    Value given =
        TileLoadOp::create(b, loc, type, source, batch, head, row, rows);
    Value scaled = TileNormalizeOp::create(b, loc, type, given);
    TileStoreOp::create(b, loc, scaled, target, batch, head, row, rows,
                        IntegerAttr());
  }
}

/// `operands` of the attention read the copy; what it is a copy of stays an
/// argument only where something else reads that.
void UnitRows::readCopy(const Copy &copy, ArrayRef<OpOperand *> operands) {
  NamedAttrList attrs;
  attrs.set(kOperandAttr, b.getStringAttr(copy.name));
  attrs.set(kWorkspaceAttr, b.getStringAttr(copy.offset));
  unsigned at = copy.source.getArgNumber();
  (void)func.insertArgument(at + 1, copy.type,
                            attrs.getDictionary(b.getContext()), op.getLoc());
  for (OpOperand *operand : operands)
    if (operand->get() == copy.source)
      operand->set(func.getArgument(at + 1));
  if (copy.source.use_empty())
    (void)func.eraseArgument(at);
}

LogicalResult UnitRows::split() {
  FailureOr<SmallVector<Copy>> queries = copiesOf({op.getQ1(), op.getQ2()});
  if (failed(queries))
    return failure();
  FailureOr<SmallVector<Copy>> keys = copiesOf({op.getK1(), op.getK2()});
  if (failed(keys))
    return failure();
  buildFunction({*queries, *keys});

  SmallVector<OpOperand *> operands{&op.getQ1Mutable(), &op.getK1Mutable()};
  for (MutableOperandRange range : {op.getQ2Mutable(), op.getK2Mutable()})
    for (OpOperand &operand : range)
      operands.push_back(&operand);
  for (const SmallVector<Copy> &copies : {*queries, *keys})
    for (const Copy &copy : copies)
      readCopy(copy, operands);
  func->setAttr(kWorkspaceAttr, b.getStringAttr(bytes));
  op.setNormalize(false);
  op.setUnit(true);
  return success();
}

LogicalResult tda::splitUnitRows(func::FuncOp func, AttentionOp op) {
  return UnitRows(func, op).split();
}
