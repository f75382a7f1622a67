// Statistics of the dense model's layer inputs, kept for every later job that asks for the same.
#ifndef TERSOR_CORE_CALIBRATION_STATISTICS_STORE_H_
#define TERSOR_CORE_CALIBRATION_STATISTICS_STORE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/calibration/input_statistics.h"
#include "core/calibration/token_batches.h"

namespace tersor {

// Thread-compatible. What is kept may vanish at any time (another job's cleaning), so that callers can always gather
// anew.
class StatisticsStore {
 public:
  virtual ~StatisticsStore() = default;
  // Whether Load is likely to find all of `wanted` for blocks 0 .. blocks - 1.
  virtual bool Holds(int blocks, const std::set<Statistic>& wanted) const = 0;
  // Of the inputs of the block's segments, in their order. nullopt where something is missing or damaged.
  virtual std::optional<std::vector<InputStatistics>> Load(int block, const std::set<Statistic>& wanted) = 0;
  // Keeps what the statistics hold. A failure to keep (a full disk, a bound) is no failure of the job: it is gathered
  // again next time.
  virtual void Save(int block, const std::vector<InputStatistics>& statistics) = 0;
};

// What statistics depend on beside the block and the statistic: the folder's name is its hash.
struct StatisticsKey {
  std::string model_sha256;
  // Of CalibrationTokens: the sequences themselves.
  std::string tokens_sha256;
  // The instruction set kernels are dispatched to, and the program version.
  std::string isa;
  std::string program_version;

  std::string Hash() const;
};
std::string TokensSha256(const CalibrationTokens& calibration);

// Files FOLDER/KEY/BLOCK.STATISTIC.safetensors with tensor "I" for segment I; each appears whole or not at all. Before
// the files below `folder` reach `most_bytes`, other keys' folders are removed, those that changed longest ago first; a
// key that does not fit alone is not kept. Several processes may use one folder.
std::unique_ptr<StatisticsStore> OpenStatisticsFolder(const std::filesystem::path& folder, const StatisticsKey& key,
                                                      int64_t most_bytes);

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_STATISTICS_STORE_H_
