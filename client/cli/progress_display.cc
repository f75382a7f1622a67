#include "client/cli/progress_display.h"

#include "absl/time/clock.h"
#include "client/cli/progress_text.h"

namespace tersor::client {

void ProgressDisplay::ClearBar() {
  if (bar_.empty()) return;
  console_.Err() << "\r\033[K" << std::flush;
  bar_.clear();
}

void ProgressDisplay::DrawBar() {
  // The last column is left free: some terminals wrap when it is filled.
  bar_ = ProgressBar(last_, console_.error_width - 1);
  console_.Err() << "\r" << bar_ << "\033[K" << std::flush;
  drawn_at_ = absl::Now();
}

void ProgressDisplay::Say(absl::string_view line) {
  bool had_bar = !bar_.empty();
  ClearBar();
  console_.Note(line);
  if (had_bar) DrawBar();
}

void ProgressDisplay::SkipWarnings(const google::protobuf::RepeatedPtrField<v1::Warning>& warnings) {
  for (const v1::Warning& warning : warnings) warned_.insert(WarningLine(warning));
}

void ProgressDisplay::ShowProgress(const v1::Progress& progress) {
  constexpr absl::Duration kRedraw = absl::Milliseconds(100);
  bool new_stage = progress.stage() != last_.stage();
  last_ = progress;
  if (console_.quiet) return;
  if (console_.terminal) {
    bool ended = progress.total() > 0 && progress.done() >= progress.total();
    if (new_stage || ended || absl::Now() - drawn_at_ >= kRedraw) DrawBar();
    return;
  }
  int tenth = static_cast<int>(progress.fraction() * 10);
  if (progress.stage() == logged_stage_ && tenth <= logged_tenth_) return;
  logged_stage_ = progress.stage();
  logged_tenth_ = tenth;
  console_.Note(ProgressLine(progress));
}

void ProgressDisplay::Emit(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kStateChanged:
      return Say(StateLine(event.state_changed()));
    case v1::Event::kProgress:
      return ShowProgress(event.progress());
    case v1::Event::kWarning:
      if (!warned_.insert(WarningLine(event.warning())).second) return;
      ClearBar();
      return console_.Line(WarningLine(event.warning()));
    case v1::Event::kMessage:
      return Say(event.message().text());
    case v1::Event::kStageFinished:
      return Say(StageLine(event.stage_finished()));
    case v1::Event::kLayer:
      if (!event.layer().note().empty()) Say(event.layer().name() + ": " + event.layer().note());
      return;
    case v1::Event::KIND_NOT_SET:
      return;
  }
}

}  // namespace tersor::client
