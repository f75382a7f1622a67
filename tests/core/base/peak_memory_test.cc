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

}  // namespace
}  // namespace tersor
