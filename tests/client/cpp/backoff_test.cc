#include "client/cpp/backoff.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(Backoff, GrowsToItsLongestAndGivesUp) {
  Backoff backoff({absl::Milliseconds(100), absl::Milliseconds(350), 2, absl::Seconds(10)});
  absl::Time start = absl::UnixEpoch();
  EXPECT_EQ(backoff.Next(start), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(start), absl::Milliseconds(200));
  EXPECT_EQ(backoff.Next(start), absl::Milliseconds(350));
  EXPECT_EQ(backoff.Next(start + absl::Seconds(9)), absl::Milliseconds(350));
  EXPECT_EQ(backoff.Next(start + absl::Seconds(10)), absl::InfiniteDuration());
}

TEST(Backoff, StartsAgainAfterSuccess) {
  Backoff backoff({absl::Milliseconds(100), absl::Seconds(1), 2, absl::Seconds(10)});
  absl::Time start = absl::UnixEpoch();
  backoff.Next(start);
  backoff.Next(start);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(start + absl::Seconds(60)), absl::Milliseconds(100));
}

TEST(SleepFor, HearsOfCancellationAndDeadline) {
  CancellationToken token;
  EXPECT_TRUE(SleepFor(absl::Milliseconds(1), absl::InfiniteFuture(), &token).ok());
  token.Cancel();
  EXPECT_TRUE(absl::IsCancelled(SleepFor(absl::Hours(1), absl::InfiniteFuture(), &token)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(SleepFor(absl::Hours(1), absl::Now(), nullptr)));
}

}  // namespace
}  // namespace tersor::client
