#include "core/base/mapped_inputs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

constexpr size_t kBytes = 1 << 20;

class MappedInputsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // A child of this process goes through SetUp of nothing: the name is the parent's.
    path_ =
        std::filesystem::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    ASSERT_TRUE(WriteFileAtomically(path_, std::string(kBytes, 'x')).ok());
    const int fd = open(path_.c_str(), O_RDONLY);
    ASSERT_GE(fd, 0);
    struct stat info = {};
    ASSERT_EQ(fstat(fd, &info), 0);
    data_ = static_cast<const std::byte*>(mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0));
    close(fd);
    RegisterMappedInput(data_, kBytes, path_, info);
  }
  void TearDown() override {
    UnregisterMappedInput(data_);
    munmap(const_cast<std::byte*>(data_), kBytes);
    std::filesystem::remove(path_);
  }
  int Sum() const {
    int sum = 0;
    for (size_t i = 0; i < kBytes; ++i) sum += static_cast<int>(data_[i]);
    return sum;
  }
  // The fault stays with the process, so a child has it: exits with 0 where all is as it should be.
  static void Require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::_Exit(1);
  }

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
};

TEST_F(MappedInputsTest, AnUntouchedFileIsFine) {
  EXPECT_EQ(Sum(), static_cast<int>(kBytes) * 'x');
  EXPECT_TRUE(CheckMappedInputs().ok());
  const std::byte* begin = nullptr;
  EXPECT_EQ(FindMappedInput(data_ + kBytes - 1, &begin), kBytes);
  EXPECT_EQ(begin, data_);
  EXPECT_EQ(FindMappedInput(data_ + kBytes, &begin), 0);
}

TEST_F(MappedInputsTest, AFileThatBecomesShorterIsNamedAndNothingIsKept) {
  EXPECT_EXIT(
      {
        Require(truncate(path_.c_str(), 5000) == 0, "truncated");
        Require(Sum() == 5000 * 'x', "what is gone reads as zeros");
        Require(Sum() == 5000 * 'x', "and again");
        Require(absl::IsDataLoss(CheckMappedInputs()), "it is said");
        const absl::Status kept = WriteFileAtomically(path_.string() + ".result", "made of zeros");
        Require(absl::IsDataLoss(kept), "no file is kept");
        UnregisterMappedInput(data_);
        Require(absl::IsDataLoss(CheckMappedInputs()), "also when it is not mapped any more");
        std::fprintf(stderr, "%s\n", std::string(CheckMappedInputs().message()).c_str());
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "AFileThatBecomesShorterIsNamedAndNothingIsKept: the file became shorter");
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".result"));
}

TEST_F(MappedInputsTest, OtherBusErrorsEndTheProcess) {
  EXPECT_EXIT(
      {
        UnregisterMappedInput(data_);
        Require(truncate(path_.c_str(), 0) == 0, "truncated");
        Require(Sum() < 0, "it is ended");
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedInputsTest, AFileThatIsWrittenMeanwhileIsNamed) {
  std::fstream file(path_, std::ios::in | std::ios::out);
  file << "other bytes" << std::flush;
  EXPECT_THAT(CheckMappedInputs().message(), HasSubstr("was written while it was read"));
}

TEST_F(MappedInputsTest, AnotherFileInItsPlaceIsNoHarm) {
  ASSERT_TRUE(WriteFileAtomically(path_, "another file").ok());
  EXPECT_TRUE(CheckMappedInputs().ok());
  EXPECT_EQ(Sum(), static_cast<int>(kBytes) * 'x');
}

}  // namespace
}  // namespace tersor
