// A model made ready to generate, with what that took of memory.
#ifndef TERSOR_CORE_EVALUATE_READY_GENERATOR_H_
#define TERSOR_CORE_EVALUATE_READY_GENERATOR_H_

#include <cstdint>
#include <memory>

#include "core/base/status.h"
#include "core/model/generate.h"

namespace tersor {

struct ReadyGenerator {
  std::unique_ptr<Generator> generator;
  // Computed: see WeightMemory.
  int64_t weight_bytes = 0;
  // Of these, tables that are looked up in the model's mapped file.
  int64_t mapped_bytes = 0;
  // Measured: by how much the process's own memory grew, mapped files apart; 0 where the kernel does not say. Means
  // something only where nothing else allocates meanwhile.
  int64_t resident_bytes = 0;
};

// `model` outlives the generator.
absl::StatusOr<ReadyGenerator> MakeReady(const Model& model, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_READY_GENERATOR_H_
