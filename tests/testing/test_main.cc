// main() of every test binary: testing::TempDir() is a folder of this process alone, removed at the end, so that tests
// which run side by side never meet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error) / "tersor_test.XXXXXX";
  if (error || mkdtemp(folder.data()) == nullptr) {
    std::perror("making the tests' temporary folder");
    return 1;
  }
  setenv("TEST_TMPDIR", folder.c_str(), /*overwrite=*/1);
  const int result = RUN_ALL_TESTS();
  std::filesystem::remove_all(folder, error);
  return result;
}
