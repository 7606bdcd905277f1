//===- KernelSignature.cpp - The parameters of a kernel -------------------===//
#include "lib/TilesToNVVM/KernelSignature.h"

#include "lib/AttentionToTiles/UnitRows.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tda;

namespace {

/// Collects the parameters, then hands out the block arguments.
class Parameters {
public:
  explicit Parameters(OpBuilder &b) : b(b) {}

  unsigned add(Type type, const Twine &description) {
    types.push_back(type);
    descriptions.push_back(b.getStringAttr(description));
    return types.size() - 1;
  }
  ArrayRef<Type> getTypes() const { return types; }
  ArrayAttr getDescriptions() { return b.getArrayAttr(descriptions); }

private:
  OpBuilder &b;
  SmallVector<Type> types;
  SmallVector<Attribute> descriptions;
};

/// Where the pieces of one tensor stand in the parameter list; -1: not there.
struct TensorSlots {
  int pointer = -1;
  SmallVector<int> strides;
};

} // namespace

static StringRef operandName(func::FuncOp func, unsigned index) {
  auto name = func.getArgAttrOfType<StringAttr>(index, kOperandAttr);
  return name ? name.getValue() : StringRef();
}

/// The offset of an argument that lies in the workspace; else null.
static StringAttr workspaceOffset(func::FuncOp func, unsigned index) {
  return func.getArgAttrOfType<StringAttr>(index, kWorkspaceAttr);
}

static bool isMapped(ArrayRef<MapRequest> maps, Value tensor) {
  return llvm::any_of(
      maps, [&](const MapRequest &map) { return map.tensor == tensor; });
}

/// The name of a tensor map, and what LaunchFacts.h wants to hear of it.
static std::pair<std::string, std::string> mapRecipe(func::FuncOp func,
                                                     const MapRequest &map) {
  unsigned index = cast<BlockArgument>(map.tensor).getArgNumber();
  std::string like = operandName(func, index).str();
  std::string box = " rows " + std::to_string(map.rows) + " columns 64";
  StringAttr offset = workspaceOffset(func, index);
  if (!offset)
    return {like, like + " argument " + like + box};
  std::string name = "workspace_" + like;
  return {name, name + " workspace " + like + box + " offset " + offset.str()};
}

/// The strides of a contiguous tensor, in elements.
static SmallVector<Value> contiguousStrides(OpBuilder &b, Location loc,
                                            ArrayRef<Value> sizes) {
  if (sizes.empty())
    return {};
  Type i64 = b.getI64Type();
  SmallVector<Value> strides{
      LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(1))};
  for (Value size : llvm::reverse(sizes.drop_front()))
    strides.push_back(LLVM::MulOp::create(
        b, loc, strides.back(), LLVM::SExtOp::create(b, loc, i64, size)));
  std::reverse(strides.begin(), strides.end());
  return strides;
}

