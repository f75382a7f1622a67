// Folders as AutoAWQ writes them, version "gemm". https://github.com/casper-hansen/AutoAWQ
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/exports/integer_codes.h"
#include "core/exports/module_packing.h"
#include "core/formats/word_runs.h"

namespace tersor {
namespace {

constexpr int kBits = 4;
constexpr int64_t kPerWord = 8;
// Nibble i of a word holds column kOrder[i] of the word's eight.
constexpr std::array<int, kPerWord> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};

// [outputs, runs] values as [runs, outputs / 8] words.
absl::StatusOr<Tensor> PackInOrder(const std::vector<uint8_t>& values, int64_t outputs, int64_t runs) {
  std::vector<uint8_t> ordered = Transposed(values, outputs, runs);
  for (size_t begin = 0; begin < ordered.size(); begin += kPerWord) {
    std::array<uint8_t, kPerWord> word;
    for (int i = 0; i < kPerWord; ++i) word[i] = ordered[begin + kOrder[i]];
    std::copy(word.begin(), word.end(), ordered.begin() + begin);
  }
  return PackIntoRows(ordered, runs, outputs, kBits, WordPacking::kDense);
}

class AwqPacking final : public ModulePacking {
 public:
  std::string name() const override { return "awq"; }

  absl::StatusOr<PackingPlan> Plan(const ExportSubject& subject) const override {
    TERSOR_ASSIGN_OR_RETURN(PackingPlan plan, PlanUniformPacking(name(), subject, /*packs_head=*/false,
                                                                 /*allows_dense=*/true));
    std::vector<std::string> unfit;
    for (const ExportTensor& tensor : subject.tensors) {
      if (plan.packed.count(tensor.module()) == 0) continue;
      if (tensor.form.bits > kBits || tensor.parameter.shape[0] % kPerWord != 0) {
        unfit.push_back(absl::StrCat(tensor.module(), " (", FormText(tensor.form), ")"));
      }
    }
    if (unfit.empty()) return plan;
    return CannotHold(name(), "holds up to 4 bits of layers whose outputs are a multiple of 8", unfit,
                      "Quantize to at most 4 bits, or export to gptq, compressed-tensors or safetensors");
  }

  std::vector<TensorDeclaration> Declare(const PackingPlan&, const ExportTensor& tensor) const override {
    const std::string module = tensor.module();
    const int64_t rows = tensor.parameter.shape[0], columns = tensor.parameter.shape[1];
    const int64_t groups = columns / tensor.form.group_size;
    return {{module + ".qweight", DType::kI32, {columns, rows / kPerWord}},
            {module + ".qzeros", DType::kI32, {groups, rows / kPerWord}},
            {module + ".scales", DType::kF16, {groups, rows}}};
  }

  absl::StatusOr<std::vector<NamedTensor>> Pack(const PackingPlan&, const ExportTensor& tensor,
                                                const EncodedTensor& stored) const override {
    TERSOR_ASSIGN_OR_RETURN(const GroupIntTensor* weight, AsGroupInt(stored));
    const std::string module = tensor.module();
    const int64_t rows = weight->rows(), columns = weight->columns(), groups = weight->groups();
    IntegerCodes taken = TakeIntegerCodes(*weight, kBits);
    TERSOR_ASSIGN_OR_RETURN(Tensor qweight, PackInOrder(taken.codes, rows, columns));
    TERSOR_ASSIGN_OR_RETURN(Tensor qzeros, PackInOrder(taken.zero_points, rows, groups));
    TERSOR_ASSIGN_OR_RETURN(Tensor scales, ScalesByGroup(taken, rows, groups));
    return std::vector<NamedTensor>{{module + ".qweight", std::move(qweight)},
                                    {module + ".qzeros", std::move(qzeros)},
                                    {module + ".scales", std::move(scales)}};
  }

  nlohmann::json Config(const PackingPlan& plan, const ExportSubject&) const override {
    nlohmann::json config = {{"quant_method", "awq"}, {"bits", kBits},     {"group_size", plan.group_size},
                             {"zero_point", true},    {"version", "gemm"}, {"modules_to_not_convert", nullptr}};
    if (!plan.dense.empty()) config["modules_to_not_convert"] = plan.dense;
    return config;
  }
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeAwqExport() {
  return MakePackedFolderExport(std::make_unique<const AwqPacking>());
}

}  // namespace tersor
