#include "core/evaluate/ready_generator.h"

#include <algorithm>

#include "core/base/peak_memory.h"
#include "core/evaluate/weight_memory.h"

namespace tersor {

absl::StatusOr<ReadyGenerator> MakeReady(const Model& model, const ComputeOptions& options) {
  ReadyGenerator ready;
  ready.mapped_bytes = TableMemory(model);
  TERSOR_ASSIGN_OR_RETURN(ready.weight_bytes, WeightMemory(model, options));
  // What was freed before must not be what the model is put into.
  ReturnFreeMemory();
  const int64_t before = OwnResidentBytes();
  TERSOR_ASSIGN_OR_RETURN(ready.generator, Generator::Create(model, options));
  ReturnFreeMemory();
  if (before > 0) ready.resident_bytes = std::max<int64_t>(OwnResidentBytes() - before, 0);
  return ready;
}

}  // namespace tersor
