// What a model's cache of keys and values takes, and how a recipe chooses it.
#ifndef TERSOR_CORE_EVALUATE_KV_CACHE_COST_H_
#define TERSOR_CORE_EVALUATE_KV_CACHE_COST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/model/kv_format.h"
#include "core/model/model_spec.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// The format of the recipe's `kv`; float32 where it has none or a violation was appended.
KvFormat ReadKvFormat(const v1::Recipe& recipe, std::vector<FieldViolation>& violations);

// Bytes a token once its group of 64 is complete; the newest group of keys kept by channel takes more for the while.
v1::KvCacheResult DescribeKvCache(const ModelSpec& spec, const KvFormat& format, int64_t weight_bytes);

// "int8: 12,240 bytes a token, more than the weights from 6,211 tokens on".
std::string KvCacheText(const v1::KvCacheResult& result);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_KV_CACHE_COST_H_
