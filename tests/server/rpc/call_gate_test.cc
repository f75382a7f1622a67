#include "server/rpc/call_gate.h"

#include <atomic>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "server/base/error_details.h"

namespace tersor {
namespace {

bool Never() { return false; }

TEST(CallGateTest, TheNextOneEntersWhenAPlaceIsFree) {
  CallGate gate(1, 1);
  auto first = std::make_unique<CallGate::Place>(gate, Never);
  ASSERT_TRUE(first->status().ok());
  std::atomic<bool> entered{false};
  std::thread second([&] {
    const CallGate::Place place(gate, Never);
    EXPECT_TRUE(place.status().ok());
    entered = true;
  });
  EXPECT_FALSE(entered);
  first.reset();
  second.join();
  EXPECT_TRUE(entered);
}

TEST(CallGateTest, WhoFindsTheRoomFullIsSentAway) {
  CallGate gate(1, 0);
  const CallGate::Place first(gate, Never);
  {
    const CallGate::Place second(gate, Never);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(second.status()), "TOO_MANY_CALLS");
  }
  const CallGate::Place third(gate, Never);
  EXPECT_FALSE(third.status().ok()) << "who was sent away gives no place back";
}

TEST(CallGateTest, WhoIsGoneWaitsNoLonger) {
  CallGate gate(1, 1);
  const CallGate::Place first(gate, Never);
  int asked = 0;
  {
    const CallGate::Place second(gate, [&] { return ++asked == 2; });
    EXPECT_EQ(second.status().code(), absl::StatusCode::kCancelled);
  }
  const CallGate::Place third(gate, [] { return true; });
  EXPECT_EQ(third.status().code(), absl::StatusCode::kCancelled) << "its place in the waiting room was free again";
}

}  // namespace
}  // namespace tersor
