#include "server/worker/event_log.h"

#include "absl/strings/str_cat.h"
#include "server/base/log.h"

namespace tersor {

void EventLog::LogStart(const v1::Progress& progress) {
  if (progress.stage().empty()) return;
  if (progress.stage() != stage_) {
    stage_ = progress.stage();
    counted_ = false;
    Log(LogLevel::kInfo, "stage begins", {{"job", job_id_}, {"attempt", attempt_}, {"stage", stage_}});
  }
  if (counted_ || progress.done() == 0) return;
  counted_ = true;
  // Blocks are what checkpoints keep: who begins with a later one did not do those before.
  if (progress.unit() != "blocks" || progress.done() == 1) return;
  Log(LogLevel::kInfo, "stage goes on from a checkpoint",
      {{"job", job_id_},
       {"attempt", attempt_},
       {"stage", stage_},
       {"done", int64_t{progress.done()}},
       {"total", int64_t{progress.total()}}});
}

void EventLog::LogEnd(const v1::StageReport& stage) {
  Log(LogLevel::kInfo, stage.reused() ? "stage taken over from an earlier run" : "stage ended",
      {{"job", job_id_},
       {"attempt", attempt_},
       {"stage", stage.name()},
       {"seconds", stage.seconds()},
       {"peak_memory_bytes", int64_t{stage.peak_rss_bytes()}}});
}

void EventLog::Emit(const v1::Event& event) {
  if (event.has_progress()) LogStart(event.progress());
  if (event.has_stage_finished()) LogEnd(event.stage_finished());
  if (event.has_warning()) {
    const v1::Warning& warning = event.warning();
    Log(LogLevel::kWarning, warning.message(),
        {{"job", job_id_}, {"attempt", attempt_}, {"reason", warning.code()}, {"where", warning.where()}});
  }
  if (event.has_message()) Log(LogLevel::kInfo, event.message().text(), {{"job", job_id_}, {"attempt", attempt_}});
  next_.Emit(event);
}

}  // namespace tersor
