#include "tests/testing/scratch_folder.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include "gtest/gtest.h"

namespace tersor::testing {

ScratchFolder::ScratchFolder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "tersor_test.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder " << name;
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace tersor::testing
