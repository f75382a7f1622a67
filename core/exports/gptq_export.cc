// Folders as AutoGPTQ and GPTQModel write them. https://github.com/ModelCloud/GPTQModel
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/exports/integer_codes.h"
#include "core/exports/module_packing.h"
#include "core/formats/json_text.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

// Bits that all readers know; codes of 5 to 7 stand in the middle of 8.
int PackedBitsOf(int bits) { return bits <= 4 ? bits : 8; }

class GptqPacking final : public ModulePacking {
 public:
  explicit GptqPacking(int version) : version_(version) {}

  std::string name() const override { return version_ == 1 ? "gptq" : "gptq_v2"; }

  absl::StatusOr<PackingPlan> Plan(const ExportSubject& subject) const override {
    TERSOR_ASSIGN_OR_RETURN(PackingPlan plan, PlanUniformPacking(name(), subject, /*packs_head=*/true,
                                                                 /*allows_dense=*/false));
    std::vector<std::string> unfit;
    for (const ExportTensor& tensor : subject.tensors) {
      if (plan.packed.count(tensor.module()) == 0) continue;
      // Words hold whole runs of 32 values.
      const Shape& shape = tensor.parameter.shape;
      if (shape[0] % 32 != 0 || shape[1] % 32 != 0) {
        unfit.push_back(absl::StrCat(tensor.module(), " (", FormText(tensor.form), ", ", ShapeString(shape), ")"));
      }
    }
    if (unfit.empty()) return plan;
    return CannotHold(name(), "holds layers whose inputs and outputs are multiples of 32", unfit,
                      "Export to compressed-tensors or safetensors");
  }

  std::vector<TensorDeclaration> Declare(const PackingPlan&, const ExportTensor& tensor) const override {
    const std::string module = tensor.module();
    const int64_t rows = tensor.parameter.shape[0], columns = tensor.parameter.shape[1];
    const int64_t groups = columns / tensor.form.group_size;
    const int bits = PackedBitsOf(tensor.form.bits);
    return {{module + ".qweight", DType::kI32, {WordsOf(columns, bits, WordPacking::kDense), rows}},
            {module + ".qzeros", DType::kI32, {groups, WordsOf(rows, bits, WordPacking::kDense)}},
            {module + ".scales", DType::kF16, {groups, rows}},
            {module + ".g_idx", DType::kI32, {columns}}};
  }

  absl::StatusOr<std::vector<NamedTensor>> Pack(const PackingPlan&, const ExportTensor& tensor,
                                                const EncodedTensor& stored) const override {
    TERSOR_ASSIGN_OR_RETURN(const GroupIntTensor* weight, AsGroupInt(stored));
    const std::string module = tensor.module();
    const int64_t rows = weight->rows(), columns = weight->columns(), groups = weight->groups();
    IntegerCodes taken = TakeIntegerCodes(*weight, PackedBitsOf(weight->bits()));
    if (version_ == 1) {
      for (uint8_t& zero_point : taken.zero_points) {
        if (zero_point-- > 0) continue;
        return absl::InvalidArgumentError(
            "version 1 stores zero points less one and readers disagree about one of 0, which this layer has. Export "
            "to gptq_v2, or quantize symmetrically");
      }
    }
    std::vector<int32_t> index(columns);
    for (int64_t i = 0; i < columns; ++i) index[i] = static_cast<int32_t>(i / weight->group_size());
    std::vector<NamedTensor> tensors(4);
    for (size_t i = 0; i < tensors.size(); ++i) {
      tensors[i].name = absl::StrCat(module, std::array{".qweight", ".qzeros", ".scales", ".g_idx"}[i]);
    }
    TERSOR_ASSIGN_OR_RETURN(tensors[0].tensor, PackIntoColumns(taken.codes, rows, columns, PackedBitsOf(weight->bits()),
                                                               WordPacking::kDense));
    TERSOR_ASSIGN_OR_RETURN(tensors[1].tensor, PackIntoRows(Transposed(taken.zero_points, rows, groups), groups, rows,
                                                            PackedBitsOf(weight->bits()), WordPacking::kDense));
    TERSOR_ASSIGN_OR_RETURN(tensors[2].tensor, ScalesByGroup(taken, rows, groups));
    TERSOR_ASSIGN_OR_RETURN(tensors[3].tensor, Tensor::Own(DType::kI32, {columns}, std::move(index)));
    return tensors;
  }

  nlohmann::json Config(const PackingPlan& plan, const ExportSubject&) const override {
    return {{"quant_method", "gptq"},
            {"bits", PackedBitsOf(plan.bits)},
            {"group_size", plan.group_size},
            {"sym", plan.symmetric},
            {"desc_act", false},
            {"static_groups", false},
            {"lm_head", plan.packed.count("lm_head") > 0},
            {"checkpoint_format", version_ == 1 ? "gptq" : "gptq_v2"},
            {"pack_dtype", "int32"}};
  }

  std::map<std::string, std::string> ExtraFiles(const PackingPlan& plan) const override {
    return {{"quantize_config.json", JsonText(Config(plan, {}), 2) + "\n"}};
  }

 private:
  int version_;
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeGptqExport(int version) {
  return MakePackedFolderExport(std::make_unique<const GptqPacking>(version));
}

}  // namespace tersor
