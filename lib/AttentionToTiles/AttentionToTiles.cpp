//===- AttentionToTiles.cpp - Lower tda.attention to the loop over tiles --===//
//
// Turns a function of one scheduled tda.attention into the algorithm: for each
// block of query rows, walk the key tiles that some row sees, score both views,
// test for survivors, and only where there are some threshold, subtract and
// aggregate. What is decided here holds for every target: which tiles are
// visited, which are masked, where a tile may be skipped. How a tile lies in
// registers or memory is the target's business.
//
// Before: verify-form `scheduled`. After: verify-form `tiles`.
//
//===----------------------------------------------------------------------===//
#include "tda/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_ATTENTIONTOTILES
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// A tensor that crosses the boundary: any strides, but a unit last one.
MemRefType boundaryType(RankedTensorType tensor) {
  MLIRContext *context = tensor.getContext();
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  if (tensor.getRank() == 0)
    return MemRefType::get({}, tensor.getElementType());
  strides.back() = 1;
  return MemRefType::get(
      tensor.getShape(), tensor.getElementType(),
      StridedLayoutAttr::get(context, ShapedType::kDynamic, strides));
}

/// The tensors and lengths of one attention, as values of the new function.
struct Boundary {
  Value q[2], k[2], v, beta, lambda, kappa, gain, o, survivors;
  Value batches, heads, keyHeads, queries, keys, offset;
};

class Builder {
public:
  Builder(OpBuilder &b, AttentionOp op, Boundary boundary)
      : b(b), loc(op.getLoc()), op(op), at(boundary),
        schedule(op.getSchedule()->toSchedule()), problem(op.getProblem()) {}

  void build();

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  TileType tile(ArrayRef<int64_t> shape, Type element) {
    return TileType::get(b.getContext(), shape, element);
  }
  TileType rowTile(Type element) { return tile({schedule.tileM}, element); }
  Type inputType() { return cast<MemRefType>(at.v.getType()).getElementType(); }
  IntegerAttr windowAttr() { return op.getWindowAttr(); }

  Value coefficient(Value memref, Value head);
  Value gate();
  Value queryTile(int view);
  void tileLoop();
  SmallVector<Value> maskEdges(ArrayRef<Value> scores, Value key);
  Value survives(ArrayRef<Value> scores);
  SmallVector<Value> live(ArrayRef<Value> scores, Value values,
                          ValueRange carried);
  void store(ValueRange results);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  Boundary at;
  Schedule schedule;
  Problem problem;
  // Of the program that is being built.
  Value batch, head, keyHead, row, tau, lambda, q[2];
};

void Builder::build() {
  auto program = TileProgramOp::create(b, loc, at.batches, at.heads, at.queries,
                                       *op.getSchedule(), *op.getTarget());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&program.getBody().front());
  batch = program.getBody().getArgument(0);
  head = program.getBody().getArgument(1);
  row = program.getBody().getArgument(2);
  Value perGroup = arith::DivUIOp::create(b, loc, at.heads, at.keyHeads);
  keyHead = arith::DivUIOp::create(b, loc, head, perGroup);
  tau = gate();
  if (at.lambda)
    lambda = coefficient(at.lambda, head);
  for (int view = 0; view < problem.views; ++view)
    q[view] = queryTile(view);
  tileLoop();
}

/// beta or lambda of this head: one value, or one a row.
Value Builder::coefficient(Value memref, Value head) {
  switch (cast<MemRefType>(memref.getType()).getRank()) {
  case 0:
    return memref::LoadOp::create(b, loc, memref, ValueRange{});
  case 1:
    return memref::LoadOp::create(b, loc, memref, head);
  default:
    return TileLoadOp::create(b, loc, rowTile(b.getF32Type()), memref, batch,
                              head, row, at.queries);
  }
}

Value Builder::gate() {
  Value kappa =
      at.kappa ? Value(memref::LoadOp::create(b, loc, at.kappa, ValueRange{}))
               : Value(arith::ConstantOp::create(
                     b, loc, b.getF32FloatAttr(float(problem.kappa))));
  return TileGateOp::create(b, loc, rowTile(b.getF32Type()),
                            coefficient(at.beta, head), kappa, row, at.keys,
                            at.offset, b.getI64IntegerAttr(problem.d),
                            op.getCausalAttr(), windowAttr());
}

