//===- DescribeFunction.cpp - The signature of a fused function -----------===//
#include "lib/Compile/Messages.h"
#include "tda/Compile.h"

#include "dialects/tda/Dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

#include <cstring>

using namespace mlir;
using namespace tda;

/// The operands, in the order of host::inputSpecs.
static SmallVector<Value> operandsInOrder(AttentionOp op) {
  SmallVector<Value> values{op.getQ1(),     op.getK1(),         op.getQ2(),
                            op.getK2(),     op.getV(),          op.getBeta(),
                            op.getLambda(), op.getKappaValue(), op.getOffset(),
                            op.getGain()};
  llvm::erase_if(values, [](Value value) { return !value; });
  return values;
}

/// What a function may hold as a constant.
static bool isCoefficient(StringRef name) {
  return llvm::is_contained({"beta", "lambda", "kappa", "offset", "gain"},
                            name);
}

/// The value of a constant of f32 numbers or of one i64.
static std::optional<host::HostTensor> constantOf(Value value) {
  Attribute attr;
  if (!matchPattern(value, m_Constant(&attr)))
    return std::nullopt;
  if (auto number = dyn_cast<IntegerAttr>(attr)) {
    if (!number.getType().isInteger(64))
      return std::nullopt;
    host::HostTensor scalar = host::HostTensor::zeros(DType::I64, {});
    int64_t integer = number.getInt();
    std::memcpy(scalar.data.data(), &integer, sizeof(integer));
    return scalar;
  }
  auto dense = dyn_cast<DenseFPElementsAttr>(attr);
  if (!dense || !dense.getElementType().isF32())
    return std::nullopt;
  std::vector<double> values;
  for (APFloat number : dense.getValues<APFloat>())
    values.push_back(number.convertToDouble());
  return host::HostTensor::fromValues(DType::F32, dense.getType().getShape(),
                                      values);
}

static void fixLengths(const host::ArgumentSpec &spec, Type type,
                       Signature &signature) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  for (size_t axis = 0; tensor && axis < spec.shape.size(); ++axis) {
    Length length;
    if (!tensor.isDynamicDim(axis) && parseLength(spec.shape[axis], length))
      signature.fixed[length] = tensor.getDimSize(axis);
  }
}

/// Enters one operand; an error where a caller could not give it.
static LogicalResult enter(AttentionOp op, const host::ArgumentSpec &spec,
                           Value value, Signature &signature) {
  fixLengths(spec, value.getType(), signature);
  OperandSource source;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    source.argument = argument.getArgNumber();
    host::ArgumentSpec &input = signature.inputs[source.argument];
    if (input.name.empty())
      input = spec;
    if (input.shape != spec.shape || input.dtype != spec.dtype)
      return op.emitError()
             << "argument " << source.argument << " is both '" << input.name
             << "' " << host::shapeText(input) << " and '" << spec.name << "' "
             << host::shapeText(spec) << "; give the function one for each";
  } else {
    bool mayBe = isCoefficient(spec.name);
    if (mayBe)
      source.constant = constantOf(value);
    if (!source.constant)
      return op.emitError()
             << "'" << spec.name << "' must be an argument of the function"
             << (mayBe ? " or a dense constant" : "");
  }
  signature.operands.push_back(std::move(source));
  return success();
}

static LogicalResult describe(func::FuncOp func, Signature &signature) {
  auto attentions = func.getOps<AttentionOp>();
  if (!llvm::hasSingleElement(attentions))
    return func.emitError("holds ")
           << std::distance(attentions.begin(), attentions.end())
           << " tda.attention ops; a function that is compiled holds one";
  AttentionOp op = *attentions.begin();
  signature = Signature();
  signature.problem = op.getProblem();
  std::string illegal = signature.problem.check();
  if (!illegal.empty())
    return op.emitError(illegal);
  signature.inputs.resize(func.getNumArguments());
  signature.outputs = host::outputSpecs(signature.problem);
  for (auto [spec, value] : llvm::zip_equal(host::inputSpecs(signature.problem),
                                            operandsInOrder(op)))
    if (failed(enter(op, spec, value, signature)))
      return failure();
  for (auto [spec, type] :
       llvm::zip_equal(signature.outputs, op->getResultTypes()))
    fixLengths(spec, type, signature);
  for (auto [i, input] : llvm::enumerate(signature.inputs))
    if (input.name.empty())
      return func.emitError("argument ")
             << i << " is no operand of tda.attention; remove it";
  Operation *end = func.getBody().front().getTerminator();
  if (end->getOperands() != op->getResults())
    return end->emitError(
        "must return the results of tda.attention, in their order");
  return success();
}

bool tda::describeFunction(const FusedFunction &function, Signature &signature,
                           std::string &messages) {
  MessageScope scope(function.module.get().getContext(), messages);
  auto func = *function.module.get().getOps<func::FuncOp>().begin();
  return succeeded(describe(func, signature));
}
