#include "core/exports/gguf_storage.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/gguf_block_types.h"
#include "core/formats/gguf_writer.h"
#include "core/model/tensor_layout.h"

namespace tersor {
namespace {

constexpr int64_t kBlock = 32;

absl::string_view BlockTypeName(const GgufTensorPlan& plan) {
  switch (plan.storage) {
    case GgufStorage::kF32:
    case GgufStorage::kF16:
      return "";
    case GgufStorage::kCodesQ8_0:
    case GgufStorage::kRoundedQ8_0:
      return "Q8_0";
    case GgufStorage::kCodesQ4_0:
      return "Q4_0";
    case GgufStorage::kCodesQ4_1:
      return "Q4_1";
    case GgufStorage::kBlocks:
      return plan.tensor.form.block_type;
    case GgufStorage::kRoundedBlocks:
      return plan.rounded_type;
  }
  return "";
}

// Layers that a choice cannot hold, by the reason and the advice.
struct Refusals {
  // (reason, advice) -> layers.
  std::map<std::pair<absl::string_view, absl::string_view>, std::vector<std::string>> layers;

  void Add(const ExportTensor& tensor, absl::string_view reason, absl::string_view advice) {
    layers[{reason, advice}].push_back(absl::StrCat(tensor.module(), " (", FormText(tensor.form), ")"));
  }
  absl::Status ToStatus(GgufChoice choice) const {
    std::string text;
    for (const auto& [why, names] : layers) {
      const absl::Status one = CannotHold(absl::StrCat("gguf:", GgufChoiceName(choice)), why.first, names, why.second);
      absl::StrAppend(&text, text.empty() ? "" : ". Also ", one.message());
    }
    return text.empty() ? absl::OkStatus() : absl::InvalidArgumentError(text);
  }
};

bool IsCodes(const ExportTensor& tensor) { return tensor.form.encoding == "group-int"; }
// The table of learned positions, which is no linear layer.
bool IsPositions(const ExportTensor& tensor) { return tensor.parameter.name == kPositionsName; }
bool IsBlocks(const ExportTensor& tensor) { return tensor.form.encoding == "gguf-block"; }
bool GroupsFit(const StoredForm& form) { return form.group_size % kBlock == 0; }
// code - zero point lies in -128..127.
bool FitsQ8(const StoredForm& form) { return GroupsFit(form) && (form.symmetric || form.bits <= 7); }

// An uncompressed matrix for which the choice is not exact: F16, or Q8_0 where that is what was asked for.
GgufStorage StorageOfDense(GgufChoice choice, const ExportTensor& tensor) {
  const bool blocks_fit = tensor.parameter.shape[1] % kBlock == 0;
  return choice == GgufChoice::kQ8_0 && blocks_fit ? GgufStorage::kRoundedQ8_0 : GgufStorage::kF16;
}

GgufStorage StorageOfBlocks(GgufChoice choice, const ExportTensor& tensor) {
  if (choice == GgufChoice::kQ8_0 && tensor.form.block_type != "Q8_0") return GgufStorage::kRoundedQ8_0;
  return GgufStorage::kBlocks;
}

GgufStorage StorageOfVocabulary(GgufChoice choice, const ExportTensor& tensor) {
  if (IsBlocks(tensor)) return StorageOfBlocks(choice, tensor);
  if (IsCodes(tensor)) return FitsQ8(tensor.form) ? GgufStorage::kCodesQ8_0 : GgufStorage::kF16;
  return StorageOfDense(choice, tensor);
}

GgufStorage StorageOfCodes(GgufChoice choice, const ExportTensor& tensor, Refusals& refusals) {
  const StoredForm& form = tensor.form;
  if (!GroupsFit(form)) {
    refusals.Add(tensor, "blocks of 32 weights share a scale, so the group size must be a multiple of 32",
                 "Use such a group size, or export to gguf:f16 or safetensors");
    return GgufStorage::kF16;
  }
  switch (choice) {
    case GgufChoice::kF16:
      break;
    case GgufChoice::kQ8_0:
      if (FitsQ8(form)) return GgufStorage::kCodesQ8_0;
      refusals.Add(tensor, "Q8_0 has no offset, and 8 bits with an offset do not fit into its signed codes",
                   "Quantize symmetrically, or export to gguf:f16 or compressed-tensors");
      break;
    case GgufChoice::kQ4_0:
      if (form.bits > 4) {
        refusals.Add(tensor, "holds codes of at most 4 bits", "Quantize to 4 bits or fewer, or export to gguf:q8_0");
      } else if (!form.symmetric) {
        refusals.Add(tensor, "Q4_0 has no offset", "Quantize symmetrically, or export to gguf:q4_1");
      } else {
        return GgufStorage::kCodesQ4_0;
      }
      break;
    case GgufChoice::kQ4_1:
      if (form.bits <= 4) return GgufStorage::kCodesQ4_1;
      refusals.Add(tensor, "holds codes of at most 4 bits", "Quantize to 4 bits or fewer, or export to gguf:q8_0");
      break;
    // They round: see PlanRounded.
    case GgufChoice::kQ4_K:
    case GgufChoice::kQ6_K:
    case GgufChoice::kMxfp4:
      break;
  }
  return GgufStorage::kF16;
}

// The block type that layers are rounded to; empty where the choice keeps codes.
absl::string_view RoundedType(GgufChoice choice) {
  switch (choice) {
    case GgufChoice::kQ4_K:
      return "Q4_K";
    case GgufChoice::kQ6_K:
      return "Q6_K";
    case GgufChoice::kMxfp4:
      return "MXFP4";
    default:
      return "";
  }
}

// A layer for a choice that rounds. Where its blocks do not divide the rows: codes that Q4_0, Q4_1 or Q8_0 hold stay
// what they are, all else becomes Q8_0, or F16 where not even blocks of 32 fit.
GgufTensorPlan PlanRounded(absl::string_view type, const ExportTensor& tensor) {
  GgufTensorPlan plan{tensor, GgufStorage::kRoundedBlocks, std::string(type), false};
  if (IsBlocks(tensor) && tensor.form.block_type == type) {
    plan.storage = GgufStorage::kBlocks;
    return plan;
  }
  if (tensor.parameter.shape[1] % FindGgufBlockType(type)->values == 0) return plan;
  plan.fallback = true;
  const StoredForm& form = tensor.form;
  if (IsBlocks(tensor)) {
    plan.storage = GgufStorage::kBlocks;
  } else if (IsCodes(tensor) && GroupsFit(form) && form.bits <= 4) {
    plan.storage = form.symmetric ? GgufStorage::kCodesQ4_0 : GgufStorage::kCodesQ4_1;
  } else if (IsCodes(tensor) && FitsQ8(form)) {
    plan.storage = GgufStorage::kCodesQ8_0;
  } else {
    plan.storage = StorageOfDense(GgufChoice::kQ8_0, tensor);
  }
  return plan;
}

GgufStorage StorageOf(GgufChoice choice, const ExportTensor& tensor, Refusals& refusals) {
  if (!tensor.is_matrix() || IsPositions(tensor)) return GgufStorage::kF32;
  if (choice == GgufChoice::kF16) return GgufStorage::kF16;
  if (tensor.is_vocabulary()) return StorageOfVocabulary(choice, tensor);
  if (IsCodes(tensor)) return StorageOfCodes(choice, tensor, refusals);
  return IsBlocks(tensor) ? StorageOfBlocks(choice, tensor) : StorageOfDense(choice, tensor);
}

// A file that is called Q4_0 should hold some.
absl::Status CheckNominal(GgufChoice choice, const std::vector<GgufTensorPlan>& plans) {
  const absl::string_view nominal = choice == GgufChoice::kQ4_0 ? "Q4_0" : choice == GgufChoice::kQ4_1 ? "Q4_1" : "";
  if (nominal.empty()) return absl::OkStatus();
  for (const GgufTensorPlan& plan : plans) {
    if (!plan.tensor.is_vocabulary() && plan.type_name() == nominal) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "export gguf:", GgufChoiceName(choice), ": no linear layer is on a grid that ", nominal,
      " holds. Add a quantize stage with at most 4 bits and groups of 32, or export to gguf:q8_0 or gguf:f16"));
}

}  // namespace

