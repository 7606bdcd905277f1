//===- ControlFlow.cpp - Walk a tile program and place its buffers --------===//
#include "Emitter.h"

#include "lib/AttentionToTiles/Visibility.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;
using namespace tda::cpu;

static bool isTileLike(Type type) { return isa<TileType, PanelType>(type); }

Emitter::Emitter(OpBuilder &builder, TileProgramOp program)
    : program(program),
      b(program.getLoc(), builder, program.getTarget().getVectorBits()) {}

LogicalResult Emitter::emit(Value first, Value last) {
  programs = scf::ForOp::create(b, first, last, b.index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(programs.getBody());
    // Heads fastest, so that those of one group follow each other; row blocks
    // slowest and from the end.
    Value tileM = b.index(program.getSchedule().getTileM());
    Value heads = program.getHeads();
    Value p = programs.getInductionVar();
    Value perBlock = arith::MulIOp::create(b, heads, program.getBatches());
    Value fromEnd = arith::DivUIOp::create(b, p, perBlock);
    Value rest = arith::RemUIOp::create(b, p, perBlock);
    Value blocks = arith::CeilDivSIOp::create(b, program.getRows(), tileM);
    Value block = b.sub(b.sub(blocks, b.index(1)), fromEnd);
    Block &body = program.getBody().front();
    scalars.map(body.getArgument(0), arith::DivUIOp::create(b, rest, heads));
    scalars.map(body.getArgument(1), arith::RemUIOp::create(b, rest, heads));
    scalars.map(body.getArgument(2), arith::MulIOp::create(b, block, tileM));
    if (failed(emitBlock(body)))
      return failure();
  }
  b.setInsertionPointAfter(programs);
  for (Value memref : allocated)
    memref::DeallocOp::create(b, memref);
  return success();
}

LogicalResult Emitter::emitBlock(Block &block) {
  for (Operation &op : block) {
    if (isa<scf::YieldOp, TileYieldOp>(op))
      continue; // The op around it knows what to do with the values.
    b.setLoc(op.getLoc());
    if (failed(emitOp(&op)))
      return failure();
  }
  return success();
}

/// The form in which an op of the dialect reads its 2-d operand.
static Layout expectedLayout(OpOperand &operand) {
  Operation *op = operand.getOwner();
  auto aggregate = dyn_cast<TileAggregateOp>(op);
  bool accumulator = isa<TileRmsNormOp, TileStoreOp>(op) ||
                     (aggregate && operand.get() == aggregate.getAcc());
  return accumulator ? Layout::RowMajor : Layout::Transposed;
}

LogicalResult Emitter::check(OpOperand &operand) {
  Operation *op = operand.getOwner();
  Value value = operand.get();
  if (isa<PanelType>(value.getType()) && !panels.count(value))
    return op->emitOpError("reads a panel from outside the tile loop");
  auto type = dyn_cast<TileType>(value.getType());
  if (!type)
    return success();
  if (!buffers.count(value))
    return op->emitOpError("reads a tile from outside the tile program");
  if (type.getShape().size() == 2 && isa<TdaDialect>(op->getDialect()) &&
      !isa<TileForOp>(op) && buffer(value).layout != expectedLayout(operand))
    return op->emitOpError(expectedLayout(operand) == Layout::RowMajor
                               ? "reads queries or scores where the cpu takes "
                                 "an accumulator"
                               : "reads an accumulator where the cpu takes "
                                 "queries or scores");
  return success();
}

