#include "core/evaluate/batch_generator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/logit_reductions.h"
#include "core/model/block.h"
#include "core/model/head.h"
#include "core/model/kv_cache.h"
#include "core/model/sampler.h"
#include "core/model/special_tokens.h"

namespace tersor {
namespace {

// Tokens of prompts that go through the blocks beside the decoded ones, unless one prompt alone has more.
constexpr int64_t kPrefillTokens = 512;
// A prompt waits for one of the same step to be computed where that saves as many tokens.
constexpr int64_t kWorthWaiting = 32;

int64_t CommonPrefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

int64_t PagesOf(int64_t positions) { return (positions + kKeyBlock - 1) / kKeyBlock; }

// All weights of a model in memory, and the keys and values of the sequences at hand.
class ResidentModel {
 public:
  static absl::StatusOr<std::unique_ptr<ResidentModel>> Load(const Model& model, const ComputeOptions& options) {
    TERSOR_ASSIGN_OR_RETURN(const KvShape shape, CacheShape(model));
    auto resident = std::make_unique<ResidentModel>(model, shape);
    for (int i = 0; i < shape.layers; ++i) {
      TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<Block> block, Block::Load(model, i, options));
      resident->blocks_.push_back(std::move(block));
    }
    TERSOR_ASSIGN_OR_RETURN(resident->head_, Head::Load(model, options));
    return resident;
  }

  ResidentModel(const Model& model, const KvShape& shape) : model_(model), cache_(shape) {}

  KvCache& cache() { return cache_; }

  // Runs prompts' ids, commits them, and returns the most likely id after each sequence.
  absl::StatusOr<std::vector<int32_t>> Prefill(PackedBatch batch, std::span<const int32_t> ids) {
    if (ids.empty()) return std::vector<int32_t>();
    const int64_t width = model_.spec.width;
    batch.cache = &cache_;
    std::vector<float> hidden(ids.size() * width);
    TERSOR_RETURN_IF_ERROR(Embed(model_, ids, hidden));
    for (const auto& block : blocks_) TERSOR_RETURN_IF_ERROR(block->Forward(batch, hidden));
    std::vector<float> last(batch.sequences() * width);
    for (int64_t i = 0; i < batch.sequences(); ++i) {
      cache_.Commit(batch.slots[i], batch.offsets[i + 1] - batch.offsets[i]);
      std::copy_n(hidden.begin() + (batch.offsets[i + 1] - 1) * width, width, last.begin() + i * width);
    }
    return MostLikely(last);
  }

  // The same of one id of each slot.
  absl::StatusOr<std::vector<int32_t>> Decode(std::span<const int64_t> slots, std::span<const int32_t> ids) {
    if (ids.empty()) return std::vector<int32_t>();
    std::vector<float> hidden(ids.size() * model_.spec.width);
    TERSOR_RETURN_IF_ERROR(Embed(model_, ids, hidden));
    for (const auto& block : blocks_) TERSOR_RETURN_IF_ERROR(block->Step(cache_, slots, hidden));
    for (const int64_t slot : slots) cache_.Commit(slot, 1);
    return MostLikely(hidden);
  }

 private:
  // A few rows' logits are in memory at a time.
  absl::StatusOr<std::vector<int32_t>> MostLikely(std::span<const float> hidden) const {
    constexpr int64_t kRows = 32;
    const int64_t width = model_.spec.width, vocabulary = model_.spec.vocabulary;
    const int64_t rows = static_cast<int64_t>(hidden.size()) / width;
    std::vector<float> logits(std::min(kRows, rows) * vocabulary);
    std::vector<int32_t> ids;
    for (int64_t first = 0; first < rows; first += kRows) {
      const int64_t count = std::min(kRows, rows - first);
      TERSOR_RETURN_IF_ERROR(head_->RowLogits(hidden.subspan(first * width, count * width), count,
                                              std::span(logits).first(count * vocabulary)));
      for (int64_t row = 0; row < count; ++row) {
        const LogitStats stats = ReduceLogits(logits.data() + row * vocabulary, vocabulary, 0);
        if (stats.argmax < 0 || std::isnan(stats.sum_exp)) return LogitsWithoutNumber();
        ids.push_back(static_cast<int32_t>(stats.argmax));
      }
    }
    return ids;
  }

