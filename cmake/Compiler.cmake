# Compilers we accept, flags for our own code, the shared precompiled header, ccache.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} cannot build Coronado: GCC 12 destroys the captures of a lambda written inside a "
    "co_await expression twice (GCC bugs 99576 and 100611), so correct programs free memory twice. "
    "Use clang++-19 (cmake --preset release) or GCC 13 and later.")
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "Clang ${CMAKE_CXX_COMPILER_VERSION} cannot build Coronado: before Clang 19, std::expected of libstdc++ stays hidden "
    "and coroutine frames are touched after they were handed over. Use clang++-19 (cmake --preset release).")
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

  # ccache takes a precompiled header only when told that its time stamp does not count. Saying so in the launcher makes a
  # bare `cmake --build` work.
  find_program(CORONADO_CCACHE ccache)
  mark_as_advanced(CORONADO_CCACHE)
  if(CORONADO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros "${CORONADO_CCACHE}")
  endif()
endif()

if(CORONADO_LTO)
  set(CMAKE_POLICY_DEFAULT_CMP0069 NEW)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)  # ThinLTO with Clang
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_EXE_LINKER_FLAGS MATCHES "fuse-ld=lld")
    add_link_options("LINKER:--thinlto-cache-dir=${PROJECT_BINARY_DIR}/thinlto")  # a second link costs what changed
  endif()
endif()

# Flags for one of our targets; nothing of it reaches those who link it. TEST: it is a test, and reuses the headers of
# GoogleTest as well.
function(coronado_compile_options target)
  cmake_parse_arguments(arg "TEST" "" "" ${ARGN})
  target_compile_features(${target} PRIVATE cxx_std_23)
  target_compile_options(${target} PRIVATE
    -pthread  # asked for by some of our libraries; the precompiled header and all who reuse it must agree
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wcast-align -Wformat=2 -Wextra-semi
    -Wno-deprecated-declarations  # libstdc++ 12 uses one of its own in std::stable_sort, and Clang tells us
    $<$<CXX_COMPILER_ID:Clang>:-Wimplicit-fallthrough -Wunreachable-code>
    $<$<BOOL:${CORONADO_WERROR}>:-Werror>
    $<$<BOOL:${CORONADO_MARCH}>:-march=${CORONADO_MARCH}>)
  if(arg_TEST)
    target_compile_options(${target} PRIVATE ${CORONADO_TEST_FLAGS})
  endif()
  if(CORONADO_PCH)
    if(arg_TEST)
      target_precompile_headers(${target} REUSE_FROM coronado_test_pch)
    else()
      target_precompile_headers(${target} REUSE_FROM coronado_pch)
    endif()
  endif()
endfunction()

# The standard vocabulary compiled once, for the library and the examples, and with GoogleTest for the tests; each owned by a
# target without definitions of its own, so that all may reuse it.
function(coronado_precompile name)
  add_library(${name} OBJECT "${PROJECT_BINARY_DIR}/pch.cpp")
  target_compile_features(${name} PRIVATE cxx_std_23)
  target_compile_options(${name} PRIVATE -pthread)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  if(CORONADO_MARCH)
    target_compile_options(${name} PRIVATE -march=${CORONADO_MARCH})
  endif()
endfunction()

if(CORONADO_PCH)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/pch.cpp" CONTENT "// Empty: this file only carries a precompiled header.\n")
  set(coronado_vocabulary
    <chrono> <coroutine> <expected> <functional> <memory> <optional> <span> <string> <string_view> <system_error>
    <unordered_map> <vector>)
  coronado_precompile(coronado_pch ${coronado_vocabulary})
  if(CORONADO_TESTS)
    coronado_precompile(coronado_test_pch ${coronado_vocabulary} <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(coronado_test_pch PRIVATE GTest::gtest GTest::gmock)  # their definitions must agree, too
    target_compile_options(coronado_test_pch PRIVATE ${CORONADO_TEST_FLAGS})
  endif()
endif()
