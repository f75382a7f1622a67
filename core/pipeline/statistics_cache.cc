#include "core/pipeline/statistics_cache.h"

#include <algorithm>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/pipeline/cache_key.h"
#include "core/pipeline/pipeline.h"

namespace tersor {
namespace {

// Second moments of the demo model take 200 MB, those of a model of 1.5 billion parameters about 3 GB.
constexpr int64_t kMostBytes = int64_t{4} << 30;
// Share of the disk's free space that is taken at most.
constexpr int64_t kFreeShare = 4;

}  // namespace

std::unique_ptr<StatisticsStore> OpenStatisticsCache(const std::filesystem::path& cache_dir,
                                                     const std::string& model_sha256,
                                                     const CalibrationTokens& calibration, Precision precision) {
  if (cache_dir.empty() || model_sha256.empty()) return nullptr;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(cache_dir, error);
  const int64_t free = error ? kMostBytes : static_cast<int64_t>(space.available / kFreeShare);
  const absl::string_view asked = precision == Precision::kBF16 ? "/bf16" : precision == Precision::kF32 ? "/f32" : "";
  const StatisticsKey key = {model_sha256, TokensSha256(calibration), absl::StrCat(InstructionSets(), asked),
                             std::string(ProgramVersion())};
  return OpenStatisticsFolder(cache_dir / "statistics", key, std::min(kMostBytes, free));
}

}  // namespace tersor