  const Model& model_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::unique_ptr<Head> head_;
  KvCache cache_;
};

// A prompt that is being continued.
struct Sequence {
  int64_t index = 0;
  int64_t slot = 0;
  // Pages that it may come to need for itself.
  int64_t pages = 0;
  // What the next step reads: the prompt's rest, then one id at a time.
  std::vector<int32_t> pending = {};
  // Whether the prompt has been read.
  bool begun = false;
};

class BatchGeneration {
 public:
  // Prompts keep their last `room` tokens.
  BatchGeneration(ResidentModel& model, const Tokenizer& tokenizer, std::span<const std::vector<int32_t>> prompts,
                  int64_t room, std::vector<int64_t> end_ids, const BatchGenerateOptions& options)
      : model_(model),
        tokenizer_(tokenizer),
        end_ids_(std::move(end_ids)),
        options_(options),
        pages_(std::max<int64_t>(1, options.cache_bytes / model.cache().PageBytes())),
        order_(prompts.size()),
        texts_(prompts.size()) {
    for (size_t i = 0; i < prompts.size(); ++i) {
      const int64_t kept = std::min<int64_t>(room, prompts[i].size());
      prompts_.push_back(std::span(prompts[i]).last(kept));
      texts_[i].dropped = static_cast<int64_t>(prompts[i].size()) - kept;
    }
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) {
      return std::lexicographical_compare(prompts_[a].begin(), prompts_[a].end(), prompts_[b].begin(),
                                          prompts_[b].end());
    });
  }

  absl::StatusOr<std::vector<GeneratedText>> Run(const EvaluateContext& context) {
    const auto total = static_cast<int64_t>(prompts_.size());
    int64_t done = 0;
    while (done < total) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
      TERSOR_RETURN_IF_ERROR(Admit());
      TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> next, Step());
      TERSOR_RETURN_IF_ERROR(KeepDonor());
      TERSOR_ASSIGN_OR_RETURN(const int64_t ended, Extend(next));
      done += ended;
      if (ended > 0) context.Report(done, total);
    }
    return std::move(texts_);
  }

 private:
  // A slot that holds the beginning of the next prompt to be admitted.
  struct Donor {
    int64_t slot = 0;
    std::span<const int32_t> ids;
  };

  absl::Status Admit() {
    newest_ = {};
    int64_t tokens = 0;
    while (next_ < order_.size() && static_cast<int64_t>(active_.size()) < options_.batch && tokens < kPrefillTokens) {
      const std::span<const int32_t> prompt = prompts_[order_[next_]];
      // The last token is always read: what comes after it is wanted.
      const auto whole = static_cast<int64_t>(prompt.size()) - 1;
      const int64_t shared = donor_ ? Keepable(donor_->slot, std::min(whole, CommonPrefix(donor_->ids, prompt))) : 0;
      if (!newest_.empty() && CommonPrefix(newest_, prompt) - shared >= kWorthWaiting) break;
      Sequence sequence{.index = order_[next_]};
      sequence.pages = PagesOf(prompt.size() + options_.max_tokens) - shared / kKeyBlock;
      int64_t in_use = donor_ ? PagesOf(donor_->ids.size()) : 0;
      for (const Sequence& other : active_) in_use += other.pages;
      if (!active_.empty() && in_use + sequence.pages > pages_) break;
      TERSOR_ASSIGN_OR_RETURN(sequence.slot, BeginSlot(shared));
      sequence.pending.assign(prompt.begin() + shared, prompt.end());
      tokens += static_cast<int64_t>(sequence.pending.size());
      newest_ = prompt;
      newest_slot_ = sequence.slot;
      active_.push_back(std::move(sequence));
      ++next_;
    }
    return absl::OkStatus();
  }

  int64_t Keepable(int64_t slot, int64_t positions) { return model_.cache().Keepable(slot, positions); }

  absl::StatusOr<int64_t> BeginSlot(int64_t shared) {
    if (shared == 0) return model_.cache().AddSlot();
    return model_.cache().Fork(donor_->slot, shared);
  }

  // The id after each active sequence. Prompts are read, and ids decoded, by kernels of their own: which one computes a
  // position does not depend on the batch.
  absl::StatusOr<std::vector<int32_t>> Step() {
    PackedBatch prompts{.offsets = {0}};
    std::vector<int32_t> prompt_ids, ids;
    std::vector<int64_t> slots;
    for (const Sequence& sequence : active_) {
      if (sequence.begun) {
        ids.push_back(sequence.pending[0]);
        slots.push_back(sequence.slot);
        continue;
      }
      prompt_ids.insert(prompt_ids.end(), sequence.pending.begin(), sequence.pending.end());
      prompts.offsets.push_back(static_cast<int64_t>(prompt_ids.size()));
      prompts.slots.push_back(sequence.slot);
    }
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> decoded, model_.Decode(slots, ids));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> prefilled, model_.Prefill(std::move(prompts), prompt_ids));
    std::vector<int32_t> next;
    auto after_id = decoded.begin(), after_prompt = prefilled.begin();
    for (Sequence& sequence : active_) {
      next.push_back(sequence.begun ? *after_id++ : *after_prompt++);
      sequence.begun = true;
    }
    return next;
  }

  // Keeps what the next prompt has in common with the one admitted last, before that one can end.
  absl::Status KeepDonor() {
    if (newest_.empty()) return absl::OkStatus();
    const std::span<const int32_t> next = next_ < order_.size() ? prompts_[order_[next_]] : std::span<const int32_t>();
    const int64_t shared = Keepable(newest_slot_, CommonPrefix(newest_, next));
    const int64_t before = donor_ ? CommonPrefix(donor_->ids, next) : 0;
    if (donor_ && (before < shared || before == 0)) {
      model_.cache().Release(donor_->slot);
      donor_.reset();
    }
    if (shared <= before) return absl::OkStatus();
    TERSOR_ASSIGN_OR_RETURN(const int64_t slot, model_.cache().Fork(newest_slot_, shared));
    donor_ = Donor{slot, newest_.first(shared)};
    return absl::OkStatus();
  }

  // Appends an id to each active sequence; returns how many of them ended.
  absl::StatusOr<int64_t> Extend(const std::vector<int32_t>& next) {
    std::vector<Sequence> left;
    for (size_t i = 0; i < active_.size(); ++i) {
      GeneratedText& text = texts_[active_[i].index];
      text.ids.push_back(next[i]);
      TERSOR_ASSIGN_OR_RETURN(const bool ended, HasEnded(text));
      if (!ended) {
        active_[i].pending = {next[i]};
        left.push_back(std::move(active_[i]));
        continue;
      }
      model_.cache().Release(active_[i].slot);
      if (options_.on_text) TERSOR_RETURN_IF_ERROR(options_.on_text(active_[i].index, text));
    }
    const auto ended = static_cast<int64_t>(active_.size() - left.size());
    active_ = std::move(left);
    return ended;
  }

  // Fills the text of one that has ended. Stop strings are looked for in the whole text: how ids fall into characters
  // can change with what follows them.
  absl::StatusOr<bool> HasEnded(GeneratedText& generated) const {
    const bool end_token = std::find(end_ids_.begin(), end_ids_.end(), generated.ids.back()) != end_ids_.end();
    const bool full = static_cast<int64_t>(generated.ids.size()) >= options_.max_tokens;
    if (!end_token && !full && options_.stops.empty()) return false;
    TERSOR_ASSIGN_OR_RETURN(std::string text, tokenizer_.Decode(generated.ids, /*skip_special=*/true));
    size_t stop = std::string::npos;
    for (const std::string& wanted : options_.stops) stop = std::min(stop, text.find(wanted));
    if (stop != std::string::npos) {
      text.resize(stop);
      generated.end = GenerationEnd::kStopString;
    } else if (end_token) {
      generated.end = GenerationEnd::kEndToken;
    } else if (!full) {
      return false;
    }
    generated.text = std::move(text);
    return true;
  }

  ResidentModel& model_;
  const Tokenizer& tokenizer_;
  std::vector<std::span<const int32_t>> prompts_;
  const std::vector<int64_t> end_ids_;
  const BatchGenerateOptions& options_;
  const int64_t pages_;
  // Prompts in lexicographic order, so that neighbours share most; the next one to be admitted.
  std::vector<int64_t> order_;
  size_t next_ = 0;
  std::vector<Sequence> active_;
  std::optional<Donor> donor_;
  // The prompt admitted last in this step; empty where none was.
  std::span<const int32_t> newest_;
  int64_t newest_slot_ = 0;
  std::vector<GeneratedText> texts_;
};

