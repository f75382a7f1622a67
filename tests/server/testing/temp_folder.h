// A folder that lives as long as a test.
#ifndef TERSOR_TESTS_SERVER_TESTING_TEMP_FOLDER_H_
#define TERSOR_TESTS_SERVER_TESTING_TEMP_FOLDER_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace tersor::testing {

// Named after the running test; removed with the object.
class TempFolder {
 public:
  TempFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) /
            absl::StrCat("tersor-", info->test_suite_name(), "-", info->name(), "-", getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_TEMP_FOLDER_H_
