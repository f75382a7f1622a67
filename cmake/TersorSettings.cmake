# Language level, warnings, ccache: what every target of Tersor shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(TERSOR_CCACHE ccache)
if(TERSOR_CCACHE)
  # Precompiled headers need this sloppiness; without it ccache refuses every file that uses one.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${TERSOR_CCACHE})
endif()

add_library(tersor_options INTERFACE)
target_compile_options(tersor_options INTERFACE -Wall -Wextra -Werror -Wno-sign-compare -Werror=switch)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tersor_options INTERFACE -Wthread-safety)
else()
  # GCC 12 reports false positives from inlined library code under optimisation.
  target_compile_options(tersor_options INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
                                                  -Wno-restrict)
endif()
target_include_directories(tersor_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(tersor_options INTERFACE TERSOR_VERSION="${PROJECT_VERSION}")

# -DTERSOR_SANITIZER=address,undefined or thread.
set(TERSOR_SANITIZER "" CACHE STRING "Sanitizers to build with")
if(TERSOR_SANITIZER)
  add_compile_options(-fsanitize=${TERSOR_SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TERSOR_SANITIZER})
  if(TERSOR_SANITIZER STREQUAL "thread")
    # Headers of protobuf and Abseil lay out their classes otherwise under this macro, and Debian's libraries are built
    # without it. libstdc++ keeps what it needs.
    add_compile_options(-U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
  endif()
endif()