LogicalResult Emitter::emitOp(Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (failed(check(operand)))
      return failure();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case([&](TileForOp op) { return emitFor(op); })
      .Case([&](TileSpanOp op) { return emitSpan(op), success(); })
      .Case([&](TileZeroOp op) { return emitZero(op), success(); })
      .Case([&](TileLoadOp op) { return emitLoad(op), success(); })
      .Case([&](TileStoreOp op) { return emitStore(op), success(); })
      .Case([&](TileGateOp op) { return emitGate(op), success(); })
      .Case([&](TileNormalizeOp op) { return emitNormalize(op), success(); })
      .Case([&](PanelNormalizeOp op) {
        return emitPanelNormalize(op), success();
      })
      .Case([&](TileScaleOp op) { return emitScale(op), success(); })
      .Case([&](TileRmsNormOp op) { return emitRmsNorm(op), success(); })
      .Case([&](TileMaskOp op) { return emitMask(op), success(); })
      .Case([&](TileSurvivesOp op) { return emitSurvives(op), success(); })
      .Case([&](TileThresholdOp op) { return emitThreshold(op), success(); })
      .Case([&](TileDifferentialOp op) {
        return emitDifferential(op), success();
      })
      .Case([&](TileCountOp op) { return emitCount(op), success(); })
      .Case([&](TileScoresOp op) { return emitScores(op), success(); })
      .Case([&](TileAggregateOp op) { return emitAggregate(op), success(); })
      .Default([&](Operation *op) -> LogicalResult {
        bool onTiles = llvm::any_of(op->getOperandTypes(), isTileLike) ||
                       llvm::any_of(op->getResultTypes(), isTileLike);
        if (onTiles || op->getNumRegions() > 0 ||
            isa<TdaDialect>(op->getDialect()))
          return op->emitOpError("cannot be lowered to the cpu inside a tile "
                                 "program");
        b.clone(*op, scalars);
        return success();
      });
}

void Emitter::emitSpan(TileSpanOp op) {
  Value results[4];
  tda::emitSpan(
      b, op.getLoc(), op, [&](Value v) { return scalar(v); }, results);
  for (auto [result, value] : llvm::zip(op.getResults(), results))
    scalars.map(result, value);
}

LogicalResult Emitter::emitIf(scf::IfOp op) {
  SmallVector<Value> plain;
  for (Value result : op.getResults())
    if (!isTileLike(result.getType()))
      plain.push_back(result);
  bool hasElse = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(b, TypeRange(ValueRange(plain)),
                                  scalar(op.getCondition()), hasElse);
  OpBuilder::InsertionGuard guard(b);
  // Emits one side without its yield; the builder stays at its end.
  auto emitSide = [&](Region &from, Region &to) -> LogicalResult {
    Block &block = to.front();
    if (!block.empty())
      block.back().erase(); // The yield that scf.if builds without results.
    b.setInsertionPointToEnd(&block);
    return emitBlock(from.front());
  };
  if (failed(emitSide(op.getThenRegion(), branch.getThenRegion())) ||
      (hasElse && failed(emitSide(op.getElseRegion(), branch.getElseRegion()))))
    return failure();

  for (int side = 0; side < (hasElse ? 2 : 1); ++side) {
    Region &from = side ? op.getElseRegion() : op.getThenRegion();
    Region &to = side ? branch.getElseRegion() : branch.getThenRegion();
    auto yield = cast<scf::YieldOp>(from.front().getTerminator());
    b.setInsertionPointToEnd(&to.front());
    SmallVector<Value> yielded;
    for (auto [result, value] :
         llvm::zip(op.getResults(), yield.getOperands())) {
      if (!isTileLike(result.getType())) {
        yielded.push_back(scalar(value));
        continue;
      }
      if (!isa<TileType>(result.getType()))
        return op.emitOpError("cannot choose between panels on the cpu");
      if (!buffers.count(result)) {
        // Where both sides leave the tile in one buffer nothing is copied.
        Value other =
            op.elseYield().getOperand(cast<OpResult>(result).getResultNumber());
        Buffer mine = buffer(value);
        if (buffer(other).layout != mine.layout)
          return op.emitOpError("chooses between tiles of different form");
        bind(result,
             buffer(other).memref == mine.memref
                 ? mine
                 : fresh(cast<TileType>(result.getType()), mine.layout));
      }
      copy(buffer(value).memref, buffer(result).memref);
    }
    scf::YieldOp::create(b, yielded);
  }
  for (auto [old, result] : llvm::zip(plain, branch.getResults()))
    scalars.map(old, result);
  return success();
}

