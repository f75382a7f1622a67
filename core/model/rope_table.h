// Cosines and sines of rotary position embedding.
#ifndef TERSOR_CORE_MODEL_ROPE_TABLE_H_
#define TERSOR_CORE_MODEL_ROPE_TABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/model_spec.h"

namespace tersor {

// Angle a position turns, for each pair of a head's turned elements (rotary_size / 2 of them), scaling included.
// Longrope's depends on whether the sequence's `length` exceeds the original context.
std::vector<double> RopeFrequencies(const RopeSpec& spec, int64_t head_size, int64_t length = 1);

// Immutable and thread-safe. Computed in double, kept in float.
class RopeTable {
 public:
  // Covers at least `positions` positions, which is also the length of the sequence. Tables are shared by all blocks of
  // a process that ask for the same ones.
  static std::shared_ptr<const RopeTable> Get(const RopeSpec& spec, int64_t head_size, int64_t positions);

  int64_t positions() const { return positions_; }
  // Elements of a head that are turned.
  int64_t turned() const { return 2 * half_; }
  const float* cosines(int64_t position) const { return cosines_.data() + position * half_; }
  const float* sines(int64_t position) const { return sines_.data() + position * half_; }

 private:
  RopeTable(const RopeSpec& spec, int64_t head_size, int64_t length, int64_t positions);

  int64_t half_;
  int64_t positions_;
  std::vector<float> cosines_;
  std::vector<float> sines_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ROPE_TABLE_H_
