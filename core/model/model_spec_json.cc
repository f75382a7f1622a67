#include "core/model/model_spec_json.h"

#include <array>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr int64_t kMaxLayers = 10000;
constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr int64_t kMaxCount = int64_t{1} << 32;

// Reads the fields of one object; remembers the first fault.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) Fail("is not an object");
  }

  template <typename T>
  void Integer(const char* key, int64_t low, int64_t high, T& out) {
    const nlohmann::json* value = Find(key);
    if (value == nullptr) return;
    const bool too_large = value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX;
    if (!value->is_number_integer() || too_large) return Fail(absl::StrCat(key, " is not a whole number"));
    const int64_t number = value->get<int64_t>();
    if (number < low || number > high) {
      return Fail(absl::StrCat(key, " is ", number, ", outside ", low, "..", high));
    }
    out = static_cast<T>(number);
  }
  void Positive(const char* key, double& out) {
    const nlohmann::json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_number() || !std::isfinite(value->get<double>()) || value->get<double>() <= 0) {
      return Fail(absl::StrCat(key, " is not a positive number"));
    }
    out = value->get<double>();
  }
  void Bool(const char* key, bool& out) {
    const nlohmann::json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Fail(absl::StrCat(key, " is neither true nor false"));
    out = value->get<bool>();
  }
  void String(const char* key, std::string& out) {
    const nlohmann::json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(absl::StrCat(key, " is not a string"));
    out = value->get_ref<const std::string&>();
  }
  // Null where it is missing or of another type, which is then the fault.
  const nlohmann::json* Array(const char* key, size_t limit) {
    const nlohmann::json* value = Find(key);
    if (value == nullptr) return nullptr;
    if (value->is_array() && value->size() <= limit) return value;
    Fail(absl::StrCat(key, " is not a list of at most ", limit));
    return nullptr;
  }
  const nlohmann::json* Find(const char* key) {
    if (!status_.ok()) return nullptr;
    const auto value = object_.find(key);
    if (value != object_.end()) return &*value;
    Fail(absl::StrCat("has no ", key));
    return nullptr;
  }
  void Fail(absl::string_view what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(where_, " ", what));
  }
  const absl::Status& status() const { return status_; }
  std::string Where(absl::string_view part) const { return absl::StrCat(where_, ".", part); }

 private:
  const nlohmann::json& object_;
  std::string where_;
  absl::Status status_;
};

constexpr std::array kActivations = {std::pair{"silu", Activation::kSilu}, std::pair{"gelu", Activation::kGelu},
                                     std::pair{"gelu-tanh", Activation::kGeluTanh},
                                     std::pair{"relu", Activation::kRelu}};
constexpr std::array kNorms = {std::pair{"rms", NormKind::kRms}, std::pair{"rms-plus-one", NormKind::kRmsPlusOne},
                               std::pair{"layer", NormKind::kLayer}};
constexpr std::array kPlacements = {std::pair{"pre", NormPlacement::kPre},
                                    std::pair{"sandwich", NormPlacement::kSandwich}};
constexpr std::array kPositions = {std::pair{"rope", PositionKind::kRope},
                                   std::pair{"learned", PositionKind::kLearned}};

template <typename Names, typename T>
const char* NameOf(const Names& names, T value) {
  for (const auto& [name, known] : names) {
    if (known == value) return name;
  }
  return "";
}

// Fields that came after the first containers are left out where they have their usual value, and read as that.
template <typename T>
void Optional(Fields& fields, const nlohmann::json& json, const char* key, T low, T high, T& out) {
  if (!json.contains(key)) return;
  if constexpr (std::is_same_v<T, bool>) {
    fields.Bool(key, out);
  } else if constexpr (std::is_same_v<T, double>) {
    fields.Positive(key, out);
  } else {
    fields.Integer(key, low, high, out);
  }
}

template <typename Names, typename T>
void OptionalName(Fields& fields, const nlohmann::json& json, const char* key, const Names& names, T& out) {
  if (!json.contains(key)) return;
  std::string text;
  fields.String(key, text);
  for (const auto& [name, value] : names) {
    if (text == name) {
      out = value;
      return;
    }
  }
  fields.Fail(absl::StrCat(key, " is \"", text, "\", which is not known"));
}

