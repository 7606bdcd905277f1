//===- StageShapes.cpp - What stage ops give, from actual shapes ----------===//
//
// Compiled loops take the shapes of their operands on trust. Before a function
// of stages runs, this walk finds the shape of every value and refuses shapes
// that do not go together.
//
//===----------------------------------------------------------------------===//
#include "tda/Compile.h"

#include "dialects/tda/Dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

using Extents = std::vector<int64_t>;

namespace {

class ShapeWalk {
public:
  std::string error; ///< Empty as long as everything fits.

  /// What `value` has at run time; a static extent of its type is a promise.
  void set(Value value, Extents shape) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    for (size_t axis = 0; type && axis < shape.size(); ++axis)
      if (!type.isDynamicDim(axis) && type.getDimSize(axis) != shape[axis] &&
          error.empty())
        error = "axis " + std::to_string(axis) + " of a tensor is declared " +
                std::to_string(type.getDimSize(axis)) + ", but is " +
                std::to_string(shape[axis]) + " with these arguments";
    shapes[value] = std::move(shape);
  }
  Extents get(Value value) const { return shapes.lookup(value); }

  void visit(Operation *op);

private:
  void fail(Operation *op, const Twine &what) {
    if (error.empty())
      error = ("'" + op->getName().getStringRef() + "': " + what).str();
  }
  /// Axis `i` of `a` and axis `j` of `b` must be equal.
  void same(Operation *op, Value a, int i, Value b, int j) {
    if (get(a)[i] != get(b)[j])
      fail(op, "axis " + Twine(i) + " of shape " + host::shapeText(get(a)) +
                   " and axis " + Twine(j) + " of shape " +
                   host::shapeText(get(b)) + " must be equal");
  }
  void sameShape(Operation *op, Value a, Value b) {
    if (get(a) != get(b))
      fail(op, "shapes " + host::shapeText(get(a)) + " and " +
                   host::shapeText(get(b)) + " must be equal");
  }
  void headsDivide(Operation *op, Value query, Value key) {
    int64_t heads = get(query)[1], keyHeads = get(key)[1];
    if (heads < 1 || keyHeads < 1 || heads % keyHeads)
      fail(op, "Hkv = " + Twine(keyHeads) +
                   " does not divide Hq = " + Twine(heads));
  }
  /// [], [Hq] or [B, Hq, Nq] beside a map or a query.
  void coefficient(Operation *op, Value c, Value map) {
    size_t rank = get(c).size();
    if (rank == 1)
      same(op, c, 0, map, 1);
    for (int axis = 0; rank == 3 && axis < 3; ++axis)
      same(op, c, axis, map, axis);
  }
  void scores(Operation *op, Value q, Value k) {
    same(op, q, 0, k, 0);
    headsDivide(op, q, k);
  }
  void attention(AttentionOp op);
  void other(Operation *op);

  llvm::DenseMap<Value, Extents> shapes;
};

void ShapeWalk::attention(AttentionOp op) {
  Value q = op.getQ1(), k = op.getK1(), v = op.getV();
  scores(op, q, k);
  for (int axis = 0; axis < 3; ++axis)
    same(op, v, axis, k, axis);
  if (op.getQ2()) {
    sameShape(op, op.getQ2(), q);
    sameShape(op, op.getK2(), k);
    coefficient(op, op.getLambda(), q);
  }
  coefficient(op, op.getBeta(), q);
  Extents shape = get(q);
  set(op.getO(), {shape[0], shape[1], shape[2], get(v)[3]});
  if (op.getSurvivors())
    set(op.getSurvivors(), {op.getViews(), shape[0], shape[1], shape[2]});
}

/// Scalars, constants and elementwise arithmetic.
void ShapeWalk::other(Operation *op) {
  if (isa<CallOpInterface>(op))
    return fail(op, "only straight code without calls can run");
  Value first;
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType()))
      continue;
    if (first)
      sameShape(op, first, operand);
    first = operand;
  }
  for (Value result : op->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || type.hasStaticShape())
      set(result, type ? Extents(type.getShape()) : Extents());
    else if (first && op->hasTrait<OpTrait::Elementwise>())
      set(result, get(first));
    else
      fail(op, "the shape of its result is not known before it runs");
  }
}

