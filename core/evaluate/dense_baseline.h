// The dense model's answers under one protocol, measured once and kept on disk for every later job.
#ifndef TERSOR_CORE_EVALUATE_DENSE_BASELINE_H_
#define TERSOR_CORE_EVALUATE_DENSE_BASELINE_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"
#include "core/tensor/tensor.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// What the answers depend on; the file's name is its hash.
struct BaselineKey {
  std::string protocol_hash;
  std::string model_sha256;
  // "f32" or "bf16".
  std::string precision;
  // The instruction set kernels are dispatched to, and the program version.
  std::string isa;
  std::string program_version;

  std::string Hash() const;
};

struct DenseBaseline {
  // One a block of each window (ScoredWindow::blocks).
  std::vector<double> block_nlls;
  // F32 [scored tokens, width], mapped from the cache's file; no elements where it was not kept.
  Tensor hidden;
  // What measuring took, when it was measured.
  double seconds = 0;
  // Taken from the cache.
  bool reused = false;
};

// The file under `cache_dir` for `key`.
std::filesystem::path BaselinePath(const std::filesystem::path& cache_dir, const BaselineKey& key);

// NOT_FOUND where there is none; DATA_LOSS where the file is damaged, of another key or of other sizes than `windows`
// and `width` ask for: the caller measures again.
absl::StatusOr<DenseBaseline> ReadBaseline(const std::filesystem::path& cache_dir, const BaselineKey& key,
                                           const ScoredWindows& windows, int64_t width, bool with_hidden);

// The cached answers, or those of a pass over `windows` that are then cached (atomically, hidden states written group
// by group). A damaged file is never trusted: it is replaced. `prepare` is called only when the model must be run.
absl::StatusOr<DenseBaseline> MeasureBaseline(const std::function<absl::StatusOr<ScoringModel>()>& prepare,
                                              int64_t width, const ScoredWindows& windows, const BaselineKey& key,
                                              const std::filesystem::path& cache_dir, bool keep_hidden,
                                              const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_DENSE_BASELINE_H_
