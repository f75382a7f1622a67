#include "core/model/generate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/stopwatch.h"
#include "core/model/block.h"
#include "core/model/head.h"
#include "core/model/kv_cache.h"
#include "core/model/linear.h"
#include "core/model/packed_head.h"
#include "core/model/sampler.h"

namespace tersor {
namespace {

// Prompts go through the blocks in pieces of this many tokens.
constexpr int64_t kPrefillTokens = 512;
// Of the prompt and its continuation.
constexpr int64_t kSlot = 0;

class ResidentGenerator final : public Generator {
 public:
  static absl::StatusOr<std::unique_ptr<Generator>> Create(const Model& model, const ComputeOptions& options) {
    TERSOR_ASSIGN_OR_RETURN(const KvShape shape, CacheShape(model));
    std::unique_ptr<ResidentGenerator> generator(new ResidentGenerator(model, shape));
    for (int i = 0; i < shape.layers; ++i) {
      TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Block> block, Block::Load(model, i, options));
      generator->blocks_.push_back(std::move(block));
    }
    TERSOR_ASSIGN_OR_RETURN(generator->head_, PackedHead::Create(model, options));
    return std::unique_ptr<Generator>(std::move(generator));
  }

  absl::StatusOr<std::vector<int32_t>> Generate(std::span<const int32_t> prompt, const GenerateOptions& options,
                                                const std::function<void(int32_t)>& on_token) override {
    if (options.max_tokens < 0 || !(options.temperature >= 0)) {
      return absl::InvalidArgumentError("max_tokens and temperature must not be negative");
    }
    std::vector<int32_t> continuation;
    if (options.max_tokens == 0) return continuation;
    TERSOR_ASSIGN_OR_RETURN(std::vector<float> logits, Prefill(prompt, options.cancellation));
    Sampler sampler(options.temperature, options.seed);
    while (true) {
      TERSOR_ASSIGN_OR_RETURN(const int32_t id, sampler.Next(logits));
      continuation.push_back(id);
      if (on_token) on_token(id);
      const bool stopped = std::find(options.stop_ids.begin(), options.stop_ids.end(), id) != options.stop_ids.end();
      const bool full = cache_.length(0) >= Context();
      if (stopped || full || static_cast<int>(continuation.size()) >= options.max_tokens) break;
      TERSOR_RETURN_IF_ERROR(CheckCancelled(options.cancellation));
      TERSOR_RETURN_IF_ERROR(Decode({&kSlot, 1}, {&id, 1}, logits));
    }
    return continuation;
  }

  Kernels KernelsInUse() const override {
    Kernels kernels;
    const auto count = [&](const Linear& linear) {
      kernels.prefill[linear.kernel()] += linear.outputs() * linear.inputs();
      kernels.decode[linear.row_kernel()] += linear.outputs() * linear.inputs();
    };
    for (const auto& block : blocks_) {
      for (const Linear* linear : block->linears()) count(*linear);
    }
    for (const Linear& chunk : head_->chunk_linears()) count(chunk);
    return kernels;
  }

  absl::StatusOr<std::vector<float>> LastLogits(std::span<const int32_t> prompt) override {
    return Prefill(prompt, nullptr);
  }

  absl::StatusOr<double> TimePrefill(int tokens) override {
    const std::vector<int32_t> ids = SomeIds(tokens);
    prompt_.clear();
    const Stopwatch watch;
    TERSOR_RETURN_IF_ERROR(Prefill(ids, nullptr).status());
    return watch.Seconds();
  }

  absl::StatusOr<std::vector<double>> TimeDecode(const DecodeTiming& timing) override {
    if (timing.batch < 1 || timing.context < 1) {
      return absl::InvalidArgumentError("decoding is timed with at least one sequence and one id before it");
    }
    TERSOR_ASSIGN_OR_RETURN(std::vector<float> logits, Prefill(SomeIds(timing.context), nullptr));
    std::vector<int64_t> slots = {kSlot};
    for (int i = 1; i < timing.batch; ++i) {
      slots.push_back(cache_.AddSlot());
      std::vector<float> hidden;
      TERSOR_RETURN_IF_ERROR(PrefillPiece(SomeIds(timing.context), slots.back(), hidden));
    }
    logits.resize(timing.batch * model_.spec.vocabulary);
    const std::vector<int32_t> ids = SomeIds(timing.steps + timing.batch);
    std::vector<double> seconds;
    for (int step = 0; step < timing.steps; ++step) {
      const Stopwatch watch;
      TERSOR_RETURN_IF_ERROR(Decode(slots, std::span(ids).subspan(step, timing.batch), logits));
      seconds.push_back(watch.Seconds());
    }
    for (int i = 1; i < timing.batch; ++i) cache_.Release(slots[i]);
    return seconds;
  }

