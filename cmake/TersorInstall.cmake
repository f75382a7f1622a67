# `cmake --install build/release --prefix DIR` puts the programs into DIR/bin (tersord looks for tersor-worker beside
# itself), and what they link that is none of Debian's (the pinned oneDNN) into DIR/lib/tersor.
include(GNUInstallDirs)
set(TERSOR_PROGRAMS tersor)
if(NOT TERSOR_CLIENT_ONLY)
  list(APPEND TERSOR_PROGRAMS tersord tersor-worker)
endif()
# The link path holds the folder of the OpenBLAS of one's choice, which the system's loader need not find.
set_target_properties(${TERSOR_PROGRAMS} PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/tersor" INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS ${TERSOR_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(NOT TERSOR_CLIENT_ONLY AND TERSOR_PINNED_ONEDNN)
  install(DIRECTORY ${TERSOR_DEPS}/onednn/lib/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/tersor
          FILES_MATCHING PATTERN "libdnnl.so*" PATTERN "cmake" EXCLUDE)
endif()
