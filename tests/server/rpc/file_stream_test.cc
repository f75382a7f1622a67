#include "server/rpc/file_stream.h"

#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "server/rpc/page.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

class FileStreamTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Read(int64_t offset) {
    std::string bytes;
    TERSOR_RETURN_IF_ERROR(StreamFile(temp_.path(), path(), offset, [&](std::string chunk, int64_t total) {
      bytes += chunk;
      total_ = total;
      ++chunks_;
      return true;
    }));
    return bytes;
  }
  std::filesystem::path path() const { return temp_.path() / "file"; }

  testing::TempFolder temp_;
  int64_t total_ = -1;
  int chunks_ = 0;
};

TEST_F(FileStreamTest, FromAnyOffset) {
  std::string bytes(3'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 8);
  ASSERT_TRUE(WriteFileAtomically(path(), bytes).ok());
  EXPECT_EQ(Read(0).value(), bytes);
  EXPECT_EQ(total_, 3'000'000);
  EXPECT_EQ(chunks_, 3);
  EXPECT_EQ(Read(2'999'999).value(), bytes.substr(2'999'999));
  EXPECT_EQ(Read(3'000'000).value(), "");
  EXPECT_EQ(Read(3'000'001).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Read(-1).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(FileStreamTest, EmptyFileTellsItsSize) {
  ASSERT_TRUE(WriteFileAtomically(path(), "").ok());
  EXPECT_EQ(Read(0).value(), "");
  EXPECT_EQ(total_, 0);
  EXPECT_EQ(chunks_, 1);
}

TEST_F(FileStreamTest, ReaderThatGoesAwayEndsIt) {
  ASSERT_TRUE(WriteFileAtomically(path(), std::string(5 << 20, 'x')).ok());
  int calls = 0;
  const absl::Status status = StreamFile(temp_.path(), path(), 0, [&](std::string, int64_t) { return ++calls < 2; });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 2);
}

TEST_F(FileStreamTest, MissingFile) { EXPECT_EQ(Read(0).status().code(), absl::StatusCode::kNotFound); }

TEST(PageTest, SizesAndTokens) {
  EXPECT_EQ(PageSize(0).value(), 50);
  EXPECT_EQ(PageSize(7).value(), 7);
  EXPECT_EQ(PageSize(5000).value(), 1000);
  EXPECT_FALSE(PageSize(-1).ok());
  EXPECT_EQ(ParsePageToken("").value(), 0);
  EXPECT_EQ(ParsePageToken(FormatPageToken(42)).value(), 42);
  for (const char* bad : {"42", "before-", "before-x", "before--1", "before-0", "before-99999999999999999999"}) {
    EXPECT_EQ(ParsePageToken(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace tersor
