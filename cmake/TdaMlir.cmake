# Finds MLIR and says how a library of the compiler is built.
#
#   tda_add_mlir_library(NAME sources... DEPENDS targets... LIBS libs...)
#
# LIBS names MLIR's component libraries. With the shared libMLIR they are all
# one library; with TDA_STATIC_LLVM they are linked one by one.
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "tda needs LLVM and MLIR 22, found ${LLVM_PACKAGE_VERSION}"
    " in ${MLIR_DIR}; set MLIR_DIR to lib/cmake/mlir of LLVM 22")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include
                    ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/include)
separate_arguments(_tda_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${_tda_llvm_definitions})
if(NOT LLVM_ENABLE_RTTI)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endif()
if(TDA_STATIC_LLVM)
  include(StaticLLVM)
endif()

function(tda_link_mlir target visibility)
  if(TDA_STATIC_LLVM)
    target_link_libraries(${target} ${visibility} ${ARGN})
  else()
    set(own)
    foreach(lib ${ARGN})
      if(NOT lib MATCHES "^(MLIR|LLVM)")
        list(APPEND own ${lib})
      endif()
    endforeach()
    target_link_libraries(${target} ${visibility} ${own} MLIR LLVM)
  endif()
endfunction()

function(tda_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  tda_link_mlir(${name} PUBLIC ${ARG_LIBS})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter
    $<$<BOOL:${TDA_WERROR}>:-Werror>)
  set_property(GLOBAL APPEND PROPERTY TDA_MLIR_LIBRARIES ${name})
endfunction()
