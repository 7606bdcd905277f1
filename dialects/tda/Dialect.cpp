//===- Dialect.cpp - Attributes, types and the dialect itself -------------===//
#include "dialects/tda/Dialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

#include "dialects/tda/DialectDefs.cpp.inc"
#include "dialects/tda/Enums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tda/Attrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/tda/Types.cpp.inc"

void TdaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/tda/Attrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tda/Types.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/tda/Ops.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

// The enums of the attribute list the same values in the same order as those of
// include/tda/Schedule.h; a path of a GPU comes after the CPU's.
static Schedule scheduleOf(int64_t tileM, int64_t tileN, int64_t stages,
                           int64_t warps, SkipPolicy skip, int64_t group,
                           GpuPath path, GridKind grid, bool force) {
  return {tileM,
          tileN,
          stages,
          warps,
          Skip(skip),
          group,
          path == GpuPath::Wgmma ? Path::Wgmma : Path::MmaSync,
          Grid(grid),
          force};
}

Schedule ScheduleAttr::toSchedule() const {
  return scheduleOf(getTileM(), getTileN(), getStages(), getWarps(), getSkip(),
                    getGroup(), getPath(), getGrid(), getForce());
}

ScheduleAttr ScheduleAttr::get(MLIRContext *context, const Schedule &s) {
  return get(context, s.tileM, s.tileN, s.stages, s.warps, SkipPolicy(s.skip),
             s.group, s.path == Path::Wgmma ? GpuPath::Wgmma : GpuPath::MmaSync,
             GridKind(s.grid), s.force);
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t tileM, int64_t tileN, int64_t stages,
                                   int64_t warps, SkipPolicy skip,
                                   int64_t group, GpuPath path, GridKind grid,
                                   bool force) {
  std::string why = whyMalformed(
      scheduleOf(tileM, tileN, stages, warps, skip, group, path, grid, force));
  if (!why.empty())
    return emitError() << "schedule: " << why;
  return success();
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef name, int64_t vectorBits) {
  std::string error;
  const Target *target = findTarget(name.str(), error);
  if (!target)
    return emitError() << error;
  bool cpu = target->path == Path::Vector;
  if (vectorBits != 0 && !cpu)
    return emitError() << "vector_bits belongs to the CPU target, not to "
                       << name;
  if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 &&
      vectorBits != 512)
    return emitError() << "vector_bits = " << vectorBits
                       << " must be 128, 256 or 512";
  return success();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static LogicalResult verifyShape(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType) {
  for (int64_t extent : shape)
    if (extent <= 0)
      return emitError() << "extents must be static and at least 1";
  DType type;
  if (!dtypeOf(elementType, type))
    return emitError() << "element type " << elementType
                       << " is none of f32, bf16, f16, i32";
  return success();
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type elementType) {
  if (shape.size() != 1 && shape.size() != 2)
    return emitError() << "a tile has one or two dimensions, not "
                       << shape.size();
  return verifyShape(emitError, shape, elementType);
}

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    shape, element);
}

void TileType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t extent : getShape())
    printer << extent << 'x';
  printer << getElementType() << '>';
}

LogicalResult PanelType::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t rows, int64_t columns, Type elementType,
                                PanelRole role) {
  return verifyShape(emitError, {rows, columns}, elementType);
}

Type PanelType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  StringRef role;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseComma() ||
      parser.parseKeyword(&role) || parser.parseGreater())
    return {};
  auto parsed = symbolizePanelRole(role);
  if (!parsed || shape.size() != 2) {
    parser.emitError(loc) << "expected <ROWSxCOLUMNSxTYPE, key|value>";
    return {};
  }
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    shape[0], shape[1], element, *parsed);
}

void PanelType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getColumns() << 'x' << getElementType()
          << ", " << stringifyPanelRole(getRole()) << '>';
}

bool tda::isTile(Type type, unsigned rank) {
  auto tile = dyn_cast<TileType>(type);
  return tile && tile.getShape().size() == rank;
}

bool tda::dtypeOf(Type type, DType &dtype) {
  if (type.isF32())
    dtype = DType::F32;
  else if (type.isBF16())
    dtype = DType::BF16;
  else if (type.isF16())
    dtype = DType::F16;
  else if (type.isInteger(32))
    dtype = DType::I32;
  else if (type.isInteger(64))
    dtype = DType::I64;
  else
    return false;
  return true;
}

StringRef tda::lengthName(StringRef name, int64_t rank, int64_t axis) {
  static constexpr StringLiteral query[] = {"B", "Hq", "Nq", ""};
  static constexpr StringLiteral key[] = {"B", "Hkv", "Nk", ""};
  if (name == "k" || name == "k1" || name == "k2" || name == "v")
    return key[axis];
  if (name == "survivors")
    return axis == 0 ? StringRef() : StringRef(query[axis - 1]);
  if (name == "gain")
    return "";
  if (rank == 1) // beta or lambda, one a head
    return "Hq";
  return query[axis];
}
