// Is a model's file what it says it is? Reads it a second time, by code of its own, and looks for the faults that files
// of quantized models have.
#ifndef TERSOR_CORE_LINT_LINT_H_
#define TERSOR_CORE_LINT_LINT_H_

#include <filesystem>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "tersor/v1/lint.pb.h"

namespace tersor {

struct LintOptions {
  // The dense model that the artifact was made from; empty for none. With it, misread codes are told from right ones by
  // how far they decode from the original; without, by what trained weights look like.
  std::filesystem::path reference;
  const CancellationToken* cancellation = nullptr;
};

// A Hugging Face folder (quantized by whomever, or not), a .gguf file, a Tersor container or a single safetensors file.
// Faults of the artifact are findings, sorted by severity; NOT_FOUND where there is nothing at the path, other errors
// where the reference cannot be read or fits no tensor. Nothing is written.
absl::StatusOr<v1::LintReport> LintArtifact(const std::filesystem::path& path, const LintOptions& options);

// Whether a finding is an error.
bool HasErrors(const v1::LintReport& report);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_LINT_H_
