#include "core/model/config_rope.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

absl::StatusOr<Llama3RopeScaling> ReadLlama3(const JsonFields& scaling) {
  Llama3RopeScaling llama3;
  TERSOR_ASSIGN_OR_RETURN(llama3.factor, scaling.Number("factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.low_freq_factor, scaling.Number("low_freq_factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.high_freq_factor, scaling.Number("high_freq_factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.original_context, scaling.Integer("original_max_position_embeddings", 1, INT64_MAX));
  return llama3;
}

absl::StatusOr<std::vector<double>> ReadFactors(const JsonFields& scaling, absl::string_view key) {
  const nlohmann::json* list = scaling.Find(key);
  if (list == nullptr || !list->is_array()) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is no list"));
  std::vector<double> factors;
  for (const nlohmann::json& factor : *list) {
    if (!factor.is_number() || !(factor.get<double>() > 0) || !std::isfinite(factor.get<double>())) {
      return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" holds something that is no positive number"));
    }
    factors.push_back(factor.get<double>());
  }
  return factors;
}

// Phi-3's; the magnitude is transformers' where the file does not give it.
absl::StatusOr<LongRopeScaling> ReadLongRope(const JsonFields& config, const JsonFields& scaling) {
  LongRopeScaling longrope;
  TERSOR_ASSIGN_OR_RETURN(longrope.short_factors, ReadFactors(scaling, "short_factor"));
  TERSOR_ASSIGN_OR_RETURN(longrope.long_factors, ReadFactors(scaling, "long_factor"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t context, config.Integer("max_position_embeddings", 1, INT32_MAX));
  TERSOR_ASSIGN_OR_RETURN(const int64_t stated,
                          config.IntegerOr("original_max_position_embeddings", 1, INT32_MAX, context));
  TERSOR_ASSIGN_OR_RETURN(longrope.original_context,
                          scaling.IntegerOr("original_max_position_embeddings", 1, INT32_MAX, stated));
  TERSOR_ASSIGN_OR_RETURN(
      const double factor,
      scaling.NumberOr("factor", static_cast<double>(context) / static_cast<double>(longrope.original_context)));
  const double usual =
      factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(longrope.original_context)));
  TERSOR_ASSIGN_OR_RETURN(longrope.magnitude, scaling.NumberOr("attention_factor", usual));
  return longrope;
}

absl::Status ReadRopeType(const JsonFields& config, const JsonFields& scaling, RopeSpec& rope) {
  TERSOR_ASSIGN_OR_RETURN(const std::string old_type, scaling.StringOr("type", "default"));
  TERSOR_ASSIGN_OR_RETURN(const std::string type, scaling.StringOr("rope_type", old_type));
  if (type == "default") return absl::OkStatus();
  if (type == "linear") {
    TERSOR_ASSIGN_OR_RETURN(rope.linear_factor, scaling.Number("factor"));
    return absl::OkStatus();
  }
  if (type == "llama3") {
    TERSOR_ASSIGN_OR_RETURN(rope.llama3, ReadLlama3(scaling));
    return absl::OkStatus();
  }
  if (type == "longrope" || type == "su") {
    TERSOR_ASSIGN_OR_RETURN(rope.longrope, ReadLongRope(config, scaling));
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      absl::StrCat("rope type \"", type, "\" is not supported; supported: default, linear, llama3, longrope"));
}

// The object that scales this kind of layer's rope; null where there is none.
absl::StatusOr<const nlohmann::json*> FindScaling(const JsonFields& config, const Architecture& architecture,
                                                  bool sliding, absl::string_view key) {
  const nlohmann::json* object = config.Find(key);
  if (object == nullptr) return nullptr;
  if (!object->is_object()) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is not an object"));
  for (const auto& [name, value] : object->items()) {
    if (!value.is_object()) continue;
    if (!architecture.rope_by_layer_type) {
      return absl::UnimplementedError(
          absl::StrCat("\"", key, "\" differs by layer type (\"", name, "\"), which is not supported"));
    }
    const auto own = object->find(sliding ? "sliding_attention" : "full_attention");
    if (own != object->end() && own->is_object()) return &*own;
    return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" does not name this kind of layer"));
  }
  // The older spelling scales the layers without a window only.
  if (architecture.rope_by_layer_type && sliding) return nullptr;
  return object;
}

absl::Status SetRotarySize(double share, int head_size, RopeSpec& rope) {
  // The head's size is checked with the rest of the shapes.
  if (share == 1) return absl::OkStatus();
  const int size = static_cast<int>(share * head_size);
  if (!(share > 0) || share > 1 || size < 2 || size % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a \"partial_rotary_factor\" of ", share, " does not turn an even part of heads of ", head_size));
  }
  rope.rotary_size = size == head_size ? 0 : size;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RopeSpec> ReadRope(const JsonFields& config, const Architecture& architecture, int head_size,
                                  bool sliding) {
  RopeSpec rope;
  if (architecture.positions != PositionKind::kRope) return rope;
  const bool local = architecture.rope_by_layer_type && sliding;
  TERSOR_ASSIGN_OR_RETURN(const double old_theta, config.NumberOr("rotary_emb_base", rope.theta));
  TERSOR_ASSIGN_OR_RETURN(rope.theta, config.NumberOr(local ? "rope_local_base_freq" : "rope_theta",
                                                      architecture.rope_by_layer_type && !local ? 1e6 : old_theta));
  TERSOR_ASSIGN_OR_RETURN(const double old_partial, config.NumberOr("rotary_pct", architecture.default_partial_rotary));
  TERSOR_ASSIGN_OR_RETURN(const double partial, config.NumberOr("partial_rotary_factor", old_partial));
  const absl::string_view key = config.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* object, FindScaling(config, architecture, sliding, key));
  if (object == nullptr) {
    TERSOR_RETURN_IF_ERROR(SetRotarySize(partial, head_size, rope));
    return rope;
  }
  const JsonFields scaling(*object);
  absl::StatusOr<double> theta = scaling.NumberOr("rope_theta", rope.theta);
  if (!theta.ok()) return Annotate(theta.status(), key);
  rope.theta = *theta;
  absl::StatusOr<double> share = scaling.NumberOr("partial_rotary_factor", partial);
  if (!share.ok()) return Annotate(share.status(), key);
  TERSOR_RETURN_IF_ERROR(SetRotarySize(*share, head_size, rope));
  absl::Status status = ReadRopeType(config, scaling, rope);
  if (!status.ok()) return Annotate(status, key);
  return rope;
}

}  // namespace tersor