nlohmann::json RopeToJson(const RopeSpec& rope) {
  nlohmann::json json = {{"theta", rope.theta}, {"linear_factor", rope.linear_factor}};
  if (rope.llama3.has_value()) {
    json["llama3"] = {{"factor", rope.llama3->factor},
                      {"low_freq_factor", rope.llama3->low_freq_factor},
                      {"high_freq_factor", rope.llama3->high_freq_factor},
                      {"original_context", rope.llama3->original_context}};
  }
  if (rope.longrope.has_value()) {
    json["longrope"] = {{"short_factors", rope.longrope->short_factors},
                        {"long_factors", rope.longrope->long_factors},
                        {"original_context", rope.longrope->original_context},
                        {"magnitude", rope.longrope->magnitude}};
  }
  if (rope.rotary_size != 0) json["rotary_size"] = rope.rotary_size;
  return json;
}

nlohmann::json LayerToJson(const LayerSpec& layer) {
  const AttentionSpec& attention = layer.attention;
  nlohmann::json json = {{"attention",
                          {{"heads", attention.heads},
                           {"kv_heads", attention.kv_heads},
                           {"head_size", attention.head_size},
                           {"qkv_bias", attention.qkv_bias},
                           {"output_bias", attention.output_bias},
                           {"qk_norm", attention.qk_norm},
                           {"sliding_window", attention.sliding_window}}},
                         {"rope", RopeToJson(layer.rope)},
                         {"inner_width", layer.inner_width},
                         {"mlp_bias", layer.mlp_bias}};
  if (attention.score_scale != 0) json["attention"]["score_scale"] = attention.score_scale;
  if (attention.score_cap != 0) json["attention"]["score_cap"] = attention.score_cap;
  if (!layer.gated) json["gated"] = false;
  if (layer.activation != Activation::kSilu) json["activation"] = NameOf(kActivations, layer.activation);
  if (layer.placement != NormPlacement::kPre) json["placement"] = NameOf(kPlacements, layer.placement);
  if (layer.parallel) json["parallel"] = true;
  return json;
}

absl::Status FactorsFromJson(Fields& fields, const char* key, std::vector<double>& factors) {
  const nlohmann::json* list = fields.Array(key, kMaxWidth);
  if (list == nullptr) return fields.status();
  for (const nlohmann::json& factor : *list) {
    if (!factor.is_number()) fields.Fail(absl::StrCat(key, " are not numbers"));
    TERSOR_RETURN_IF_ERROR(fields.status());
    factors.push_back(factor.get<double>());
  }
  return absl::OkStatus();
}

absl::Status LongRopeFromJson(const nlohmann::json& json, const std::string& where, RopeSpec& rope) {
  Fields fields(json, where);
  rope.longrope.emplace();
  TERSOR_RETURN_IF_ERROR(FactorsFromJson(fields, "short_factors", rope.longrope->short_factors));
  TERSOR_RETURN_IF_ERROR(FactorsFromJson(fields, "long_factors", rope.longrope->long_factors));
  fields.Integer("original_context", 1, kMaxCount, rope.longrope->original_context);
  fields.Positive("magnitude", rope.longrope->magnitude);
  return fields.status();
}

absl::StatusOr<RopeSpec> RopeFromJson(const nlohmann::json& json, const std::string& where) {
  RopeSpec rope;
  Fields fields(json, where);
  fields.Positive("theta", rope.theta);
  fields.Positive("linear_factor", rope.linear_factor);
  Optional(fields, json, "rotary_size", 2, 1 << 24, rope.rotary_size);
  TERSOR_RETURN_IF_ERROR(fields.status());
  if (json.contains("longrope")) {
    TERSOR_RETURN_IF_ERROR(LongRopeFromJson(json["longrope"], fields.Where("longrope"), rope));
  }
  if (!json.contains("llama3")) return rope;
  Fields scaling(json["llama3"], fields.Where("llama3"));
  rope.llama3.emplace();
  scaling.Positive("factor", rope.llama3->factor);
  scaling.Positive("low_freq_factor", rope.llama3->low_freq_factor);
  scaling.Positive("high_freq_factor", rope.llama3->high_freq_factor);
  scaling.Integer("original_context", 1, kMaxCount, rope.llama3->original_context);
  TERSOR_RETURN_IF_ERROR(scaling.status());
  return rope;
}

absl::StatusOr<AttentionSpec> AttentionFromJson(const nlohmann::json& json, const std::string& where) {
  AttentionSpec attention;
  Fields fields(json, where);
  fields.Integer("heads", 1, kMaxWidth, attention.heads);
  fields.Integer("kv_heads", 1, kMaxWidth, attention.kv_heads);
  fields.Integer("head_size", 1, kMaxWidth, attention.head_size);
  fields.Bool("qkv_bias", attention.qkv_bias);
  fields.Bool("output_bias", attention.output_bias);
  fields.Bool("qk_norm", attention.qk_norm);
  fields.Integer("sliding_window", 0, INT32_MAX, attention.sliding_window);
  Optional(fields, json, "score_scale", 0.0, 0.0, attention.score_scale);
  Optional(fields, json, "score_cap", 0.0, 0.0, attention.score_cap);
  TERSOR_RETURN_IF_ERROR(fields.status());
  if (attention.heads % attention.kv_heads != 0) fields.Fail("kv_heads does not divide heads");
  if (attention.head_size % 2 != 0) fields.Fail("head_size is odd");
  TERSOR_RETURN_IF_ERROR(fields.status());
  return attention;
}