LogicalResult Emitter::emitFor(TileForOp op) {
  if (op.getDescending())
    return op.emitError("visits keys in ascending order only on a CPU");
  // Each carried tile has a buffer of its own, which every turn updates.
  llvm::SmallDenseSet<Value> taken;
  for (auto [init, carried] : llvm::zip(op.getInits(), op.getCarried())) {
    Buffer from = buffer(init), own = reuse(init, op);
    if (!taken.insert(own.memref).second)
      own = fresh(cast<TileType>(init.getType()), from.layout);
    copy(from.memref, own.memref);
    bind(carried, own);
  }
  for (auto [value, source] : llvm::zip(op.getPanels(), op.getSources())) {
    auto type = cast<PanelType>(value.getType());
    Panel &p = panels[value];
    p.memref = allocate({type.getRows(), type.getColumns()}, b.getF32Type());
    p.source = scalar(source);
    p.batch = scalar(op.getBatch());
    p.head = scalar(op.getHead());
    p.limit = scalar(op.getLimit());
  }
  LogicalResult result = success();
  b.loop(scalar(op.getBegin()), scalar(op.getEnd()), int64_t(op.getStep()),
         [&](Value key) {
           scalars.map(op.getKey(), key);
           for (Value value : op.getPanels()) {
             panels[value].key = key;
             // Values are copied where they are used, and only those of live
             // keys.
             if (cast<PanelType>(value.getType()).getRole() == PanelRole::Key)
               b.loop(op.getStep(), 1,
                      [&](Value row) { copyRow(panel(value), row, row); });
           }
           result = emitBlock(op.getBody().front());
           if (failed(result))
             return;
           ValueRange next = op.getYield().getValues();
           for (auto [from, to] : llvm::zip(next, op.getCarried()))
             copy(buffer(from).memref, buffer(to).memref);
         });
  if (failed(result))
    return failure();
  // A copy above must not overwrite what a later one reads.
  ValueRange next = op.getYield().getValues();
  for (auto [i, from] : llvm::enumerate(next))
    for (auto [k, carried] : llvm::enumerate(op.getCarried()))
      if (i != k && buffer(from).memref == buffer(carried).memref)
        return op.emitOpError("cannot exchange carried tiles on the cpu");
  for (auto [tile, carried] : llvm::zip(op.getResults(), op.getCarried()))
    bind(tile, buffer(carried));
  return success();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value Emitter::allocate(ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> extents(shape);
  extents.back() = b.padded(shape.back());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(programs);
  // A cache line: no vector crosses two.
  Value memref = memref::AllocOp::create(b, MemRefType::get(extents, element),
                                         b.getI64IntegerAttr(64));
  allocated.push_back(memref);
  if (extents.back() != shape.back())
    fillZero(memref);
  return memref;
}

Buffer Emitter::fresh(TileType type, Layout layout) {
  // Tiles of inputs are held in f32.
  Type element = isa<FloatType>(type.getElementType()) ? b.getF32Type()
                                                       : type.getElementType();
  if (layout == Layout::Row)
    return {allocate({type.getRows()}, element), layout};
  if (layout == Layout::RowMajor)
    return {allocate({type.getRows(), type.getColumns()}, element), layout};
  return {allocate({type.getColumns(), type.getRows()}, element), layout};
}

void Emitter::bind(Value tile, Buffer buffer) {
  buffers[tile] = buffer;
  tenants[buffer.memref].push_back(tile);
}

Buffer Emitter::reuse(Value operand, Operation *op) {
  Buffer own = buffer(operand);
  bool dies = llvm::all_of(tenants.lookup(own.memref),
                           [&](Value tile) { return diesAt(tile, op); });
  return dies ? own : fresh(cast<TileType>(operand.getType()), own.layout);
}

/// Whether `user` can run after `op` in the same turn of their loops.
static bool runsAfter(Operation *user, Operation *op) {
  for (Operation *at = op; at; at = at->getParentOp())
    if (Operation *other = at->getBlock()->findAncestorOpInBlock(*user))
      return other != at && at->isBeforeInBlock(other);
  return true;
}

bool Emitter::diesAt(Value tile, Operation *op) const {
  // What a loop reads from outside of it is needed again in the next turn.
  for (auto loop = op->getParentOfType<TileForOp>();
       loop && !loop.getBody().isAncestor(tile.getParentRegion());
       loop = loop->getParentOfType<TileForOp>())
    for (Operation *user : tile.getUsers())
      if (loop.getBody().isAncestor(user->getParentRegion()))
        return false;
  return llvm::all_of(tile.getUsers(), [&](Operation *user) {
    return user == op || !runsAfter(user, op);
  });
}