absl::StatusOr<std::vector<GgufFileTensor>> GgufFileTensors(const ModelSpec& spec,
                                                            const std::vector<GgufTensorPlan>& plans) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<FileTensor> files, FileTensors(spec, FileKind::kGguf));
  std::map<absl::string_view, const GgufTensorPlan*> by_name;
  for (const GgufTensorPlan& plan : plans) by_name[plan.tensor.parameter.name] = &plan;
  std::vector<GgufFileTensor> tensors;
  for (const FileTensor& file : files) {
    GgufFileTensor tensor{file.name, file.shape, {}};
    for (const TensorPart& part : file.parts) {
      tensor.parts.push_back(by_name.at(part.parameter));
      if (tensor.parts.back()->type() == tensor.parts.front()->type()) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "GGUF: ", spec.architecture, " files join ", tensor.parts.front()->tensor.module(), " and ",
          tensor.parts.back()->tensor.module(), " to one tensor, and they would be ", tensor.parts.front()->type_name(),
          " and ", tensor.parts.back()->type_name(), ". Compress the joined layers alike, or export to gguf:f16"));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

absl::string_view GgufChoiceName(GgufChoice choice) {
  switch (choice) {
    case GgufChoice::kF16:
      return "f16";
    case GgufChoice::kQ8_0:
      return "q8_0";
    case GgufChoice::kQ4_0:
      return "q4_0";
    case GgufChoice::kQ4_1:
      return "q4_1";
    case GgufChoice::kQ4_K:
      return "q4_k";
    case GgufChoice::kQ6_K:
      return "q6_k";
    case GgufChoice::kMxfp4:
      return "mxfp4";
  }
  return "";
}

