#include "server/auth/rate_limiter.h"

#include "gtest/gtest.h"
#include "tests/server/testing/fake_clock.h"

namespace tersor {
namespace {

// How many calls pass at once.
int Passing(RateLimiter& limiter, const char* caller) {
  int passed = 0;
  while (passed < 1000 && limiter.Take(caller) == absl::ZeroDuration()) ++passed;
  return passed;
}

TEST(RateLimiterTest, ABurstThenTheRate) {
  testing::FakeClock clock;
  RateLimiter limiter(10, clock);
  EXPECT_EQ(Passing(limiter, "a"), 20);
  EXPECT_EQ(limiter.Take("a"), absl::Milliseconds(100));
  clock.Advance(absl::Milliseconds(50));
  EXPECT_EQ(limiter.Take("a"), absl::Milliseconds(50));
  clock.Advance(absl::Milliseconds(450));
  EXPECT_EQ(Passing(limiter, "a"), 5);
  clock.Advance(absl::Hours(10));
  EXPECT_EQ(Passing(limiter, "a"), 20) << "what is not used is not saved up";
}

TEST(RateLimiterTest, CallersDoNotTakeFromEachOther) {
  testing::FakeClock clock;
  RateLimiter limiter(1, clock);
  EXPECT_EQ(Passing(limiter, "a"), 2);
  EXPECT_EQ(Passing(limiter, "b"), 2);
  EXPECT_EQ(Passing(limiter, "a"), 0);
}

TEST(RateLimiterTest, SlowRatesLetSomethingPass) {
  testing::FakeClock clock;
  RateLimiter limiter(0.1, clock);
  EXPECT_EQ(Passing(limiter, "a"), 1);
  EXPECT_EQ(limiter.Take("a"), absl::Seconds(10));
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(Passing(limiter, "a"), 1);
}

TEST(RateLimiterTest, NoLimit) {
  testing::FakeClock clock;
  RateLimiter limiter(0, clock);
  EXPECT_EQ(Passing(limiter, "a"), 1000);
}

}  // namespace
}  // namespace tersor
