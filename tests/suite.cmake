# What runs the command itself (under an emulator: emulated.cmake), in every mode with the release build. The others
# look for something else (GCC's portable loop, assertions, sanitizers) and leave out what would say the same again: the
# debug build is the sanitized one's code with tail calls for dispatch and nothing that watches memory.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(SOURCE ${PROJECT_SOURCE_DIR})
set(PYTHON ${Python3_EXECUTABLE})
set(EDDY $<TARGET_FILE:eddy>)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(FULL ON)
endif()

function(command_test NAME)
  add_test(NAME ${NAME} COMMAND ${ARGN})
  set_tests_properties(${NAME} PROPERTIES TIMEOUT 3000 WORKING_DIRECTORY ${SOURCE}
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")  # a command ends without giving back what the system takes anyway
endfunction()

# Conformance: a test a section and mode. MODE_name holds the flags of `eddy run`.
set(MODES default interp jit)
set(MODE_default "")
set(MODE_interp "--tier=interp")
set(MODE_hot "--jit-threshold=1 --osr-threshold=1")
set(MODE_warm "--jit-threshold=3 --osr-threshold=3")
set(MODE_jit "--tier=jit")
set(MODE_stress "--tier=interp --gc-stress=7 --verify-heap")
set(MODE_jit_stress "--tier=jit --gc-stress=7")
if(FULL)
  list(APPEND MODES hot warm stress jit_stress)
elseif(EDDY_SANITIZE)
  list(APPEND MODES hot)  # the passes, watched
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(MODES interp hot)
endif()
file(GLOB SECTIONS CONFIGURE_DEPENDS ${SOURCE}/tests/conformance/*)
foreach(MODE ${MODES})
  foreach(SECTION ${SECTIONS})
    get_filename_component(NAME ${SECTION} NAME)
    command_test(conformance_${NAME}_${MODE} ${PYTHON} tests/run_suite.py --eddy ${EDDY} --jobs 1
      "--mode=${MODE_${MODE}}" tests/conformance/${NAME})
  endforeach()
endforeach()

# Programs that once went wrong, most of them found by random programs.
foreach(MODE ${MODES})
  command_test(regressions_${MODE} ${PYTHON} tests/run_suite.py --eddy ${EDDY} --jobs 1
    "--mode=${MODE_${MODE}}" tests/regressions)
endforeach()

# The library's own tests.
file(GLOB MODULES CONFIGURE_DEPENDS ${SOURCE}/std/*.eddy)
command_test(std_tests ${EDDY} test std)
if(FULL)
  command_test(std_tests_stress ${EDDY} test --gc-stress=1009 std tests/std)
endif()

command_test(examples ${PYTHON} tests/run_programs.py examples --eddy ${EDDY})
if(FULL)
  command_test(examples_stress ${PYTHON} tests/run_programs.py examples --eddy ${EDDY} "--mode=--gc-stress=11")
  command_test(benchmarks ${PYTHON} tests/run_programs.py benchmarks --eddy ${EDDY})
endif()

file(GLOB DOCS CONFIGURE_DEPENDS ${SOURCE}/docs/*.md ${SOURCE}/README.md)
command_test(doc_blocks ${PYTHON} tests/doc_blocks.py --eddy ${EDDY} ${DOCS})

# Its time limits allow for the other tests that run meanwhile.
set(CLI_FLAGS --slow=3)
if(EDDY_SANITIZE)
  set(CLI_FLAGS --slow=8 --sanitized)
endif()
command_test(cli ${PYTHON} tests/cli/run.py --eddy ${EDDY} ${CLI_FLAGS})
command_test(cli_insight ${PYTHON} tests/cli/insight.py --eddy ${EDDY} ${CLI_FLAGS})
command_test(cli_perf ${PYTHON} tests/cli/perf.py --eddy ${EDDY} ${CLI_FLAGS})
command_test(limits ${PYTHON} tests/limits.py --eddy ${EDDY} ${CLI_FLAGS})
command_test(listings ${PYTHON} tests/listings.py --eddy ${EDDY})
command_test(assembled ${PYTHON} tests/cli/assembled.py --eddy ${EDDY})
command_test(std_doc ${PYTHON} tests/std_doc.py ${EDDY})
command_test(diagnostics_covered ${PYTHON} tests/diagnostics_covered.py)
