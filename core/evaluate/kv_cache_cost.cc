#include "core/evaluate/kv_cache_cost.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/model/kv_page.h"

namespace tersor {
namespace {

int64_t BytesPerToken(const ModelSpec& spec, const KvFormat& format) {
  int64_t page = 0;
  for (const LayerSpec& layer : spec.layers) {
    page += KvPage::StoredBytes({1, layer.attention.kv_heads, layer.attention.head_size, format});
  }
  return (page + kKeyBlock - 1) / kKeyBlock;
}

}  // namespace

KvFormat ReadKvFormat(const v1::Recipe& recipe, std::vector<FieldViolation>& violations) {
  if (!recipe.has_kv()) return {};
  const v1::KvCacheConfig& config = recipe.kv();
  const size_t faults = violations.size();
  KvFormat format;
  format.bits = config.bits();
  if (config.bits() != 2 && config.bits() != 4 && config.bits() != 8) {
    violations.push_back({"kv.bits", absl::StrCat("is ", config.bits(), "; known: 2, 4, 8")});
  }
  if (config.keys() == "channel") {
    format.keys = KvKeys::kChannel;
  } else if (!config.keys().empty() && config.keys() != "token") {
    violations.push_back({"kv.keys", absl::StrCat("is \"", config.keys(), "\"; known: token, channel")});
  }
  return violations.size() == faults ? format : KvFormat();
}

v1::KvCacheResult DescribeKvCache(const ModelSpec& spec, const KvFormat& format, int64_t weight_bytes) {
  v1::KvCacheResult result;
  result.set_format(KvFormatName(format));
  result.set_bytes_per_token(BytesPerToken(spec, format));
  result.set_dense_bytes_per_token(BytesPerToken(spec, {}));
  result.set_outweighs_weights_from_tokens(weight_bytes / std::max<int64_t>(result.bytes_per_token(), 1) + 1);
  return result;
}

std::string KvCacheText(const v1::KvCacheResult& result) {
  return absl::StrCat(result.format(), ": ", result.bytes_per_token(), " bytes a token, more than the weights from ",
                      result.outweighs_weights_from_tokens(), " tokens on");
}

}  // namespace tersor
