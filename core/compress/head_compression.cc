#include "core/compress/head_compression.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compress/quantize/quantize_config.h"
#include "core/compress/quantize/rtn.h"

namespace tersor {
namespace {

constexpr int kDefaultGroupSize = 32;

std::string LayerOf(const std::string& parameter) { return parameter.substr(0, parameter.rfind(".weight")); }

}  // namespace

std::optional<HeadPlan> PlanHead(const Model& model, const v1::HeadOptions& options, const std::string& field,
                                 std::vector<FieldViolation>& violations) {
  HeadPlan plan;
  if (!options.tie().empty() && options.tie() != "keep" && options.tie() != "untie") {
    violations.push_back({field + ".tie", absl::StrCat("must be \"keep\" or \"untie\", got \"", options.tie(), "\"")});
  }
  plan.untie = options.tie() == "untie" && model.spec.tied;
  plan.grid.bits = options.bits();
  plan.grid.group_size = options.has_group_size() ? options.group_size() : kDefaultGroupSize;
  plan.parameter = std::string(model.spec.tied && !plan.untie ? kEmbeddingName : kHeadName);
  if (options.bits() == 0) return plan.untie ? std::optional(plan) : std::nullopt;
  if (options.bits() < 2 || options.bits() > 8) {
    violations.push_back({field + ".bits", absl::StrCat("must be 0 (left as it is) or 2 to 8, got ", options.bits())});
  }
  if (plan.grid.group_size != -1 && plan.grid.group_size < 1) {
    violations.push_back({field + ".group_size",
                          absl::StrCat("must be -1 (one scale a row) or at least 1, got ", plan.grid.group_size)});
    return plan;
  }
  const LinearLayer layer{LayerOf(plan.parameter), model.spec.vocabulary, model.spec.width};
  for (FieldViolation& violation : CheckGroupSize(plan.grid, {layer}, field))
    violations.push_back(std::move(violation));
  return plan;
}

PlannedEncodings HeadEncodings(const Model& model, const HeadPlan& plan) {
  PlannedEncodings encodings;
  if (plan.untie) {
    const auto embedding = model.parameters.find(kEmbeddingName);
    if (embedding != model.parameters.end()) {
      PlannedEncoding& head = encodings[std::string(kHeadName)];
      head.encoding = std::string(embedding->second->encoding());
      head.bytes = embedding->second->byte_size();
    }
  }
  if (plan.grid.bits > 0) {
    encodings[plan.parameter] = GroupIntEncoding(plan.grid, {"", model.spec.vocabulary, model.spec.width});
  }
  return encodings;
}

int64_t HeadScratchBytes(const Model& model, const HeadPlan& plan) {
  if (plan.grid.bits == 0) return 0;
  return RtnMethod(plan.grid).Cost({LayerOf(plan.parameter), model.spec.vocabulary, model.spec.width}).scratch_bytes;
}

absl::StatusOr<SegmentOutcome> CompressHead(Model& model, const HeadPlan& plan, int threads,
                                            const CancellationToken* cancellation) {
  if (plan.untie) {
    TERSOR_ASSIGN_OR_RETURN(model.parameters[std::string(kHeadName)], model.Find(kEmbeddingName));
    model.spec.tied = false;
  }
  if (plan.grid.bits == 0) return SegmentOutcome{};
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr weight, model.Find(plan.parameter));
  SegmentTask task;
  task.layers.push_back({{LayerOf(plan.parameter), weight->rows(), weight->columns()}, weight});
  task.threads = threads;
  task.cancellation = cancellation;
  TERSOR_ASSIGN_OR_RETURN(SegmentOutcome outcome, RtnMethod(plan.grid).Apply(task));
  for (const TensorReplacement& replacement : outcome.replacements) {
    model.parameters[replacement.name] = replacement.tensor;
  }
  return outcome;
}

}  // namespace tersor
