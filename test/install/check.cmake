# cmake -DBUILD=dir -DSOURCE=dir -DWORK=dir -P check.cmake
#
# Installs the build to a fresh prefix and builds, against nothing but that, a
# host that launches kernels; then runs it.
file(REMOVE_RECURSE ${WORK})
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text
                  ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
step(${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/test/install/consumer -B ${WORK}/consumer
     -DCMAKE_PREFIX_PATH=${WORK}/prefix)
step(${CMAKE_COMMAND} --build ${WORK}/consumer)
step(${WORK}/consumer/consumer ${SOURCE}/test/data/manifest/example.json)
if(NOT output MATCHES "example.ptx|could not be|cannot be")
  message(FATAL_ERROR "the consumer said: ${output}")
endif()
step(${WORK}/prefix/bin/tda-compile --version)
