// Tensors that nobody's layout of codes stands between: what two readers make of Tersor's containers, of plain folders
// and of single files. Private to core/lint.
#ifndef TERSOR_CORE_LINT_DENSE_CHECKS_H_
#define TERSOR_CORE_LINT_DENSE_CHECKS_H_

#include <filesystem>

#include "core/lint/findings.h"
#include "core/lint/raw_tensors.h"
#include "core/model/model.h"

namespace tersor {

// Decodes rows of every parameter of the container in `folder` and compares them with `model`'s; adds to `compared`.
void CompareContainer(const std::filesystem::path& folder, const Model& model, Findings& findings, int64_t& compared);

// The same for tensors of floats that the model has under the file's names.
void CompareFloats(const RawFolder& folder, const Model& model, Findings& findings, int64_t& compared);

// Reads a single safetensors file, whatever it holds, with both readers; adds to `compared`.
void CheckSafetensorsFile(const std::filesystem::path& path, Findings& findings, int64_t& compared);

// Whether the file begins like safetensors.
bool IsSafetensorsFile(const std::filesystem::path& path);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_DENSE_CHECKS_H_
