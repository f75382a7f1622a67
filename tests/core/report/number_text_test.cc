#include "core/report/number_text.h"

#include <limits>

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(NumberTextTest, Bytes) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1000), "1.00 kB");
  EXPECT_EQ(BytesText(84612345), "84.6 MB");
  EXPECT_EQ(BytesText(269030016), "269 MB");
  EXPECT_EQ(BytesText(999600000), "1.00 GB");
  EXPECT_EQ(BytesText(int64_t{5} << 50), "5629 TB");
}

TEST(NumberTextTest, Counts) {
  EXPECT_EQ(CountText(135), "135");
  EXPECT_EQ(CountText(134515008), "135 M");
  EXPECT_EQ(CountText(1235814400), "1.24 B");
}

TEST(NumberTextTest, Figures) {
  EXPECT_EQ(FigureText(17.0512), "17.05");
  EXPECT_EQ(FigureText(0.03124), "0.03124");
  EXPECT_EQ(FigureText(1234.5678), "1235");
  EXPECT_EQ(FigureText(0), "0");
  EXPECT_EQ(FigureText(1.5e12), "1.5e+12");
  EXPECT_EQ(FigureText(std::numeric_limits<double>::infinity()), "infinite");
  EXPECT_EQ(FigureText(std::numeric_limits<double>::quiet_NaN()), "not a number");
}

TEST(NumberTextTest, Durations) {
  EXPECT_EQ(SecondsText(0.42), "0.4 s");
  EXPECT_EQ(SecondsText(83.2), "83 s");
  EXPECT_EQ(SecondsText(725), "12 min 5 s");
  EXPECT_EQ(SecondsText(7260), "2 h 1 min");
  EXPECT_EQ(SecondsText(-1), "unknown");
}

TEST(NumberTextTest, Shares) {
  EXPECT_EQ(PercentText(0.8123), "81.2 %");
  EXPECT_EQ(RatioText(1.24155), "1.24x");
}

}  // namespace
}  // namespace tersor
