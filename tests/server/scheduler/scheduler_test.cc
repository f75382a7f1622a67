#include "server/scheduler/scheduler.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

QueuedJob Queued(const std::string& id, int64_t ordinal, int threads, int64_t gib, int32_t priority = 0,
                 int waited_minutes = 0, const std::string& fingerprint = "") {
  return {.id = id,
          .priority = priority,
          .ordinal = ordinal,
          .waited = absl::Minutes(waited_minutes),
          .threads = threads,
          .memory_bytes = gib * kGiB,
          .fingerprint = fingerprint};
}

RunningJob Running(int threads, int64_t gib, const std::string& fingerprint = "") {
  return {.threads = threads, .memory_bytes = gib * kGiB, .fingerprint = fingerprint};
}

struct Case {
  const char* name;
  std::vector<QueuedJob> queued;
  std::vector<RunningJob> running;
  std::vector<std::string> start;
};

// The machine has 4 threads and 8 GiB.
const Case kCases[] = {
    {"nothing waits", {}, {}, {}},
    {"one fits", {Queued("a", 1, 4, 2)}, {}, {"a"}},
    {"in order of submission", {Queued("b", 2, 1, 1), Queued("a", 1, 1, 1)}, {}, {"a", "b"}},
    {"priority first", {Queued("a", 1, 4, 1), Queued("b", 2, 4, 1, 5)}, {}, {"b"}},
    {"negative priority last", {Queued("a", 1, 2, 1, -1), Queued("b", 2, 3, 1)}, {}, {"b"}},
    {"threads are counted", {Queued("a", 1, 2, 1)}, {Running(3, 1)}, {}},
    {"exactly the rest", {Queued("a", 1, 1, 7)}, {Running(3, 1)}, {"a"}},
    {"memory is counted", {Queued("a", 1, 1, 8)}, {Running(1, 1)}, {}},
    {"a smaller one passes", {Queued("a", 1, 4, 1), Queued("b", 2, 1, 1)}, {Running(2, 1)}, {"b"}},
    {"not once the first has waited long", {Queued("a", 1, 4, 1, 0, 11), Queued("b", 2, 1, 1)}, {Running(2, 1)}, {}},
    {"too large for the machine starts alone", {Queued("a", 1, 9, 99), Queued("b", 2, 1, 1)}, {}, {"a"}},
    {"too large waits for the others", {Queued("a", 1, 9, 99)}, {Running(1, 1)}, {}},
    {"equal jobs one after the other",
     {Queued("a", 1, 1, 1, 0, 0, "f"), Queued("b", 2, 1, 1, 0, 0, "f"), Queued("c", 3, 1, 1, 0, 0, "g")},
     {},
     {"a", "c"}},
    {"an equal job runs", {Queued("a", 1, 1, 1, 0, 60, "f"), Queued("b", 2, 1, 1)}, {Running(1, 1, "f")}, {"b"}},
    {"without fingerprint never equal", {Queued("a", 1, 1, 1), Queued("b", 2, 1, 1)}, {Running(1, 1)}, {"a", "b"}},
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class SchedulerTest : public ::testing::TestWithParam<Case> {};

TEST_P(SchedulerTest, Starts) {
  SchedulerSnapshot snapshot;
  snapshot.queued = GetParam().queued;
  snapshot.running = GetParam().running;
  snapshot.threads = 4;
  snapshot.memory_bytes = 8 * kGiB;
  EXPECT_EQ(JobsToStart(snapshot), GetParam().start) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(Table, SchedulerTest, ::testing::ValuesIn(kCases));

}  // namespace
}  // namespace tersor
