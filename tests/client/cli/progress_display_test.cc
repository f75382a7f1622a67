#include "client/cli/progress_display.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

v1::Event Progress(const std::string& stage, double fraction) {
  v1::Event event;
  event.mutable_progress()->set_stage(stage);
  event.mutable_progress()->set_fraction(fraction);
  event.mutable_progress()->set_eta_seconds(-1);
  return event;
}

v1::Event Message(const std::string& text) {
  v1::Event event;
  event.mutable_message()->set_text(text);
  return event;
}

class ProgressDisplayTest : public ::testing::Test {
 protected:
  std::ostringstream out_, err_;
  Console console_{out_, err_};
};

TEST_F(ProgressDisplayTest, ALogGetsALineAStageAndATenth) {
  {
    ProgressDisplay display(console_);
    for (int i = 0; i <= 100; ++i) display.Emit(Progress(i < 50 ? "calibrate" : "quantize", i / 100.0));
  }
  EXPECT_EQ(
      err_.str(),
      "[  0%] calibrate\n[ 10%] calibrate\n[ 20%] calibrate\n[ 30%] calibrate\n[ 40%] calibrate\n[ 50%] quantize\n"
      "[ 60%] quantize\n[ 70%] quantize\n[ 80%] quantize\n[ 90%] quantize\n[100%] quantize\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ProgressDisplayTest, ATerminalGetsOneBarThatIsTakenAway) {
  console_.terminal = true;
  console_.error_width = 60;
  {
    ProgressDisplay display(console_);
    display.Emit(Progress("quantize", 0.5));
    EXPECT_THAT(err_.str(), StartsWith("\rquantize ["));
    EXPECT_THAT(err_.str(), Not(HasSubstr("\n")));
    display.Emit(Message("hello"));
    EXPECT_THAT(err_.str(), HasSubstr("\r\033[Khello\n\rquantize ["));
  }
  EXPECT_THAT(err_.str(), testing::EndsWith("\r\033[K"));
}

TEST_F(ProgressDisplayTest, QuietKeepsWarningsAlone) {
  console_.quiet = true;
  ProgressDisplay display(console_);
  display.Emit(Progress("quantize", 0.5));
  display.Emit(Message("hello"));
  v1::Event warning;
  warning.mutable_warning()->set_code("W");
  warning.mutable_warning()->set_message("careful");
  display.Emit(warning);
  EXPECT_EQ(err_.str(), "warning W: careful\n");
}

TEST_F(ProgressDisplayTest, LayersAreShownWhereTheyWereNotDoneAsAsked) {
  ProgressDisplay display(console_);
  v1::Event layer;
  layer.mutable_layer()->set_name("model.layers.0.mlp.up_proj");
  display.Emit(layer);
  EXPECT_EQ(err_.str(), "");
  layer.mutable_layer()->set_note("rounded to nearest");
  display.Emit(layer);
  EXPECT_EQ(err_.str(), "model.layers.0.mlp.up_proj: rounded to nearest\n");
}

}  // namespace
}  // namespace tersor::client
