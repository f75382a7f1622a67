#include "core/compress/walk_progress.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

void EmitOutcome(const std::vector<v1::Warning>& warnings, const std::vector<v1::LayerResult>& layers,
                 EventSink& events) {
  for (const v1::Warning& warning : warnings) {
    v1::Event event;
    *event.mutable_warning() = warning;
    events.Emit(event);
  }
  for (const v1::LayerResult& layer : layers) {
    v1::Event event;
    *event.mutable_layer() = layer;
    events.Emit(event);
  }
}

WalkProgress::WalkProgress(std::string stage, int blocks, int64_t tokens, EventSink& events)
    : stage_(std::move(stage)), blocks_(blocks), tokens_(tokens), events_(events) {}

void WalkProgress::BlockTakenOver(const BlockRecord& record) {
  ++taken_over_;
  EmitOutcome(record.warnings, record.layers, events_);
}

void WalkProgress::SegmentDone(int blocks_done, double share) { EmitProgress(blocks_done, share); }

void WalkProgress::BlockDone(const BlockRecord& record) {
  EmitOutcome(record.warnings, record.layers, events_);
  EmitProgress(record.block + 1, 0);
}

void WalkProgress::EmitProgress(int blocks_done, double share) {
  const double seconds = watch_.Seconds();
  const double walked = blocks_done + share - taken_over_, left = blocks_ - blocks_done - share;
  v1::Event event;
  v1::Progress& progress = *event.mutable_progress();
  progress.set_stage(stage_);
  progress.set_done(blocks_done);
  progress.set_total(blocks_);
  progress.set_unit("blocks");
  progress.set_fraction((blocks_done + share) / blocks_);
  progress.set_eta_seconds(walked > 0 ? seconds / walked * left : -1);
  if (seconds > 0) progress.set_tokens_per_second(static_cast<double>(tokens_) * walked / blocks_ / seconds);
  events_.Emit(event);
}

}  // namespace tersor
