// The real `tersor` as a child process.
#ifndef TERSOR_TESTS_INTEGRATION_CLI_TERSOR_PROCESS_H_
#define TERSOR_TESTS_INTEGRATION_CLI_TERSOR_PROCESS_H_

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::testing {

struct ProcessResult {
  // 128 + the signal's number where one ended it.
  int code = -1;
  std::string out;
  std::string err;
};

// One child; killed where it is still there at the end.
class TersorProcess {
 public:
  // Runs in `folder`, standard input from `input`; output goes to files there.
  TersorProcess(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                const std::string& input = "", int64_t file_limit = -1);
  ~TersorProcess();
  TersorProcess(const TersorProcess&) = delete;
  TersorProcess& operator=(const TersorProcess&) = delete;

  void Signal(int signal) const;
  // Whether `condition` came true before the child ended.
  bool WaitFor(const std::function<bool()>& condition);
  // Whether `text` appeared on standard error before the child ended.
  bool WaitForError(const std::string& text);
  ProcessResult Wait();

 private:
  bool Ended();

  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
  int status_ = 0;
};

// A folder of its own with a tiny model ("model"), data sets ("data/text") and caches, cleaned up afterwards.
class CliTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  ProcessResult Tersor(const std::vector<std::string>& arguments, const std::string& input = "") {
    return TersorProcess(arguments, folder_, input).Wait();
  }
  std::string Write(const std::string& name, const std::string& text) const;
  std::string Read(const std::string& name) const;

  std::filesystem::path folder_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_INTEGRATION_CLI_TERSOR_PROCESS_H_