Value Builder::queryTile(int view) {
  Value loaded =
      TileLoadOp::create(b, loc, tile({schedule.tileM, problem.d}, inputType()),
                         at.q[view], batch, head, row, at.queries);
  return problem.normalize
             ? Value(TileNormalizeOp::create(b, loc, loaded.getType(), loaded))
             : loaded;
}

void Builder::tileLoop() {
  auto span = TileSpanOp::create(b, loc, row, at.queries, at.keys, at.offset,
                                 b.getI64IntegerAttr(schedule.tileM),
                                 b.getI64IntegerAttr(schedule.tileN),
                                 op.getCausalAttr(), windowAttr());
  SmallVector<Value> inits{TileZeroOp::create(
      b, loc, tile({schedule.tileM, problem.dv}, b.getF32Type()))};
  if (problem.stats)
    for (int view = 0; view < problem.views; ++view)
      inits.push_back(TileZeroOp::create(b, loc, rowTile(b.getI32Type())));

  auto panel = [&](int64_t columns, PanelRole role) -> Type {
    return PanelType::get(b.getContext(), schedule.tileN, columns, inputType(),
                          role);
  };
  SmallVector<Value> sources;
  SmallVector<Type> panels;
  for (int view = 0; view < problem.views; ++view) {
    sources.push_back(at.k[view]);
    panels.push_back(panel(problem.d, PanelRole::Key));
  }
  sources.push_back(at.v);
  panels.push_back(panel(problem.dv, PanelRole::Value));

  auto loop =
      TileForOp::create(b, loc, span.getBegin(), span.getEnd(), at.keys, batch,
                        keyHead, schedule.tileN, sources, panels, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&loop.getBody().front());
    SmallVector<Value> keyPanels(loop.getPanels().drop_back());
    if (problem.normalize) {
      auto unit = PanelNormalizeOp::create(
          b, loc, TypeRange(ValueRange(keyPanels)), keyPanels);
      keyPanels.assign(unit.getResults().begin(), unit.getResults().end());
    }
    SmallVector<Value> scores;
    for (int view = 0; view < problem.views; ++view)
      scores.push_back(TileScoresOp::create(
          b, loc, tile({schedule.tileM, schedule.tileN}, b.getF32Type()),
          q[view], keyPanels[view]));
    // A tile that some row does not wholly see is masked; the others are not.
    Value key = loop.getKey();
    Value after = arith::AddIOp::create(b, loc, key, index(schedule.tileN));
    Value below = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key,
                                        span.getFullBegin());
    Value above = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                        after, span.getFullEnd());
    Value edge = arith::OrIOp::create(b, loc, below, above);
    auto masked =
        scf::IfOp::create(b, loc, TypeRange(ValueRange(scores)), edge, true);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(masked.thenBlock());
      scf::YieldOp::create(b, loc, maskEdges(scores, key));
      b.setInsertionPointToStart(masked.elseBlock());
      scf::YieldOp::create(b, loc, scores);
    }
    scores.assign(masked.getResults().begin(), masked.getResults().end());

    SmallVector<Value> next;
    Value values = loop.getPanels().back();
    if (schedule.skip == Skip::Never) {
      next = live(scores, values, loop.getCarried());
    } else {
      auto branch =
          scf::IfOp::create(b, loc, TypeRange(ValueRange(loop.getCarried())),
                            survives(scores), true);
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, loc, live(scores, values, loop.getCarried()));
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, loop.getCarried());
      next.assign(branch.getResults().begin(), branch.getResults().end());
    }
    b.setInsertionPointToEnd(&loop.getBody().front());
    TileYieldOp::create(b, loc, next);
  }
  store(loop.getResults());
}

SmallVector<Value> Builder::maskEdges(ArrayRef<Value> scores, Value key) {
  SmallVector<Value> masked;
  for (Value s : scores)
    masked.push_back(TileMaskOp::create(b, loc, s.getType(), s, row, key,
                                        at.keys, at.offset, op.getCausalAttr(),
                                        windowAttr()));
  return masked;
}

