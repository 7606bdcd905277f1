# TDA_STATIC_LLVM: link LLVM and MLIR into the tools, for bundles that run on
# machines without LLVM. TdaMlir.cmake includes this after find_package(MLIR) and
# before a target is made.
#
# Debian and apt.llvm.org build LLVM with its shared library, and their exports
# put the shared `LLVM` (and `MLIR`) into the link interface of the static MLIR
# libraries. Left alone, a program gets two LLVMs: passes register in one and
# run in the other ("Pass not initialized"). So every link to the shared
# library is turned into one to the static component libraries.

# AddLLVM and AddMLIR look at these when they link a target.
set(LLVM_LINK_LLVM_DYLIB OFF)
set(MLIR_LINK_MLIR_DYLIB OFF)

# All that the MLIR libraries may ask of LLVM: the linker takes from an archive
# only what is used, so a generous list costs no size.
llvm_map_components_to_libnames(tda_llvm_libraries
  analysis asmparser bitreader bitwriter core debuginfodwarf executionengine
  frontendoffloading frontendopenmp instcombine ipo irreader jitlink linker mc
  native nativecodegen nvptxcodegen nvptxdesc nvptxinfo object orcjit passes
  perfjitevents remarks scalaropts support target targetparser transformutils
  vectorize)

add_library(tda_static_llvm INTERFACE)
target_link_libraries(tda_static_llvm INTERFACE ${tda_llvm_libraries})

# The shared MLIR stands only for what MLIRExecutionEngine is made of; the other
# libraries name their parts.
add_library(tda_static_mlir INTERFACE)
target_link_libraries(tda_static_mlir INTERFACE
  MLIRBuiltinToLLVMIRTranslation MLIRExecutionEngineUtils
  MLIRLLVMToLLVMIRTranslation MLIRTargetLLVMIRExport)

foreach(library IN LISTS MLIR_EXPORTED_TARGETS LLVM_AVAILABLE_LIBS)
  if(NOT TARGET ${library})
    continue()
  endif()
  get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
  if(NOT links)
    continue()
  endif()
  foreach(name LLVM MLIR)
    string(TOLOWER tda_static_${name} static)
    list(TRANSFORM links REPLACE "^${name}$" ${static})
    list(TRANSFORM links REPLACE "^\\$<LINK_ONLY:${name}>$" ${static})
  endforeach()
  # Only LLVM's SMT solver interface uses Z3, and nothing here uses that.
  list(FILTER links EXCLUDE REGEX "libz3")
  set_target_properties(${library} PROPERTIES
    INTERFACE_LINK_LIBRARIES "${links}")
endforeach()

# A bundle takes only the C library, zlib and zstd for granted.
add_link_options(-static-libstdc++ -static-libgcc)
