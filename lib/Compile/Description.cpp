//===- Description.cpp - Descriptions from text and from words ------------===//
#include "lib/Compile/Messages.h"
#include "tda/Compile.h"

#include "dialects/tda/Dialect.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace tda;

std::unique_ptr<MLIRContext> tda::makeContext() {
  DialectRegistry registry;
  registerDialects(registry);
  // One small module at a time: threads would cost more than they give.
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  // The source line under a message says it better than the generic op.
  context->printOpOnDiagnostic(false);
  return context;
}

static Type elementType(Builder &b, DType type) {
  switch (type) {
  case DType::F32:
    return b.getF32Type();
  case DType::BF16:
    return b.getBF16Type();
  case DType::F16:
    return b.getF16Type();
  case DType::I32:
    return b.getI32Type();
  case DType::I64:
    return b.getI64Type();
  }
  llvm_unreachable("every dtype is listed");
}

/// An i64 is a scalar, all else a tensor whose lengths are dynamic.
static Type typeOf(Builder &b, const host::ArgumentSpec &spec) {
  Type element = elementType(b, spec.dtype);
  if (spec.dtype == DType::I64)
    return element;
  SmallVector<int64_t> shape;
  for (const std::string &extent : spec.shape) {
    int64_t number;
    bool isNumber = llvm::to_integer(StringRef(extent), number);
    shape.push_back(isNumber ? number : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, element);
}

static SmallVector<Type> typesOf(Builder &b,
                                 ArrayRef<host::ArgumentSpec> specs) {
  return llvm::map_to_vector(
      specs, [&](const host::ArgumentSpec &spec) { return typeOf(b, spec); });
}

OwningOpRef<ModuleOp> tda::buildDescription(MLIRContext &context,
                                            const Problem &problem,
                                            StringRef name) {
  context.loadDialect<TdaDialect, func::FuncDialect>();
  OpBuilder b(&context);
  Location loc = FileLineColLoc::get(&context, "--attention", 1, 1);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToStart(module->getBody());
  std::vector<host::ArgumentSpec> inputs = host::inputSpecs(problem);
  SmallVector<Type> results = typesOf(b, host::outputSpecs(problem));
  auto func = func::FuncOp::create(
      b, loc, name, b.getFunctionType(typesOf(b, inputs), results));
  b.setInsertionPointToStart(func.addEntryBlock());

  auto operand = [&](StringRef wanted) -> Value {
    for (auto [i, spec] : llvm::enumerate(inputs))
      if (spec.name == wanted)
        return func.getArgument(i);
    return Value();
  };
  bool two = problem.views == 2;
  auto attention = AttentionOp::create(
      b, loc, results[0], problem.stats ? results[1] : Type(),
      operand(two ? "q1" : "q"), operand(two ? "k1" : "k"), operand("q2"),
      operand("k2"), operand("v"), operand("beta"), operand("lambda"),
      operand("kappa"), operand("offset"), operand("gain"), problem.causal,
      problem.window ? b.getI64IntegerAttr(problem.window) : IntegerAttr(),
      APFloat(problem.power), problem.normalize, problem.unit,
      APFloat(problem.kappa), APFloat(problem.eps),
      /*max_length=*/IntegerAttr(), ScheduleAttr(), TargetAttr());
  func::ReturnOp::create(b, loc, attention.getResults());
  return module;
}

OwningOpRef<ModuleOp> tda::loadDescription(MLIRContext &context, StringRef path,
                                           std::string &messages) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    messages += ("error: cannot read '" + path +
                 "': " + buffer.getError().message() + "\n")
                    .str();
    return nullptr;
  }
  llvm::MemoryBufferRef text = (*buffer)->getMemBufferRef();
  if (!isBytecode(text) && !llvm::json::isUTF8(text.getBuffer())) {
    messages += ("error: '" + path +
                 "' holds neither MLIR text (it is not "
                 "UTF-8) nor MLIR bytecode\n")
                    .str();
    return nullptr;
  }
  MessageScope scope(&context, messages);
  scope.sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(scope.sources, ParserConfig(&context));
}

bool tda::addSurvivors(FusedFunction &function, std::string &messages) {
  auto func = *function.module->getOps<func::FuncOp>().begin();
  auto attentions = func.getOps<AttentionOp>();
  AttentionOp op = *attentions.begin();
  if (op.getSurvivors())
    return true;
  MessageScope scope(func.getContext(), messages);
  Operation *end = func.getBody().front().getTerminator();
  if (!llvm::hasSingleElement(attentions) ||
      end->getOperands() != op->getResults()) {
    op.emitError("survivors can be added to a function that returns its only "
                 "tda.attention");
    return false;
  }
  OpBuilder b(op);
  auto o = cast<RankedTensorType>(op.getO().getType());
  SmallVector<int64_t> shape{op.getViews()};
  llvm::append_range(shape, o.getShape().drop_back());
  SmallVector<Type> results{o, RankedTensorType::get(shape, b.getI32Type())};
  auto counted = AttentionOp::create(b, op.getLoc(), results, op->getOperands(),
                                     op->getAttrs());
  op.getO().replaceAllUsesWith(counted.getO());
  end->insertOperands(1, counted.getSurvivors());
  op.erase();
  func.setFunctionType(b.getFunctionType(func.getArgumentTypes(), results));
  return true;
}

OwningOpRef<ModuleOp> tda::selectFunction(ModuleOp module, StringRef name,
                                          std::string &messages) {
  func::FuncOp chosen;
  unsigned count = 0;
  std::string names;
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isExternal())
      continue;
    ++count;
    names += (names.empty() ? "" : ", ") + func.getName().str();
    if (name.empty() || func.getName() == name)
      chosen = func;
  }
  if (!chosen || (name.empty() && count > 1)) {
    if (count == 0)
      messages += "error: the description holds no function\n";
    else if (chosen)
      messages += "error: the description holds " + std::to_string(count) +
                  " functions; choose with --function: " + names + "\n";
    else
      messages += ("error: the description holds no function '" + name +
                   "'; it has: " + names + "\n")
                      .str();
    return nullptr;
  }
  OwningOpRef<ModuleOp> result = ModuleOp::create(module.getLoc());
  result->push_back(chosen.clone());
  return result;
}
