#include "server/worker/event_publisher.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

v1::Event Progress(const std::string& stage, int done) {
  v1::Event event;
  event.mutable_progress()->set_stage(stage);
  event.mutable_progress()->set_done(done);
  return event;
}

v1::Event Layer(int number) {
  v1::Event event;
  event.mutable_layer()->set_name("layer" + std::to_string(number));
  return event;
}

struct Receiver {
  absl::Status Receive(int64_t first_number, const std::vector<v1::Event>& batch) {
    EXPECT_EQ(first_number, static_cast<int64_t>(events.size()) + 1);
    events.insert(events.end(), batch.begin(), batch.end());
    return absl::OkStatus();
  }
  std::vector<v1::Event> events;
};

TEST(EventPublisherTest, EverythingButReplacedProgressArrivesInOrder) {
  Receiver receiver;
  {
    EventPublisher publisher([&](int64_t first, const auto& events) { return receiver.Receive(first, events); },
                             {.capacity = 4096, .batch = 7, .interval = absl::Hours(1)});
    for (int i = 0; i < 100; ++i) {
      publisher.Emit(Layer(i));
      publisher.Emit(Progress("a", i));
      publisher.Emit(Progress("a", i + 1));
    }
    publisher.Emit(Progress("b", 0));
    EXPECT_TRUE(publisher.Finish().ok());
  }
  ASSERT_EQ(receiver.events.size(), 201);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(receiver.events[2 * i].layer().name(), "layer" + std::to_string(i));
    EXPECT_EQ(receiver.events[2 * i + 1].progress().done(), i + 1) << "the newer one";
    EXPECT_TRUE(receiver.events[2 * i].has_time());
  }
  EXPECT_EQ(receiver.events.back().progress().stage(), "b");
}

TEST(EventPublisherTest, FullQueueWaitsForTheServerAndLosesNothing) {
  absl::Notification server_back;
  Receiver receiver;
  EventPublisher publisher(
      [&](int64_t first, const auto& events) {
        server_back.WaitForNotification();
        return receiver.Receive(first, events);
      },
      {.capacity = 4, .batch = 2, .interval = absl::ZeroDuration()});
  std::atomic<int> emitted{0};
  std::thread job([&] {
    for (; emitted < 50; ++emitted) publisher.Emit(Layer(emitted));
  });
  EXPECT_LE(emitted.load(), 7) << "what is being sent, what waits, and the one that is held up";
  server_back.Notify();
  job.join();
  EXPECT_TRUE(publisher.Finish().ok());
  EXPECT_EQ(receiver.events.size(), 50);
}

TEST(EventPublisherTest, AfterAnErrorNothingBlocks) {
  EventPublisher publisher([](int64_t, const auto&) { return absl::FailedPreconditionError("stale"); },
                           {.capacity = 2, .batch = 1, .interval = absl::ZeroDuration()});
  for (int i = 0; i < 100; ++i) publisher.Emit(Layer(i));
  EXPECT_EQ(publisher.Finish().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tersor