uint32_t GgufTensorPlan::type() const {
  if (storage == GgufStorage::kF32) return kGgufTypeF32;
  if (storage == GgufStorage::kF16) return kGgufTypeF16;
  return FindGgufBlockType(BlockTypeName(*this))->id;
}

absl::string_view GgufTensorPlan::type_name() const {
  if (storage == GgufStorage::kF32) return "F32";
  if (storage == GgufStorage::kF16) return "F16";
  return FindGgufBlockType(BlockTypeName(*this))->name;
}

uint64_t GgufTensorPlan::bytes() const {
  const uint64_t elements = static_cast<uint64_t>(ElementCount(tensor.parameter.shape));
  if (storage == GgufStorage::kF32) return elements * 4;
  if (storage == GgufStorage::kF16) return elements * 2;
  const GgufBlockType& type = *FindGgufBlockType(BlockTypeName(*this));
  return elements / static_cast<uint64_t>(type.values) * static_cast<uint64_t>(type.bytes);
}

absl::StatusOr<std::vector<GgufTensorPlan>> PlanGgufStorage(GgufChoice choice, const ExportSubject& subject) {
  std::vector<GgufTensorPlan> plans;
  Refusals refusals;
  for (const ExportTensor& tensor : subject.tensors) {
    const absl::string_view rounded = RoundedType(choice);
    if (!rounded.empty() && tensor.is_matrix() && !tensor.is_vocabulary() && !IsPositions(tensor)) {
      plans.push_back(PlanRounded(rounded, tensor));
    } else {
      // Embedding and head of a choice that rounds are Q8_0, as beside codes.
      plans.push_back({tensor, StorageOf(rounded.empty() ? choice : GgufChoice::kQ8_0, tensor, refusals)});
    }
    if (plans.back().storage == GgufStorage::kBlocks && FindGgufBlockType(tensor.form.block_type) == nullptr) {
      return absl::InternalError(absl::StrCat(tensor.parameter.name, ": unknown block type ", tensor.form.block_type));
    }
  }
  TERSOR_RETURN_IF_ERROR(refusals.ToStatus(choice));
  TERSOR_RETURN_IF_ERROR(CheckNominal(choice, plans));
  return plans;
}

}  // namespace tersor
