// Small models with random weights, made in memory.
#ifndef TERSOR_TESTS_CORE_MODEL_SYNTHETIC_MODEL_H_
#define TERSOR_TESTS_CORE_MODEL_SYNTHETIC_MODEL_H_

#include <cstdint>
#include <vector>

#include "core/model/model.h"

namespace tersor {

// Two blocks of odd sizes with every optional part: grouped queries, biases, q/k norms; an untied head.
ModelSpec SmallSpec();

// A model of `spec` with normally distributed weights that depend on `seed` alone.
Model SyntheticModel(const ModelSpec& spec, uint32_t seed);

// `count` ids inside the vocabulary.
std::vector<int32_t> RandomIds(const ModelSpec& spec, int64_t count, uint32_t seed);

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_MODEL_SYNTHETIC_MODEL_H_