absl::Status Check(std::span<const std::vector<int32_t>> prompts, const BatchGenerateOptions& options,
                   int64_t context_length) {
  if (options.max_tokens < 1 || options.batch < 1) {
    return absl::InvalidArgumentError("max_tokens and batch must be positive");
  }
  if (options.max_tokens >= context_length) {
    return absl::InvalidArgumentError(absl::StrCat("max_tokens of ", options.max_tokens,
                                                   " leaves no room for a prompt in a context of ", context_length));
  }
  if (std::any_of(options.stops.begin(), options.stops.end(), [](const std::string& stop) { return stop.empty(); })) {
    return absl::InvalidArgumentError("a stop string is empty: nothing would be generated");
  }
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (prompts[i].empty()) return absl::InvalidArgumentError(absl::StrCat("prompt ", i, " has no tokens"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<GeneratedText>> GenerateAll(const Model& model, const Tokenizer& tokenizer,
                                                       std::span<const std::vector<int32_t>> prompts,
                                                       const BatchGenerateOptions& options,
                                                       const EvaluateContext& context) {
  const int64_t context_length =
      model.spec.context_length > 0 ? model.spec.context_length : std::numeric_limits<int32_t>::max();
  TERSOR_RETURN_IF_ERROR(Check(prompts, options, context_length));
  if (prompts.empty()) return std::vector<GeneratedText>();
  TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<ResidentModel> resident, ResidentModel::Load(model, options.compute));
  TERSOR_ASSIGN_OR_RETURN(const SpecialTokens special, SpecialTokensOf(model.spec, model.assets, &tokenizer));
  BatchGeneration generation(*resident, tokenizer, prompts, context_length - options.max_tokens,
                             options.end_ids.empty() ? special.ends : options.end_ids, options);
  return generation.Run(context);
}

}  // namespace tersor
