// A job's events on standard error, as they come.
#ifndef TERSOR_CLIENT_CLI_PROGRESS_DISPLAY_H_
#define TERSOR_CLIENT_CLI_PROGRESS_DISPLAY_H_

#include <set>
#include <string>

#include "absl/time/time.h"
#include "client/cli/console.h"
#include "core/base/event_sink.h"

namespace tersor::client {

// On a terminal one bar that is redrawn, with messages above it; elsewhere a line at a stage's start and end and at
// every tenth of the job. Nothing but warnings when the console is quiet. Not thread-safe.
class ProgressDisplay final : public EventSink {
 public:
  explicit ProgressDisplay(Console& console) : console_(console) {}
  // Takes the bar away.
  ~ProgressDisplay() override { ClearBar(); }

  void Emit(const v1::Event& event) override;
  // A line of its own, the bar after it.
  void Say(absl::string_view line);
  // The user has seen these: they are not shown again, as no warning is shown twice.
  void SkipWarnings(const google::protobuf::RepeatedPtrField<v1::Warning>& warnings);

 private:
  void ShowProgress(const v1::Progress& progress);
  void DrawBar();
  void ClearBar();

  Console& console_;
  v1::Progress last_;
  std::set<std::string> warned_;
  std::string bar_;
  absl::Time drawn_at_ = absl::InfinitePast();
  // Of the last line in a log.
  std::string logged_stage_;
  int logged_tenth_ = -1;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_PROGRESS_DISPLAY_H_