 private:
  ResidentGenerator(const Model& model, const KvShape& shape) : model_(model), cache_(shape) { cache_.AddSlot(); }

  int64_t Context() const {
    return model_.spec.context_length > 0 ? model_.spec.context_length : std::numeric_limits<int64_t>::max();
  }

  std::vector<int32_t> SomeIds(int count) const {
    std::vector<int32_t> ids(std::max(count, 0));
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>((i * 7919 + 17) % model_.spec.vocabulary);
    return ids;
  }

  // Brings the cache to `prompt` (what it shares with the last prompt stays) and returns its last position's logits.
  absl::StatusOr<std::vector<float>> Prefill(std::span<const int32_t> prompt, const CancellationToken* cancellation) {
    if (prompt.empty()) return absl::InvalidArgumentError("the prompt is empty");
    if (static_cast<int64_t>(prompt.size()) > Context()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the prompt has ", prompt.size(), " ids, the model's context ", Context()));
    }
    // Positions that were decoded are not kept: a prompt's result must not depend on what ran before.
    const auto differ = std::mismatch(prompt_.begin(), prompt_.end(), prompt.begin(), prompt.end()).first;
    const int64_t kept = cache_.Keepable(0, std::min<int64_t>(differ - prompt_.begin(), prompt.size() - 1));
    prompt_.resize(kept);
    TERSOR_RETURN_IF_ERROR(cache_.Truncate(0, kept));
    std::vector<float> hidden;
    for (int64_t first = kept; first < static_cast<int64_t>(prompt.size()); first += kPrefillTokens) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
      const int64_t count = std::min<int64_t>(kPrefillTokens, prompt.size() - first);
      TERSOR_RETURN_IF_ERROR(PrefillPiece(prompt.subspan(first, count), 0, hidden));
      prompt_.insert(prompt_.end(), prompt.begin() + first, prompt.begin() + first + count);
    }
    std::vector<float> logits(model_.spec.vocabulary);
    const std::span<const float> last = std::span<const float>(hidden).last(model_.spec.width);
    // Decoding the head for one row would cost more than the row.
    const bool encoded = head_->chunk_linears()[0].encoded();
    TERSOR_RETURN_IF_ERROR(encoded ? head_->RowLogits(last, 1, logits) : head_->Logits(last, 1, logits));
    return logits;
  }

  absl::Status PrefillPiece(std::span<const int32_t> ids, int64_t slot, std::vector<float>& hidden) {
    PackedBatch batch;
    batch.offsets = {0, static_cast<int64_t>(ids.size())};
    batch.cache = &cache_;
    batch.slots = {slot};
    hidden.resize(ids.size() * model_.spec.width);
    TERSOR_RETURN_IF_ERROR(Embed(model_, ids, hidden));
    for (const auto& block : blocks_) TERSOR_RETURN_IF_ERROR(block->Forward(batch, hidden));
    cache_.Commit(slot, batch.tokens());
    return absl::OkStatus();
  }

  // One id of each slot's sequence; logits [slots, vocabulary].
  absl::Status Decode(std::span<const int64_t> slots, std::span<const int32_t> ids, std::vector<float>& logits) {
    std::vector<float> hidden(ids.size() * model_.spec.width);
    TERSOR_RETURN_IF_ERROR(Embed(model_, ids, hidden));
    for (const auto& block : blocks_) TERSOR_RETURN_IF_ERROR(block->Step(cache_, slots, hidden));
    for (const int64_t slot : slots) cache_.Commit(slot, 1);
    return head_->RowLogits(hidden, static_cast<int64_t>(slots.size()), logits);
  }

  Model model_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::unique_ptr<PackedHead> head_;
  // Slot 0: the last prompt's positions, those of prompt_, and what was generated after them.
  KvCache cache_;
  std::vector<int32_t> prompt_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Generator>> Generator::Create(const Model& model, const ComputeOptions& options) {
  return ResidentGenerator::Create(model, options);
}

}  // namespace tersor
