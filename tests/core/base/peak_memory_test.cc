#include "core/base/peak_memory.h"

#include <vector>

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(PeakMemoryTest, GrowsWithWhatIsTouchedAndStays) {
  const int64_t before = PeakResidentBytes();
  ASSERT_GT(before, 1 << 20);
  constexpr int64_t kBytes = int64_t{256} << 20;
  { std::vector<char> touched(kBytes, 1); }
  EXPECT_GE(PeakResidentBytes(), kBytes);
  if (!ResetPeakResidentBytes()) GTEST_SKIP() << "the kernel does not reset VmHWM here";
  EXPECT_LT(PeakResidentBytes(), kBytes);
}

TEST(PeakMemoryTest, OwnMemoryFallsAgain) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
  const int64_t before = OwnResidentBytes();
  ASSERT_GT(before, 0);
  constexpr int64_t kBytes = int64_t{64} << 20;
  {
    std::vector<char> touched(kBytes, 1);
    EXPECT_GE(OwnResidentBytes() - before, kBytes);
  }
  ReturnFreeMemory();
  EXPECT_LT(OwnResidentBytes() - before, kBytes / 2);
}

TEST(PeakMemoryTest, ReturnsWhatIsFree) {
  constexpr int kPieces = 4096;
  constexpr int64_t kPiece = 16 << 10;
  std::vector<std::vector<char>> pieces;
  for (int i = 0; i < kPieces; ++i) pieces.emplace_back(kPiece, 1);
  // The last piece keeps the heap from shrinking by itself.
  std::vector<char> last = std::move(pieces.back());
  pieces.clear();
  ReturnFreeMemory();
  if (!ResetPeakResidentBytes()) GTEST_SKIP() << "the kernel does not reset VmHWM here";
  const int64_t after = PeakResidentBytes();
  for (int i = 0; i < kPieces; ++i) pieces.emplace_back(kPiece, 1);
  EXPECT_GT(PeakResidentBytes() - after, kPieces * kPiece / 2);
  EXPECT_EQ(last.size(), static_cast<size_t>(kPiece));
}

}  // namespace
}  // namespace tersor
