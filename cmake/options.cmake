# Compiler and linker settings shared by every target.
add_library(eddy_options INTERFACE)
target_include_directories(eddy_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(eddy_options INTERFACE
  -Wall -Wextra -Wno-unused-parameter -fno-exceptions -fno-strict-aliasing
  $<$<CONFIG:Release>:-O2> -fno-plt
  $<$<CXX_COMPILER_ID:GNU>:-Wno-unknown-pragmas>  # clang's
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 takes appending to a std::string for overlapping copies
  # Machine code switches stacks: shadow stacks would forbid it.
  $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection=none>)
target_compile_definitions(eddy_options INTERFACE
  $<$<BOOL:${EDDY_PORTABLE_DISPATCH}>:EDDY_PORTABLE_DISPATCH>
  $<$<BOOL:${EDDY_PLANTS}>:EDDY_PLANTS>
  $<$<CONFIG:Debug>:EDDY_DEBUG>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Fills its output through a mapping otherwise, and the system keeps the file in small pages, each mapped by itself when a
  # program starts: a fifth of the time to say hello.
  target_link_options(eddy_options INTERFACE -fuse-ld=lld -Wl,--no-mmap-output-file)
  # Large pages that the system keeps the file in are mapped as such where they lie in memory as they do there: a fifth fewer
  # page faults at a start.
  target_link_options(eddy_options INTERFACE -Wl,-z,max-page-size=0x200000)
  # What a start runs lies side by side (start_order.py): an eighth of the time to say hello.
  target_compile_options(eddy_options INTERFACE -ffunction-sections)
  target_link_options(eddy_options INTERFACE -Wl,--gc-sections,--no-warn-symbol-ordering
    -Wl,--symbol-ordering-file=${PROJECT_SOURCE_DIR}/cmake/start_order.txt)
  set_property(TARGET eddy_options APPEND PROPERTY INTERFACE_LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/start_order.txt)
endif()
if(EDDY_SANITIZE)
  # The sanitizers do not know the calling convention of tail-call dispatch.
  target_compile_definitions(eddy_options INTERFACE EDDY_PORTABLE_DISPATCH)
  # Machine code that we made bears no type before its entry: calls of it cannot be checked.
  target_compile_options(eddy_options INTERFACE -fsanitize=address,undefined -fno-sanitize=function
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g)
  target_link_options(eddy_options INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(eddy_options INTERFACE EDDY_SANITIZE)
  add_library(eddy_sanitized OBJECT cmake/sanitized.cpp)
  target_link_libraries(eddy_options INTERFACE $<TARGET_OBJECTS:eddy_sanitized>)
endif()

if(EDDY_FUZZ)
  # What is fuzzed reports its coverage. Everything, as the precompiled headers have to agree.
  target_compile_options(eddy_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(eddy_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(EDDY_COVERAGE)
  target_compile_options(eddy_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(eddy_options INTERFACE -fprofile-instr-generate)
endif()

# eddy_library(NAME [LINK …]): every source of the current folder and its subfolders.
function(eddy_library NAME)
  cmake_parse_arguments(ARG "" "" "LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS *.cpp)
  foreach(PATTERN ${ARG_EXCLUDE})
    list(FILTER SOURCES EXCLUDE REGEX ${PATTERN})
  endforeach()
  if(NOT SOURCES)
    set(SOURCES ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  endif()
  add_library(${NAME} STATIC ${SOURCES})
  target_link_libraries(${NAME} PUBLIC eddy_options ${ARG_LINK})
  target_precompile_headers(${NAME} REUSE_FROM eddy_headers)
endfunction()
