# tersor_library(NAME SOURCES ... DEPS ...): a static library of one room, with the common precompiled header.
# tersor_test(NAME SOURCES ... DEPS ... [LABELS ...] [TIMEOUT s]): one GoogleTest binary; every test case is a ctest.
# One precompiled header serves all targets: they share every flag that GCC compares (OpenMP comes with tersor_options).
if(TARGET OpenMP::OpenMP_CXX)
  target_link_libraries(tersor_options INTERFACE OpenMP::OpenMP_CXX)
else()
  # gRPC's targets bring -pthread, which GCC compares; with OpenMP every target has it already.
  target_compile_options(tersor_options INTERFACE -pthread)
endif()
file(WRITE ${PROJECT_BINARY_DIR}/tersor_pch.cc "// Carries the precompiled header.\n")
add_library(tersor_pch STATIC ${PROJECT_BINARY_DIR}/tersor_pch.cc)
target_link_libraries(tersor_pch PRIVATE tersor_options absl::status absl::statusor absl::strings)
target_precompile_headers(tersor_pch PRIVATE
  <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_join.h> <algorithm> <filesystem> <functional>
  <map> <memory> <span> <string> <vector>)

# Tests have one of their own: GoogleTest's headers are most of what they compile. What they measure is in the
# libraries, so that their own code need not be optimized far.
set(TERSOR_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
if(TERSOR_TESTS AND NOT TERSOR_CLIENT_ONLY)
  add_library(tersor_test_pch STATIC ${PROJECT_BINARY_DIR}/tersor_pch.cc)
  target_compile_options(tersor_test_pch PRIVATE ${TERSOR_TEST_OPTIONS})
  target_link_libraries(tersor_test_pch PRIVATE tersor_options absl::status absl::statusor absl::strings
                        protobuf::libprotobuf GTest::gmock)
  target_precompile_headers(tersor_test_pch PRIVATE
    <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_join.h> <algorithm> <filesystem> <functional>
    <gmock/gmock.h> <google/protobuf/message.h> <gtest/gtest.h> <map> <memory> <span> <string> <vector>)
endif()

function(tersor_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tersor_options ${ARG_DEPS})
  target_precompile_headers(${name} REUSE_FROM tersor_pch)
endfunction()

function(tersor_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tersor_options ${ARG_DEPS})
  target_precompile_headers(${name} REUSE_FROM tersor_pch)
endfunction()

function(tersor_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tersor_options ${ARG_DEPS} tersor_test_main)
  target_compile_options(${name} PRIVATE ${TERSOR_TEST_OPTIONS})
  target_precompile_headers(${name} REUSE_FROM tersor_test_pch)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