Value Builder::survives(ArrayRef<Value> scores) {
  return TileSurvivesOp::create(b, loc, b.getI1Type(), scores, tau);
}

/// What a tile with survivors does: the next values of the carried tiles.
SmallVector<Value> Builder::live(ArrayRef<Value> scores, Value values,
                                 ValueRange carried) {
  // Counting first: the scores die in the thresholds.
  SmallVector<Value> counts;
  for (auto [s, count] : llvm::zip(scores, carried.drop_front()))
    counts.push_back(
        TileCountOp::create(b, loc, count.getType(), s, tau, count));
  FloatAttr power = b.getF64FloatAttr(problem.power);
  SmallVector<Value> maps;
  for (Value s : scores)
    maps.push_back(TileThresholdOp::create(b, loc, s.getType(), s, tau, power));
  Value a = maps[0];
  if (problem.views == 2)
    a = TileDifferentialOp::create(b, loc, a.getType(), maps[0], maps[1],
                                   lambda);
  SmallVector<Value> next{TileAggregateOp::create(b, loc, carried[0].getType(),
                                                  a, values, carried[0])};
  next.append(counts);
  return next;
}

void Builder::store(ValueRange results) {
  Value o = results.front();
  if (at.gain)
    o = TileRmsNormOp::create(b, loc, o.getType(), o, at.gain,
                              b.getF64FloatAttr(problem.eps));
  TileStoreOp::create(b, loc, o, at.o, batch, head, row, at.queries,
                      IntegerAttr());
  for (auto [view, count] : llvm::enumerate(results.drop_front()))
    TileStoreOp::create(b, loc, count, at.survivors, batch, head, row,
                        at.queries, b.getI64IntegerAttr(view));
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// The one attention of a function that is nothing but a kernel; null with an
/// error when there is more in it.
FailureOr<AttentionOp> soleAttention(func::FuncOp func) {
  AttentionOp found;
  for (Operation &op : func.getBody().front()) {
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      if (found)
        return attention.emitError("a function may hold one tda.attention to "
                                   "be compiled; split this one");
      found = attention;
    } else if (!isa<func::ReturnOp, arith::ConstantOp>(op)) {
      return op.emitError() << "'" << op.getName()
                            << "' beside tda.attention: a kernel holds nothing "
                               "but one attention and constants";
    }
  }
  auto ret = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  if (ret.getOperands() != found->getResults())
    return ret.emitError(
        "must return the results of tda.attention, in their order");
  for (BlockArgument argument : func.getArguments())
    if (!llvm::is_contained(argument.getUsers(), found.getOperation()))
      return func.emitError("argument ")
             << argument.getArgNumber() << " is not used by tda.attention "
             << "(a constant lambda of 0 drops q2 and k2); remove it";
  return found;
}

/// Notes on each argument of the kernel what it is to the attention: what a
/// launcher calls it, and where its lengths come from.
void nameArguments(func::FuncOp kernel, func::FuncOp func, AttentionOp op) {
  bool two = op.getViews() == 2;
  auto name = [&](Value operand, StringRef text) {
    auto argument = dyn_cast_or_null<BlockArgument>(operand);
    if (argument && !kernel.getArgAttr(argument.getArgNumber(), kOperandAttr))
      kernel.setArgAttr(argument.getArgNumber(), kOperandAttr,
                        StringAttr::get(op.getContext(), text));
  };
  name(op.getQ1(), two ? "q1" : "q");
  name(op.getK1(), two ? "k1" : "k");
  name(op.getQ2(), "q2");
  name(op.getK2(), "k2");
  name(op.getV(), "v");
  name(op.getBeta(), "beta");
  name(op.getLambda(), "lambda");
  name(op.getKappaValue(), "kappa");
  name(op.getOffset(), "offset");
  name(op.getGain(), "gain");
  unsigned results = func.getNumArguments();
  name(kernel.getArgument(results), "o");
  if (op.getSurvivors())
    name(kernel.getArgument(results + 1), "survivors");
}

