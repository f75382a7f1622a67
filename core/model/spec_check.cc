#include "core/model/spec_check.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr int64_t kMaxVocabulary = int64_t{1} << 28;
constexpr int64_t kMaxContext = int64_t{1} << 40;

absl::Status InRange(absl::string_view what, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " is ", value, ", outside ", low, "..", high));
}

absl::Status Positive(absl::string_view what, double value) {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " is ", value, ", not a positive number"));
}

absl::Status CheckAttention(const AttentionSpec& attention) {
  TERSOR_RETURN_IF_ERROR(InRange("the number of attention heads", attention.heads, 1, kMaxWidth));
  TERSOR_RETURN_IF_ERROR(InRange("the number of key-value heads", attention.kv_heads, 1, attention.heads));
  TERSOR_RETURN_IF_ERROR(InRange("the head size", attention.head_size, 2, kMaxWidth));
  if (attention.heads % attention.kv_heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(attention.kv_heads, " key-value heads do not divide ", attention.heads, " attention heads"));
  }
  if (attention.head_size % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the head size is ", attention.head_size, ": rotary embedding needs an even one"));
  }
  TERSOR_RETURN_IF_ERROR(InRange("heads x head size", int64_t{attention.heads} * attention.head_size, 1, kMaxWidth));
  for (const double figure : {attention.score_scale, attention.score_cap}) {
    if (!std::isfinite(figure) || figure < 0) {
      return absl::InvalidArgumentError(absl::StrCat("the scores' scale or cap is ", figure));
    }
  }
  return InRange("the sliding window", attention.sliding_window, 0, kMaxContext);
}

absl::Status CheckRope(const RopeSpec& rope, int64_t head_size) {
  TERSOR_RETURN_IF_ERROR(Positive("rope theta", rope.theta));
  TERSOR_RETURN_IF_ERROR(Positive("the linear rope factor", rope.linear_factor));
  const int64_t turned = rope.rotary_size == 0 ? head_size : rope.rotary_size;
  TERSOR_RETURN_IF_ERROR(InRange("the part of a head that is turned", turned, 2, head_size));
  if (turned % 2 != 0) return absl::InvalidArgumentError("the part of a head that is turned is odd");
  if (rope.longrope.has_value()) {
    TERSOR_RETURN_IF_ERROR(InRange("the longrope original context", rope.longrope->original_context, 1, kMaxContext));
    TERSOR_RETURN_IF_ERROR(Positive("the longrope magnitude", rope.longrope->magnitude));
    for (const std::vector<double>* factors : {&rope.longrope->short_factors, &rope.longrope->long_factors}) {
      if (static_cast<int64_t>(factors->size()) != turned / 2) {
        return absl::InvalidArgumentError(
            absl::StrCat(factors->size(), " longrope factors for ", turned / 2, " frequencies"));
      }
      for (const double factor : *factors) TERSOR_RETURN_IF_ERROR(Positive("a longrope factor", factor));
    }
  }
  if (!rope.llama3.has_value()) return absl::OkStatus();
  const Llama3RopeScaling& scaling = *rope.llama3;
  TERSOR_RETURN_IF_ERROR(Positive("the llama3 rope factor", scaling.factor));
  TERSOR_RETURN_IF_ERROR(Positive("the llama3 rope low_freq_factor", scaling.low_freq_factor));
  TERSOR_RETURN_IF_ERROR(Positive("the llama3 rope high_freq_factor", scaling.high_freq_factor));
  TERSOR_RETURN_IF_ERROR(InRange("the llama3 rope original context", scaling.original_context, 1, kMaxContext));
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    return absl::InvalidArgumentError("the llama3 rope high_freq_factor is not above low_freq_factor");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSpec(const ModelSpec& spec) {
  TERSOR_RETURN_IF_ERROR(InRange("the vocabulary", spec.vocabulary, 1, kMaxVocabulary));
  TERSOR_RETURN_IF_ERROR(InRange("the width", spec.width, 1, kMaxWidth));
  TERSOR_RETURN_IF_ERROR(InRange("the context length", spec.context_length, 1, kMaxContext));
  TERSOR_RETURN_IF_ERROR(Positive("the norms' epsilon", spec.norm_epsilon));
  TERSOR_RETURN_IF_ERROR(Positive("the embeddings' scale", spec.embedding_scale));
  TERSOR_RETURN_IF_ERROR(InRange("the offset of positions", spec.position_offset, 0, kMaxWidth));
  if (!std::isfinite(spec.logit_cap) || spec.logit_cap < 0) {
    return absl::InvalidArgumentError(absl::StrCat("the logits' cap is ", spec.logit_cap));
  }
  TERSOR_RETURN_IF_ERROR(InRange("the number of layers", static_cast<int64_t>(spec.layers.size()), 1, kMaxLayers));
  for (const LayerSpec& layer : spec.layers) {
    TERSOR_RETURN_IF_ERROR(InRange("the inner width", layer.inner_width, 1, kMaxWidth));
    TERSOR_RETURN_IF_ERROR(CheckAttention(layer.attention));
    TERSOR_RETURN_IF_ERROR(CheckRope(layer.rope, layer.attention.head_size));
  }
  return absl::OkStatus();
}

}  // namespace tersor