FailureOr<KernelSignature> tda::createKernel(OpBuilder &b, func::FuncOp func,
                                             ArrayRef<MapRequest> maps) {
  MLIRContext *context = b.getContext();
  Location loc = func.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(context, 1);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();

  Parameters parameters(b);
  DenseMap<unsigned, TensorSlots> slots;
  DenseMap<unsigned, unsigned> scalarSlots;
  llvm::MapVector<StringRef, unsigned> lengthSlots;
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    StringRef name = operandName(func, i);
    if (name.empty())
      return func.emitError("argument ") << i << " carries no " << kOperandAttr
                                         << "; tda-attention-to-tiles sets it";
    auto memref = dyn_cast<MemRefType>(type);
    if (memref && (!memref.isStrided() || memref.getRank() > 4))
      return func.emitError("argument ")
             << i << " of type " << type
             << " is no strided memref of at most 4 dimensions";
    StringAttr offset = workspaceOffset(func, i);
    if (memref && !offset)
      slots[i].pointer = parameters.add(pointer, "ptr " + name);
    else if (memref && !isMapped(maps, func.getArgument(i)))
      slots[i].pointer = parameters.add(pointer, "ws " + offset.getValue());
    else if (!memref && !type.isInteger(64))
      return func.emitError("argument ")
             << i << " of type " << type << " cannot be a kernel parameter";
  }
  for (StringRef length : {"B", "Hq", "Hkv", "Nq", "Nk"})
    lengthSlots[length] = parameters.add(i32, "i32 " + length);
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    StringRef name = operandName(func, i);
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref) {
      scalarSlots[i] = parameters.add(i64, "i64 " + name);
      continue;
    }
    if (workspaceOffset(func, i))
      continue;
    auto [strides, offset] = memref.getStridesAndOffset();
    for (auto [axis, stride] : llvm::enumerate(strides))
      slots[i].strides.push_back(
          ShapedType::isDynamic(stride)
              ? int(parameters.add(i64, "i64 " + name + " " + Twine(axis)))
              : -1);
  }

  Type generic = LLVM::LLVMPointerType::get(context);
  SmallVector<unsigned> mapSlots;
  SmallVector<Attribute> mapRecipes;
  for (const MapRequest &map : maps) {
    auto [name, recipe] = mapRecipe(func, map);
    mapSlots.push_back(parameters.add(generic, "map " + name));
    mapRecipes.push_back(b.getStringAttr(recipe));
  }

  KernelSignature result;
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          parameters.getTypes());
  b.setInsertionPoint(func);
  result.kernel = LLVM::LLVMFuncOp::create(b, loc, func.getName(), type);
  result.kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                         b.getUnitAttr());
  NamedAttrList launch;
  launch.set("params", parameters.getDescriptions());
  if (!maps.empty())
    launch.set("maps", b.getArrayAttr(mapRecipes));
  if (Attribute bytes = func->getAttr(kWorkspaceAttr))
    launch.set("workspace", bytes);
  result.kernel->setAttr(kLaunchAttr, launch.getDictionary(context));
  Block *entry = result.kernel.addEntryBlock(b);
  b.setInsertionPointToStart(entry);

  // 128 bytes by value; the copies take their address (PTX ISA, "Tensor map").
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 128);
  for (auto [map, slot] : llvm::zip(maps, mapSlots)) {
    result.maps[map.tensor] = entry->getArgument(slot);
    result.kernel.setArgAttr(slot, LLVM::LLVMDialect::getByValAttrName(),
                             TypeAttr::get(bytes));
    result.kernel.setArgAttr(slot, LLVM::LLVMDialect::getAlignAttrName(),
                             b.getI64IntegerAttr(64));
    result.kernel.setArgAttr(slot, NVVM::NVVMDialect::getGridConstantAttrName(),
                             b.getUnitAttr());
  }
  for (auto &[name, slot] : lengthSlots)
    result.lengths[name] = entry->getArgument(slot);
  for (BlockArgument argument : func.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto memref = dyn_cast<MemRefType>(argument.getType());
    if (!memref) {
      result.scalars[argument] = entry->getArgument(scalarSlots[i]);
      continue;
    }
    GlobalTensor tensor;
    tensor.elementType = memref.getElementType();
    if (int slot = slots[i].pointer; slot >= 0) {
      tensor.pointer = entry->getArgument(slot);
      result.kernel.setArgAttr(slot, LLVM::LLVMDialect::getNoAliasAttrName(),
                               b.getUnitAttr());
    }
    StringRef name = operandName(func, i);
    for (int64_t axis = 0; axis < memref.getRank(); ++axis) {
      int64_t size = memref.getDimSize(axis);
      tensor.sizes.push_back(
          ShapedType::isDynamic(size)
              ? result.length(lengthName(name, memref.getRank(), axis))
              : LLVM::ConstantOp::create(b, loc, i32,
                                         b.getI32IntegerAttr(size)));
    }
    auto [strides, offset] = memref.getStridesAndOffset();
    for (auto [stride, slot] : llvm::zip(strides, slots[i].strides))
      tensor.strides.push_back(
          slot >= 0 ? Value(entry->getArgument(slot))
                    : Value(LLVM::ConstantOp::create(
                          b, loc, i64, b.getI64IntegerAttr(stride))));
    if (workspaceOffset(func, i))
      tensor.strides = contiguousStrides(b, loc, tensor.sizes);
    result.tensors[argument] = tensor;
  }
  return result;
}
