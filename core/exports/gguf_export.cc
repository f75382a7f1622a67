// GGUF files that llama.cpp loads.
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/exports/difference.h"
#include "core/exports/export_format.h"
#include "core/exports/gguf_metadata.h"
#include "core/exports/gguf_storage.h"
#include "core/exports/huggingface_folder.h"
#include "core/formats/artifact_info.h"
#include "core/formats/gguf_writer.h"
#include "core/model/architecture.h"
#include "core/model/gguf_spec.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor {
namespace {

using Plans = std::vector<GgufTensorPlan>;

// Text in which tokenizers differ when one of their steps was lost.
constexpr std::array kProbes = {
    absl::string_view("The quick brown fox can't jump 12345 over 3.14159 lazy dogs; it's 2024-11-22."),
    absl::string_view("  leading spaces\n\n\ttabs   and trailing   \r\n"),
    absl::string_view("na\xC3\xAFve caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C "
                      "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xF0\x9F\x98\x80\xF0\x9F\x9A\x80 e\xCC\x81"),
    absl::string_view("def f(x):\n    return {\"a\": [x ** 2 for x in range(10)], 'b': x != None}  # 100%\n"),
    absl::string_view("<|im_start|>user\nHello<|im_end|>\n<s>[INST] x [/INST]</s><|endoftext|>"),
};

absl::Status CheckTokenizer(const Model& model, const Model& found) {
  TERSOR_ASSIGN_OR_RETURN(const auto expected, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const auto rebuilt, Tokenizer::FromJson(found.assets.tokenizer_json));
  for (const absl::string_view probe : kProbes) {
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> left, expected->Encode(probe));
    TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> right, rebuilt->Encode(probe));
    if (left != right) {
      return absl::DataLossError(
          absl::StrCat("GGUF: the tokenizer reads back differently: \"", probe, "\" becomes other tokens"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSpecs(const ModelSpec& expected, const ModelSpec& found) {
  bool same = expected.vocabulary == found.vocabulary && expected.width == found.width && expected.tied == found.tied &&
              expected.layers.size() == found.layers.size() && GgufContextLength(expected) == found.context_length &&
              expected.norm == found.norm && expected.positions == found.positions &&
              static_cast<float>(expected.norm_epsilon) == static_cast<float>(found.norm_epsilon) &&
              static_cast<float>(expected.logit_cap) == static_cast<float>(found.logit_cap);
  for (size_t i = 0; same && i < expected.layers.size(); ++i) {
    const LayerSpec& a = expected.layers[i];
    const LayerSpec& b = found.layers[i];
    same = a.attention.heads == b.attention.heads && a.attention.kv_heads == b.attention.kv_heads &&
           a.attention.head_size == b.attention.head_size && a.inner_width == b.inner_width &&
           a.attention.qkv_bias == b.attention.qkv_bias && a.attention.sliding_window == b.attention.sliding_window &&
           static_cast<float>(a.attention.score_cap) == static_cast<float>(b.attention.score_cap) &&
           a.parallel == b.parallel && a.placement == b.placement && a.rope.rotary_size == b.rope.rotary_size &&
           static_cast<float>(a.rope.theta) == static_cast<float>(b.rope.theta) &&
           a.rope.llama3.has_value() == b.rope.llama3.has_value() &&
           a.rope.longrope.has_value() == b.rope.longrope.has_value();
  }
  return same ? absl::OkStatus() : absl::DataLossError("GGUF: the model's shapes read back differently");
}

// Loads the file as any user would and compares every parameter, the shapes and the tokenizer.
absl::StatusOr<std::string> Verify(const Model& model, const ExportSubject& subject, const Plans& plans,
                                   const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const Model found, LoadModel(path));
  TERSOR_RETURN_IF_ERROR(CheckSpecs(subject.spec, found.spec));
  if (found.parameters.size() != plans.size()) {
    return absl::DataLossError(
        absl::StrCat(path.string(), ": holds ", found.parameters.size(), " parameters instead of ", plans.size()));
  }
  DifferenceTally tally;
  for (const GgufTensorPlan& plan : plans) {
    const std::string& name = plan.tensor.parameter.name;
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr expected, model.Find(name));
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, found.Find(name));
    TERSOR_RETURN_IF_ERROR(tally.Compare(name, *expected, *values, GgufTolerance(plan, expected)));
  }
  TERSOR_RETURN_IF_ERROR(CheckTokenizer(model, found));
  return absl::StrCat("reopened and decoded; ", tally.Text(), "; the tokenizer encodes alike");
}

// "210 Q4_0, 1 Q8_0, 61 F32".
std::string CountsText(const Plans& plans) {
  std::map<absl::string_view, int> counts;
  for (const GgufTensorPlan& plan : plans) ++counts[plan.type_name()];
  return absl::StrJoin(counts, ", ",
                       [](std::string* out, const auto& item) { absl::StrAppend(out, item.second, " ", item.first); });
}

// "; 180 layers whose rows the blocks do not divide fell back (model.layers.0.mlp.up_proj: rows of 576 to Q4_0)".
std::string FallbackText(const Plans& plans) {
  int64_t count = 0;
  const GgufTensorPlan* first = nullptr;
  for (const GgufTensorPlan& plan : plans) {
    if (!plan.fallback) continue;
    ++count;
    if (first == nullptr) first = &plan;
  }
  if (first == nullptr) return "";
  return absl::StrCat("; ", count, " layers whose rows its blocks do not divide fall back (", first->tensor.module(),
                      ": rows of ", first->tensor.parameter.shape[1], " to ", first->type_name(), ")");
}

absl::StatusOr<GgufWriter> WriteTensors(GgufChoice choice, const Model& model, const ExportSubject& subject,
                                        const Plans& plans, const std::filesystem::path& path) {
  ModelAssets assets = model.assets;
  TERSOR_ASSIGN_OR_RETURN(const GgufMetadataBuilder metadata, BuildGgufMetadata(choice, subject.spec, assets));
  std::vector<GgufTensorDeclaration> declarations;
  const std::vector<GgufFactors> factors = GgufFactorTensors(subject.spec);
  for (const GgufFactors& tensor : factors) {
    declarations.push_back({std::string(tensor.name),
                            kGgufTypeF32,
                            {static_cast<int64_t>(tensor.values.size())},
                            tensor.values.size() * sizeof(float)});
  }
  TERSOR_ASSIGN_OR_RETURN(const std::vector<GgufFileTensor> tensors, GgufFileTensors(subject.spec, plans));
  for (const GgufFileTensor& tensor : tensors) {
    uint64_t bytes = 0;
    for (const GgufTensorPlan* plan : tensor.parts) bytes += plan->bytes();
    declarations.push_back({tensor.name, tensor.parts.front()->type(), tensor.shape, bytes});
  }
  TERSOR_ASSIGN_OR_RETURN(GgufWriter writer, GgufWriter::Create(path, metadata, std::move(declarations)));
  for (const GgufFactors& tensor : factors) {
    TERSOR_RETURN_IF_ERROR(writer.Append(std::as_bytes(std::span<const float>(tensor.values))));
  }
  for (const GgufFileTensor& tensor : tensors) {
    for (const GgufTensorPlan* plan : tensor.parts) {
      TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr values, model.Find(plan->tensor.parameter.name));
      TERSOR_RETURN_IF_ERROR(
          WriteGgufTensor(*plan, values, [&](std::span<const std::byte> bytes) { return writer.Append(bytes); }));
    }
  }
  TERSOR_RETURN_IF_ERROR(writer.Seal());
  return writer;
}