absl::StatusOr<LayerSpec> LayerFromJson(const nlohmann::json& json, const std::string& where) {
  LayerSpec layer;
  Fields fields(json, where);
  fields.Integer("inner_width", 1, kMaxWidth, layer.inner_width);
  fields.Bool("mlp_bias", layer.mlp_bias);
  Optional(fields, json, "gated", false, true, layer.gated);
  Optional(fields, json, "parallel", false, true, layer.parallel);
  OptionalName(fields, json, "activation", kActivations, layer.activation);
  OptionalName(fields, json, "placement", kPlacements, layer.placement);
  const nlohmann::json* attention = fields.Find("attention");
  const nlohmann::json* rope = fields.Find("rope");
  TERSOR_RETURN_IF_ERROR(fields.status());
  TERSOR_ASSIGN_OR_RETURN(layer.attention, AttentionFromJson(*attention, fields.Where("attention")));
  TERSOR_ASSIGN_OR_RETURN(layer.rope, RopeFromJson(*rope, fields.Where("rope")));
  return layer;
}

}  // namespace

nlohmann::json SpecToJson(const ModelSpec& spec) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerSpec& layer : spec.layers) layers.push_back(LayerToJson(layer));
  nlohmann::json json = {{"architecture", spec.architecture},
                         {"name", spec.name},
                         {"vocabulary", spec.vocabulary},
                         {"width", spec.width},
                         {"context_length", spec.context_length},
                         {"norm_epsilon", spec.norm_epsilon},
                         {"tied", spec.tied},
                         {"layers", std::move(layers)},
                         {"bos_id", spec.bos_id},
                         {"eos_ids", spec.eos_ids},
                         {"pad_id", spec.pad_id}};
  if (spec.norm != NormKind::kRms) json["norm"] = NameOf(kNorms, spec.norm);
  if (spec.positions != PositionKind::kRope) json["positions"] = NameOf(kPositions, spec.positions);
  if (spec.position_offset != 0) json["position_offset"] = spec.position_offset;
  if (spec.embedding_scale != 1) json["embedding_scale"] = spec.embedding_scale;
  if (spec.logit_cap != 0) json["logit_cap"] = spec.logit_cap;
  return json;
}

absl::StatusOr<ModelSpec> SpecFromJson(const nlohmann::json& json, absl::string_view where) {
  ModelSpec spec;
  Fields fields(json, std::string(where));
  fields.String("architecture", spec.architecture);
  fields.String("name", spec.name);
  fields.Integer("vocabulary", 1, kMaxCount, spec.vocabulary);
  fields.Integer("width", 1, kMaxWidth, spec.width);
  fields.Integer("context_length", 0, kMaxCount, spec.context_length);
  fields.Positive("norm_epsilon", spec.norm_epsilon);
  fields.Bool("tied", spec.tied);
  fields.Integer("bos_id", -1, kMaxCount, spec.bos_id);
  fields.Integer("pad_id", -1, kMaxCount, spec.pad_id);
  OptionalName(fields, json, "norm", kNorms, spec.norm);
  OptionalName(fields, json, "positions", kPositions, spec.positions);
  Optional(fields, json, "position_offset", int64_t{0}, kMaxCount, spec.position_offset);
  Optional(fields, json, "embedding_scale", 0.0, 0.0, spec.embedding_scale);
  Optional(fields, json, "logit_cap", 0.0, 0.0, spec.logit_cap);
  const nlohmann::json* eos_ids = fields.Array("eos_ids", 1000);
  const nlohmann::json* layers = fields.Array("layers", kMaxLayers);
  TERSOR_RETURN_IF_ERROR(fields.status());
  for (const nlohmann::json& id : *eos_ids) {
    const bool valid = id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() <= kMaxCount;
    if (!valid) fields.Fail("eos_ids are not token ids");
    TERSOR_RETURN_IF_ERROR(fields.status());
    spec.eos_ids.push_back(id.get<int64_t>());
  }
  for (size_t i = 0; i < layers->size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(LayerSpec layer,
                            LayerFromJson((*layers)[i], fields.Where(absl::StrCat("layers[", i, "]"))));
    spec.layers.push_back(std::move(layer));
  }
  return spec;
}

}  // namespace tersor
