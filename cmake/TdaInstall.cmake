# What `cmake --install` puts where, and what find_package(tda) finds. Include
# last, with these lists set:
#
#   TDA_RUNTIME_LIBRARIES   targets that need no LLVM (tda_runtime, ...)
#   TDA_RUNTIME_PACKAGES    packages in their link interface (Threads, fmt, ...)
#   TDA_COMPILER_LIBRARIES  targets that link MLIR
#   TDA_TOOLS               programs
#
# A target tda_name is exported as tda::name, any other as tda::<its name>. The
# runtime's targets are a set of their own, so that a host which only launches
# kernels needs no MLIR: see tdaConfig.cmake.in. With TDA_STATIC_LLVM the
# compiler's libraries are not installed, because they refer to rewritten LLVM
# targets that exist in this build alone.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(TDA_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tda)

function(tda_install_libraries component)
  foreach(library IN LISTS ARGN)
    string(REGEX REPLACE "^tda_" "" name ${library})
    set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS ${library} EXPORT tda${component}Targets
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}
      INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endforeach()
  install(EXPORT tda${component}Targets NAMESPACE tda::
    DESTINATION ${TDA_PACKAGE_DIR})
endfunction()

tda_install_libraries(Runtime ${TDA_RUNTIME_LIBRARIES})
if(TDA_COMPILER_LIBRARIES AND NOT TDA_STATIC_LLVM)
  tda_install_libraries(Compiler ${TDA_COMPILER_LIBRARIES})
endif()
if(TDA_TOOLS)
  # Finds libtda_runtime where it is installed, and an LLVM outside the system's
  # folders where it was linked.
  set_target_properties(${TDA_TOOLS} PROPERTIES
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}"
    INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${TDA_TOOLS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# Public headers, the dialect's, and those generated from both.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ ${PROJECT_BINARY_DIR}/include/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
  PATTERN "CMakeFiles" EXCLUDE)
install(DIRECTORY
  ${PROJECT_SOURCE_DIR}/dialects ${PROJECT_BINARY_DIR}/dialects
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
  PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tdaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/tdaConfig.cmake
  INSTALL_DESTINATION ${TDA_PACKAGE_DIR}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tdaConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/tdaConfig.cmake
  ${PROJECT_BINARY_DIR}/tdaConfigVersion.cmake
  DESTINATION ${TDA_PACKAGE_DIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/tda)
# The data of tda-autotune --density real.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/test/data/real
  DESTINATION ${CMAKE_INSTALL_DATADIR}/tda)
