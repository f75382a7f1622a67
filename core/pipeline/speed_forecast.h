// What a recipe can do for prefill and for decoding, from bytes and kinds of products alone.
#ifndef TERSOR_CORE_PIPELINE_SPEED_FORECAST_H_
#define TERSOR_CORE_PIPELINE_SPEED_FORECAST_H_

#include <string>
#include <vector>

#include "core/encoding/planned_encoding.h"
#include "core/model/model.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct SpeedForecast {
  // Bytes of weights that decoding one token reads: of the dense model in float32, and of the compressed one.
  double dense_bytes = 0;
  double bytes = 0;
  // Share of the block's products that are computed on integers (core/model/integer_products.h).
  double integer_share = 0;
  // How many of these the instructions of this machine do for one of floats, at most.
  double integer_gain = 4;

  // Upper bound of decode tokens/s compressed / dense: reading the weights is what decoding one sequence takes.
  double decode_speedup() const { return bytes > 0 ? dense_bytes / bytes : 1; }
  // Prefill does as many products as before; only those of integers by integers are faster.
  double prefill_speedup() const { return 1 / (1 - integer_share * (1 - 1 / integer_gain)); }
};

SpeedForecast ForecastSpeed(const Model& model, const PlannedEncodings& encodings);

// "decode reads 79 MB a token instead of 538: at most 6.8 times as fast; prefill: ...".
std::string ForecastText(const SpeedForecast& forecast);

// SPEEDUP_OUT_OF_REACH for each gate on a speedup that the forecast excludes, KV_CACHE_OUTWEIGHS where the model's
// context is longer than it takes for the cache to weigh more than the weights.
std::vector<v1::Warning> ForecastWarnings(const v1::Recipe& recipe, const SpeedForecast& forecast,
                                          const v1::KvCacheResult& cache, int64_t context_length);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_SPEED_FORECAST_H_