class GgufExport final : public ExportFormat {
 public:
  explicit GgufExport(GgufChoice choice) : choice_(choice) {}

  std::string name() const override { return absl::StrCat("gguf:", GgufChoiceName(choice_)); }
  std::string artifact_name() const override { return absl::StrCat("model-", GgufChoiceName(choice_), ".gguf"); }

  absl::StatusOr<ExportPlan> Plan(const Model& model, const ExportSubject& subject) const override {
    TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(subject.spec.architecture));
    if (architecture->gguf_name.empty()) {
      return absl::UnimplementedError(absl::StrCat("export ", name(), ": ", architecture->class_name,
                                                   " is not written to GGUF. Export to safetensors"));
    }
    TERSOR_ASSIGN_OR_RETURN(const Plans plans, PlanGgufStorage(choice_, subject));
    const absl::Status joined = GgufFileTensors(subject.spec, plans).status();
    if (!joined.ok()) return Annotate(joined, absl::StrCat("export ", name()));
    absl::StatusOr<GgufMetadataBuilder> metadata = BuildGgufMetadata(choice_, subject.spec, model.assets);
    if (!metadata.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("export ", name(), ": ", metadata.status().message()));
    }
    ExportPlan plan;
    plan.bytes = static_cast<int64_t>(metadata->bytes().size()) + 4096;
    // 160 bytes are more than an entry in the tensor table and the padding.
    for (const GgufTensorPlan& tensor : plans) plan.bytes += static_cast<int64_t>(tensor.bytes()) + 160;
    plan.detail = absl::StrCat(CountsText(plans), FallbackText(plans));
    if (GgufContextLength(subject.spec) < subject.spec.context_length) {
      absl::StrAppend(&plan.detail, "; context length ", GgufContextLength(subject.spec),
                      ", the sliding window: llama.cpp attends to all before");
    }
    return plan;
  }

  absl::StatusOr<v1::ArtifactInfo> Write(const Model& model, const ExportSubject& subject, const v1::Report&,
                                         const std::filesystem::path& path) const override {
    TERSOR_ASSIGN_OR_RETURN(const Plans plans, PlanGgufStorage(choice_, subject));
    TERSOR_ASSIGN_OR_RETURN(GgufWriter writer, WriteTensors(choice_, model, subject, plans, path));
    TERSOR_ASSIGN_OR_RETURN(const std::string verification, Verify(model, subject, plans, writer.temporary_path()));
    TERSOR_RETURN_IF_ERROR(writer.Commit());
    TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo info, DescribeArtifact(name(), path));
    info.set_verification(absl::StrCat(CountsText(plans), ": ", verification));
    return info;
  }

  std::vector<v1::LoadCommand> LoadCommands(const std::filesystem::path& path) const override {
    v1::LoadCommand command;
    command.set_program("llama.cpp");
    command.set_command(absl::StrCat("llama-cli -m ", ShellQuoted(path), " -p 'Gravity is' -n 32"));
    return {command};
  }

 private:
  GgufChoice choice_;
};

}  // namespace

std::unique_ptr<const ExportFormat> MakeGgufExport(GgufChoice choice) {
  return std::make_unique<const GgufExport>(choice);
}

}  // namespace tersor
