//===- Shapes.cpp - Shape checks that name what is wrong ------------------===//
#include "dialects/tda/Shapes.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace tda;

static bool isInput(Type type) {
  return type.isF32() || type.isBF16() || type.isF16();
}

static StringRef kindName(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::I32:
    return "i32";
  default:
    return "f32, bf16 or f16";
  }
}

LogicalResult ShapeChecker::attributes() {
  for (NamedAttribute attribute : op->getDiscardableAttrs()) {
    if (attribute.getName().getValue().contains('.'))
      continue;
    std::string known;
    for (StringAttr name : op->getName().getAttributeNames())
      if (name.getValue() != "operandSegmentSizes")
        known += (known.empty() ? "" : ", ") + name.str();
    return op->emitOpError()
           << "unknown attribute '" << attribute.getName().getValue() << "'; "
           << (known.empty() ? "it has none" : "known: " + known);
  }
  return success();
}

LogicalResult ShapeChecker::tensor(StringRef name, Type type,
                                   ArrayRef<std::string> extents,
                                   ElementKind kind) {
  auto t = dyn_cast<RankedTensorType>(type);
  std::string wanted = "[" + llvm::join(extents, ", ") + "]";
  if (!t || t.getRank() != int64_t(extents.size()))
    return op->emitOpError()
           << name << " must be a tensor " << wanted << ", but is " << type;
  Type element = t.getElementType();
  bool ok = kind == ElementKind::F32   ? element.isF32()
            : kind == ElementKind::I32 ? element.isInteger(32)
                                       : isInput(element);
  if (!ok)
    return op->emitOpError() << name << " must have elements of type "
                             << kindName(kind) << ", but is " << type;
  if (kind == ElementKind::Input && !input)
    input = element;
  bool differs = input && element != input;
  if ((kind == ElementKind::SameInput && differs) ||
      (kind == ElementKind::InputOrF32 && differs && !element.isF32()))
    return op->emitOpError() << name << " has elements of type " << element
                             << ", but the inputs are " << input;
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    int64_t size = t.getDimSize(axis);
    if (ShapedType::isDynamic(size)) {
      if (extent == "D" || extent == "Dv")
        return op->emitOpError() << name << " must have a static " << extent
                                 << ", but is " << type;
      continue;
    }
    if (size == 0 && (extent == "D" || extent == "Dv"))
      return op->emitOpError()
             << name << " has " << extent << " = 0; it must be at least 1";
    int64_t number;
    if (llvm::to_integer(StringRef(extent), number)) {
      if (number != size)
        return op->emitOpError()
               << name << " must be " << wanted << ", but is " << type;
      continue;
    }
    auto [it, fresh] = bound.try_emplace(extent, size, name.str());
    if (!fresh && it->second.first != size)
      return op->emitOpError() << name << " has " << extent << " = " << size
                               << ", but " << it->second.second << " has "
                               << extent << " = " << it->second.first;
  }
  return success();
}

LogicalResult ShapeChecker::coefficient(StringRef name, Type type,
                                        int64_t maxRank) {
  auto t = dyn_cast<RankedTensorType>(type);
  int64_t rank = t ? t.getRank() : -1;
  if (rank == 0)
    return tensor(name, type, {}, ElementKind::F32);
  if (rank == 1 && maxRank >= 1)
    return tensor(name, type, {"Hq"}, ElementKind::F32);
  if (rank == 3 && maxRank >= 3)
    return tensor(name, type, {"B", "Hq", "Nq"}, ElementKind::F32);
  StringRef shapes = maxRank == 0   ? "[]"
                     : maxRank == 1 ? "[] or [Hq]"
                                    : "[], [Hq] or [B, Hq, Nq]";
  return op->emitOpError() << name << " must be an f32 tensor " << shapes
                           << ", but is " << type;
}

LogicalResult ShapeChecker::headsDivide() {
  auto q = bound.find("Hq"), kv = bound.find("Hkv");
  if (q == bound.end() || kv == bound.end())
    return success();
  int64_t heads = q->second.first, kvHeads = kv->second.first;
  if (kvHeads == 0 ? heads != 0 : heads % kvHeads != 0)
    return op->emitOpError()
           << "Hkv = " << kvHeads << " does not divide Hq = " << heads;
  return success();
}

LogicalResult ShapeChecker::window(std::optional<uint64_t> window) {
  if (window && int64_t(*window) < 1)
    return op->emitOpError()
           << "window = " << int64_t(*window) << " must be at least 1 key";
  return success();
}

LogicalResult ShapeChecker::numbers(double power, double kappa, double eps) {
  if (!(power >= 1) || !std::isfinite(power))
    return op->emitOpError()
           << "power = " << power << " must be a finite number, at least 1";
  if (!(kappa > 0) || !std::isfinite(kappa))
    return op->emitOpError()
           << "kappa = " << kappa << " must be a finite number above 0";
  if (!(eps >= 0) || !std::isfinite(eps))
    return op->emitOpError()
           << "eps = " << eps << " must be a finite number, at least 0";
  return success();
}
