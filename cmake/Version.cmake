# Generates tda/Version.h with TDA_VERSION and TDA_GIT_REVISION.
#
#   tda_use_version(TARGET)   lets TARGET include "tda/Version.h"
#
# The header is written anew when HEAD moves, and only then, so that a build
# with nothing to do stays one. Without git the revision is "unknown".
#
# This file is also the script that writes the header:
#   cmake -DSOURCE=dir -DVERSION=x.y.z -DHEADER=file -P Version.cmake

# The revision of the repository whose root is `source`, as `variable`. A
# repository further up (a tarball unpacked inside one) does not count.
function(tda_git_revision source variable)
  set(revision unknown)
  find_program(GIT_EXECUTABLE git)
  mark_as_advanced(GIT_EXECUTABLE)
  if(GIT_EXECUTABLE AND EXISTS "${source}/.git")
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
      WORKING_DIRECTORY "${source}" OUTPUT_VARIABLE output ERROR_QUIET
      OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
    if(status EQUAL 0)
      set(revision "${output}")
    endif()
  endif()
  set(${variable} "${revision}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  tda_git_revision("${SOURCE}" revision)
  file(WRITE "${HEADER}" "\
//===- Version.h - What this build is (generated) ---------------*- C++ -*-===//
#ifndef TDA_VERSION_H
#define TDA_VERSION_H

#define TDA_VERSION \"${VERSION}\"
#define TDA_GIT_REVISION \"${revision}\"

#endif // TDA_VERSION_H
")
  return()
endif()

# A file that git writes whenever HEAD moves: its log, or, where logs are off,
# HEAD itself (a commit on the same branch then goes unnoticed until the next
# configure).
set(tda_head)
find_program(GIT_EXECUTABLE git)
mark_as_advanced(GIT_EXECUTABLE)
if(GIT_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/.git")
  foreach(name logs/HEAD HEAD)
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path ${name}
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE path
      ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    get_filename_component(path "${path}" ABSOLUTE
      BASE_DIR "${PROJECT_SOURCE_DIR}")
    if(path AND EXISTS "${path}" AND NOT IS_DIRECTORY "${path}")
      set(tda_head "${path}")
      break()
    endif()
  endforeach()
endif()

set(TDA_VERSION_HEADER "${PROJECT_BINARY_DIR}/include/tda/Version.h")
add_custom_command(OUTPUT "${TDA_VERSION_HEADER}"
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR}
    -DVERSION=${PROJECT_VERSION} -DHEADER=${TDA_VERSION_HEADER}
    -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${tda_head} ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Writing tda/Version.h" VERBATIM)
add_custom_target(tda_version DEPENDS "${TDA_VERSION_HEADER}")

function(tda_use_version target)
  add_dependencies(${target} tda_version)
  target_include_directories(${target} PRIVATE
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>")
endfunction()
