#include "core/pipeline/text_evaluation.h"

#include "absl/strings/str_cat.h"
#include "core/kernels/cpu_info.h"

namespace tersor {

absl::StatusOr<DenseBaseline> MeasureDense(const JobParts& parts, const Model& model, const Protocol& protocol,
                                           const ScoredWindows& windows, bool keep_hidden) {
  const CpuInfo& cpu = GetCpuInfo();
  const ComputeOptions& compute = parts.job.compute;
  const BaselineKey key = {.protocol_hash = protocol.Hash(),
                           .model_sha256 = model.source.sha256,
                           .precision = compute.precision == Precision::kBF16 ? "bf16" : "f32",
                           .isa = absl::StrCat(cpu.onednn_isa, "/", cpu.kernel_isa),
                           .program_version = std::string(ProgramVersion())};
  const std::filesystem::path cache = parts.options.context.cache_dir.empty()
                                          ? parts.workspace.checkpoint_dir()
                                          : parts.options.context.cache_dir / "baselines";
  const auto prepare = [&] { return PrepareScoring(model, compute); };
  return MeasureBaseline(prepare, model.spec.width, windows, key, cache, keep_hidden, parts.context("tokens"));
}

}  // namespace tersor
