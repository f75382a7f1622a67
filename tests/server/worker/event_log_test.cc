#include "server/worker/event_log.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CountingSink final : public EventSink {
 public:
  void Emit(const v1::Event&) override { ++count; }
  int count = 0;
};

v1::Event Progress(const std::string& stage, int done) {
  v1::Event event;
  event.mutable_progress()->set_stage(stage);
  event.mutable_progress()->set_done(done);
  event.mutable_progress()->set_total(30);
  event.mutable_progress()->set_unit("blocks");
  return event;
}

TEST(EventLogTest, TellsStagesWarningsAndWhereItGoesOn) {
  CountingSink sink;
  EventLog log(sink, "job-1", 2);
  v1::Event ended, warned;
  ended.mutable_stage_finished()->set_name("quantize:rtn");
  ended.mutable_stage_finished()->set_seconds(1.5);
  ended.mutable_stage_finished()->set_peak_rss_bytes(1000);
  warned.mutable_warning()->set_code("ADVICE");
  warned.mutable_warning()->set_message("too few windows");
  ::testing::internal::CaptureStderr();
  for (const v1::Event& event :
       {Progress("quantize:rtn", 0), Progress("quantize:rtn", 13), Progress("quantize:rtn", 14), ended, warned}) {
    log.Emit(event);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(sink.count, 5);
  EXPECT_THAT(
      text,
      HasSubstr(
          "\"message\":\"stage goes on from a checkpoint\",\"job\":\"job-1\",\"attempt\":2,\"stage\":\"quantize:rtn\","
          "\"done\":13,\"total\":30}"));
  EXPECT_THAT(text, HasSubstr("\"message\":\"stage begins\""));
  EXPECT_THAT(text, Not(HasSubstr("\"done\":14")));
  EXPECT_THAT(text, HasSubstr("\"message\":\"stage ended\""));
  EXPECT_THAT(text, HasSubstr("\"seconds\":1.5,\"peak_memory_bytes\":1000}"));
  EXPECT_THAT(text, HasSubstr("\"level\":\"warning\",\"message\":\"too few windows\""));
}

}  // namespace
}  // namespace tersor
