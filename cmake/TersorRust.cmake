# tersor_rust_library(NAME DIRECTORY dir SOURCES ...): an imported target over the static library of a Rust crate, built
# by cargo from its committed Cargo.lock when a source changes. Sanitizers don't reach into it; it links all the same.
function(tersor_rust_library name)
  cmake_parse_arguments(ARG "" "DIRECTORY" "SOURCES" ${ARGN})
  set(target_dir ${CMAKE_BINARY_DIR}/cargo)
  set(library ${target_dir}/release/lib${name}.a)
  list(TRANSFORM ARG_SOURCES PREPEND ${ARG_DIRECTORY}/)
  add_custom_command(
    OUTPUT ${library}
    # The C parts of crates are built without the sanitizers of this build.
    COMMAND ${CMAKE_COMMAND} -E env --unset=CFLAGS --unset=CXXFLAGS CARGO_TARGET_DIR=${target_dir}
            ${TERSOR_CARGO} build --release --locked --quiet --manifest-path ${ARG_DIRECTORY}/Cargo.toml
    # cargo leaves the file as it is where its content would be the same; ninja compares times.
    COMMAND ${CMAKE_COMMAND} -E touch ${library}
    DEPENDS ${ARG_SOURCES}
    COMMENT "Building the Rust library ${name}"
    VERBATIM)
  add_custom_target(${name}_cargo DEPENDS ${library})
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${library}
                        INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
  add_dependencies(${name} ${name}_cargo)
endfunction()
