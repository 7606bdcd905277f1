//===- AttentionToTiles.cpp - Lower tda.attention to the loop over tiles --===//
//
// Turns a function of one scheduled tda.attention into the algorithm: for each
// block of query rows, walk the key tiles that some row sees, score both views,
// test for survivors, and only where there are some threshold, subtract and
// aggregate. What is decided here holds for every target: which tiles are
// visited, which are masked, where a tile may be skipped. How a tile lies in
// registers or memory is the target's business. On the wgmma path `normalize`
// becomes a function of its own (UnitRows.h).
//
// Before: verify-form `scheduled`. After: verify-form `tiles`.
//
//===----------------------------------------------------------------------===//
#include "lib/AttentionToTiles/TileLoop.h"
#include "lib/AttentionToTiles/UnitRows.h"
#include "tda/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_ATTENTIONTOTILES
#include "lib/Passes/Passes.h.inc"
} // namespace tda

MemRefType tda::boundaryType(RankedTensorType tensor) {
  MLIRContext *context = tensor.getContext();
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  if (tensor.getRank() == 0)
    return MemRefType::get({}, tensor.getElementType());
  strides.back() = 1;
  return MemRefType::get(
      tensor.getShape(), tensor.getElementType(),
      StridedLayoutAttr::get(context, ShapedType::kDynamic, strides));
}

MemRefType tda::workspaceType(RankedTensorType tensor) {
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

namespace {

/// The one attention of a function that is nothing but a kernel; null with an
/// error when there is more in it.
FailureOr<AttentionOp> soleAttention(func::FuncOp func) {
  if (!llvm::hasSingleElement(func.getBody()))
    return func.emitError("has control flow: a kernel holds nothing but one "
                          "attention and constants");
  AttentionOp found;
  for (Operation &op : func.getBody().front()) {
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      if (found)
        return attention.emitError("a function may hold one tda.attention to "
                                   "be compiled; split this one");
      found = attention;
    } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (!isa<DenseElementsAttr, IntegerAttr>(constant.getValue()))
        return constant.emitError("a constant of a kernel must be written out "
                                  "as dense<...>, not as a resource");
    } else if (!isa<func::ReturnOp>(op)) {
      return op.emitError() << "'" << op.getName()
                            << "' beside tda.attention: a kernel holds nothing "
                               "but one attention and constants";
    }
  }
  DenseFPElementsAttr kappa;
  if (found.getKappaValue() &&
      matchPattern(found.getKappaValue(), m_Constant(&kappa)) &&
      !(kappa.getSplatValue<APFloat>().convertToDouble() > 0))
    return found.emitError("kappa must be a finite number above 0");
  auto ret = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  if (ret.getOperands() != found->getResults())
    return ret.emitError(
        "must return the results of tda.attention, in their order");
  for (BlockArgument argument : func.getArguments())
    if (!llvm::is_contained(argument.getUsers(), found.getOperation()))
      return func.emitError("argument ")
             << argument.getArgNumber() << " is not used by tda.attention "
             << "and has no place in a kernel; remove it";
  return found;
}

/// Notes on each argument of the function what it is to the attention: what a
/// launcher calls it, and where its lengths come from.
void nameArguments(func::FuncOp func, AttentionOp op) {
  bool two = op.getViews() == 2;
  auto name = [&](Value operand, StringRef text) {
    auto argument = dyn_cast_or_null<BlockArgument>(operand);
    if (argument && !func.getArgAttr(argument.getArgNumber(), kOperandAttr))
      func.setArgAttr(argument.getArgNumber(), kOperandAttr,
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
}

/// The function of memrefs that takes the place of `func`: its arguments, then
/// its results, with what is noted on them.
func::FuncOp createKernel(OpBuilder &b, func::FuncOp func, AttentionOp op) {
  SmallVector<Type> types;
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    bool inWorkspace = bool(func.getArgAttr(i, kWorkspaceAttr));
    types.push_back(!tensor       ? type
                    : inWorkspace ? Type(workspaceType(tensor))
                                  : Type(boundaryType(tensor)));
  }
  for (Type type : op.getResultTypes())
    types.push_back(boundaryType(cast<RankedTensorType>(type)));
  auto kernel = func::FuncOp::create(b, func.getLoc(), func.getName(),
                                     b.getFunctionType(types, {}));
  unsigned results = func.getNumArguments();
  for (unsigned i = 0; i < results; ++i)
    for (StringRef note : {kOperandAttr, kWorkspaceAttr})
      if (Attribute attr = func.getArgAttr(i, note))
        kernel.setArgAttr(i, note, attr);
  kernel.setArgAttr(results, kOperandAttr, b.getStringAttr("o"));
  if (op.getSurvivors())
    kernel.setArgAttr(results + 1, kOperandAttr, b.getStringAttr("survivors"));
  if (Attribute bytes = func->getAttr(kWorkspaceAttr))
    kernel->setAttr(kWorkspaceAttr, bytes);
  return kernel;
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
  nameArguments(func, op);
  bool boxes = op.getSchedule()->toSchedule().path == Path::Wgmma;
  if (boxes && op.getNormalize() && failed(splitUnitRows(func, op)))
    return failure();

  OpBuilder b(func);
  Location loc = op.getLoc();
  func::FuncOp kernel = createKernel(b, func, op);
  Block *entry = kernel.addEntryBlock();
  b.setInsertionPointToStart(entry);

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

  buildTileProgram(b, op, at);
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