void ShapeWalk::visit(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<NormalizeOp>([&](auto o) { set(o.getY(), get(o.getX())); })
      .Case<ScoresOp>([&](auto o) {
        Extents q = get(o.getQ());
        scores(o, o.getQ(), o.getK());
        set(o.getS(), {q[0], q[1], q[2], get(o.getK())[2]});
      })
      .Case<ThresholdOp>([&](auto o) {
        coefficient(o, o.getBeta(), o.getS());
        set(o.getA(), get(o.getS()));
      })
      .Case<DifferentialOp>([&](auto o) {
        sameShape(o, o.getA1(), o.getA2());
        coefficient(o, o.getLambda(), o.getA1());
        set(o.getA(), get(o.getA1()));
      })
      .Case<AggregateOp>([&](auto o) {
        Extents a = get(o.getA());
        same(o, o.getA(), 0, o.getV(), 0);
        same(o, o.getA(), 3, o.getV(), 2);
        headsDivide(o, o.getA(), o.getV());
        set(o.getO(), {a[0], a[1], a[2], get(o.getV())[3]});
      })
      .Case<RmsNormOp>([&](auto o) { set(o.getY(), get(o.getX())); })
      .Case<CountSurvivorsOp>([&](auto o) {
        Value map = o.getMaps().front();
        for (Value other : o.getMaps())
          sameShape(o, map, other);
        Extents shape = get(map);
        set(o.getCounts(),
            {int64_t(o.getMaps().size()), shape[0], shape[1], shape[2]});
      })
      .Case<AttentionOp>([&](auto o) { attention(o); })
      .Default([&](Operation *o) { other(o); });
}

} // namespace

/// The one function of `module`, if it is straight code.
static func::FuncOp onlyFunction(ModuleOp module, std::string &error) {
  func::FuncOp func = *module.getOps<func::FuncOp>().begin();
  if (llvm::hasSingleElement(func.getBody()))
    return func;
  error = ("function '" + func.getName() +
           "' has control flow; only straight code can run")
              .str();
  return nullptr;
}

bool tda::inferResults(ModuleOp module,
                       const std::vector<const host::HostTensor *> &inputs,
                       std::vector<host::HostTensor> &results,
                       std::string &error) {
  func::FuncOp func = onlyFunction(module, error);
  if (!func)
    return false;
  ShapeWalk walk;
  for (auto [argument, tensor] : llvm::zip_equal(func.getArguments(), inputs))
    walk.set(argument, tensor->shape);
  Block &body = func.getBody().front();
  for (Operation &op : body.without_terminator()) {
    walk.visit(&op);
    if (!walk.error.empty()) {
      error = walk.error;
      return false;
    }
  }
  for (Value value : body.getTerminator()->getOperands()) {
    DType dtype;
    if (!isa<RankedTensorType>(value.getType()) ||
        !dtypeOf(getElementTypeOrSelf(value.getType()), dtype)) {
      error = "a result is not a tensor of f32, bf16, f16, i32 or i64";
      return false;
    }
    Extents shape = walk.get(value);
    int64_t count;
    if (!host::checkedNumElements(shape, dtypeSize(dtype), count)) {
      error = "a result of shape " + host::shapeText(shape) + " is too large";
      return false;
    }
    results.push_back(host::HostTensor::zeros(dtype, shape));
  }
  return true;
}

bool tda::inputsByType(ModuleOp module, std::vector<host::ArgumentSpec> &inputs,
                       std::string &error) {
  func::FuncOp func = onlyFunction(module, error);
  if (!func)
    return false;
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    host::ArgumentSpec spec;
    spec.name = "argument " + std::to_string(i);
    if (!dtypeOf(getElementTypeOrSelf(type), spec.dtype)) {
      error = spec.name + " is no tensor of f32, bf16, f16, i32 or i64, nor "
                          "such a number";
      return false;
    }
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      for (int64_t extent : tensor.getShape())
        spec.shape.push_back(
            ShapedType::isDynamic(extent) ? "?" : std::to_string(extent));
    inputs.push_back(std::move(spec));
  }
  return true;
}
