# What runs the command of a cross build, under an emulator. What is the same on every processor is left out: the front
# end's messages, limits of time, the command line. Few tests, each of which starts a server (runner.py) once.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(EDDY ${PROJECT_BINARY_DIR}/eddy-emulated)
set(EDDY_REFERENCE ${PROJECT_SOURCE_DIR}/build/release/eddy CACHE FILEPATH "The command for this host, to compare with")
foreach(SUFFIX "" -server)
  file(GENERATE OUTPUT ${EDDY}${SUFFIX}
    CONTENT "#!/bin/sh\nexec ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:eddy${SUFFIX}> \"$@\"\n"
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()

function(emulated_test NAME SCRIPT)
  add_test(NAME ${NAME} COMMAND ${Python3_EXECUTABLE} tests/${SCRIPT} --eddy ${EDDY} ${ARGN})
  set_tests_properties(${NAME} PROPERTIES TIMEOUT 900 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()

# Byte for byte as on the host: output, standard error with its stack traces, exit status, where fuel ends. A trace of a
# long run fills the memory, so those end early.
set(COMPARED interp_effects jit_effects jit jit_fuel hot_fuel)
set(FLAGS_interp_effects --tier=interp --trace=effects --fuel=3001)
set(FLAGS_jit_effects --tier=jit --trace=effects --fuel=3001)
set(FLAGS_jit --tier=jit)
set(FLAGS_jit_fuel --tier=jit --fuel=97)
set(FLAGS_hot_fuel --fuel=4001 --jit-threshold=1 --osr-threshold=1)
foreach(MODE ${COMPARED})
  string(REPLACE ";" " " FLAGS "${FLAGS_${MODE}}")
  emulated_test(same_${MODE} compare_builds.py --reference ${EDDY_REFERENCE} --jobs 1 "--mode=${FLAGS}")
endforeach()

# As expected in what else there is of tiers and of the collector.
set(RUN warm jit_stress)
set(FLAGS_warm --jit-threshold=3 --osr-threshold=3)
set(FLAGS_jit_stress --tier=jit --gc-stress=7)
foreach(MODE ${RUN})
  string(REPLACE ";" " " FLAGS "${FLAGS_${MODE}}")
  emulated_test(conformance_${MODE} run_suite.py --jobs 1 "--mode=${FLAGS}" tests/conformance tests/regressions)
endforeach()
emulated_test(examples run_programs.py examples)
emulated_test(benchmarks run_programs.py benchmarks)
add_test(NAME std_tests COMMAND ${EDDY} test --tier=jit std tests/std)
set_tests_properties(std_tests PROPERTIES TIMEOUT 900 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
