// A checkpoint in memory, as a file-based one behaves.
#ifndef TERSOR_TESTS_CORE_COMPRESS_MEMORY_CHECKPOINT_H_
#define TERSOR_TESTS_CORE_COMPRESS_MEMORY_CHECKPOINT_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/compress/block_checkpoint.h"

namespace tersor::testing {

class MemoryCheckpoint final : public BlockCheckpoint {
 public:
  absl::Status Save(const BlockRecord& record, std::span<const float> activations) override {
    saved_.records.push_back(record);
    saved_.activations.assign(activations.begin(), activations.end());
    return after_save ? after_save(record.block) : absl::OkStatus();
  }
  absl::StatusOr<std::optional<SavedWalk>> Load() override {
    if (saved_.records.empty()) return std::nullopt;
    return saved_;
  }
  absl::Status SaveDecisions(const std::string& decisions) override {
    saved_decisions.push_back(decisions);
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<std::string>> LoadDecisions() override {
    if (saved_decisions.empty()) return std::nullopt;
    return saved_decisions.back();
  }
  SavedWalk& saved() { return saved_; }

  // Its answer is Save's.
  std::function<absl::Status(int)> after_save;
  std::vector<std::string> saved_decisions;

 private:
  SavedWalk saved_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPRESS_MEMORY_CHECKPOINT_H_