/// A read-only global with the constant's value, fetched at `b`.
Value globalOf(OpBuilder &b, func::FuncOp kernel, arith::ConstantOp constant) {
  auto dense = cast<DenseElementsAttr>(constant.getValue());
  auto type =
      MemRefType::get(dense.getType().getShape(), dense.getElementType());
  Operation *module = kernel->getParentOp();
  std::string name;
  for (unsigned i = 0;
       name.empty() || SymbolTable::lookupSymbolIn(module, name); ++i)
    name = (kernel.getName() + "_constant" + Twine(i)).str();
  OpBuilder before(kernel);
  memref::GlobalOp::create(before, constant.getLoc(), name,
                           b.getStringAttr("private"), type, dense,
                           /*constant=*/true, IntegerAttr());
  return memref::GetGlobalOp::create(b, constant.getLoc(), type, name);
}

LogicalResult lower(func::FuncOp func, AttentionOp op) {
  if (!op.getSchedule() || !op.getTarget())
    return op.emitError("has no schedule; run tda-assign-schedule first");
  OpBuilder b(func);
  Location loc = op.getLoc();
  SmallVector<Type> types;
  auto convert = [&](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor ? Type(boundaryType(tensor)) : type;
  };
  for (Type type : func.getArgumentTypes())
    types.push_back(convert(type));
  for (Type type : op.getResultTypes())
    types.push_back(convert(type));

  auto kernel = func::FuncOp::create(b, func.getLoc(), func.getName(),
                                     b.getFunctionType(types, {}));
  Block *entry = kernel.addEntryBlock();
  b.setInsertionPointToStart(entry);

  nameArguments(kernel, func, op);
  DenseMap<Value, Value> map;
  for (auto [tensor, memref] :
       llvm::zip(func.getArguments(), entry->getArguments()))
    map[tensor] = memref;
  // beta, lambda, kappa and gain may be constants: they become globals.
  auto operand = [&](Value value) -> Value {
    if (!value || map.count(value))
      return map.lookup(value);
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    return map[value] = globalOf(b, kernel, constant);
  };

  Boundary at;
  at.q[0] = operand(op.getQ1());
  at.k[0] = operand(op.getK1());
  at.q[1] = operand(op.getQ2());
  at.k[1] = operand(op.getK2());
  at.v = operand(op.getV());
  at.beta = operand(op.getBeta());
  at.lambda = operand(op.getLambda());
  at.kappa = operand(op.getKappaValue());
  at.gain = operand(op.getGain());
  at.o = entry->getArgument(func.getNumArguments());
  if (op.getSurvivors())
    at.survivors = entry->getArgument(func.getNumArguments() + 1);
  auto dim = [&](Value memref, int64_t axis) -> Value {
    return b.createOrFold<memref::DimOp>(loc, memref, axis);
  };
  at.batches = dim(at.q[0], 0);
  at.heads = dim(at.q[0], 1);
  at.queries = dim(at.q[0], 2);
  at.keyHeads = dim(at.k[0], 1);
  at.keys = dim(at.k[0], 2);
  if (op.getOffset() && map.lookup(op.getOffset()))
    at.offset = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                           map.lookup(op.getOffset()));
  else if (op.getOffset())
    at.offset = arith::IndexCastOp::create(
        b, loc, b.getIndexType(),
        b.clone(*op.getOffset().getDefiningOp())->getResult(0));
  else
    at.offset = arith::SubIOp::create(b, loc, at.keys, at.queries);

  Builder(b, op, at).build();
  func::ReturnOp::create(b, loc);
  func.erase();
  return success();
}

struct AttentionToTiles : tda::impl::AttentionToTilesBase<AttentionToTiles> {
  using AttentionToTilesBase::AttentionToTilesBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : functions) {
      if (func.isExternal() || func.getBody().getOps<AttentionOp>().empty())
        continue;
      FailureOr<AttentionOp> op = soleAttention(func);
      if (failed(op) || failed(lower(func, *op)))
        return signalPassFailure();
    }
  }
};

} // namespace
