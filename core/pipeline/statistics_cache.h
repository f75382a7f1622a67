// Statistics of dense models that jobs share.
#ifndef TERSOR_CORE_PIPELINE_STATISTICS_CACHE_H_
#define TERSOR_CORE_PIPELINE_STATISTICS_CACHE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "core/calibration/statistics_store.h"
#include "core/kernels/precision.h"

namespace tersor {

// Of a model and calibration text computed in `precision`, under CACHE/statistics, which is kept below a bound. Null
// where `cache_dir` is empty.
std::unique_ptr<StatisticsStore> OpenStatisticsCache(const std::filesystem::path& cache_dir,
                                                     const std::string& model_sha256,
                                                     const CalibrationTokens& calibration, Precision precision);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_STATISTICS_CACHE_H_
