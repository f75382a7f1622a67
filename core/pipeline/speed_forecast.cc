#include "core/pipeline/speed_forecast.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/warning.h"
#include "core/evaluate/gate_syntax.h"
#include "core/kernels/cpu_info.h"
#include "core/model/integer_products.h"

namespace tersor {
namespace {

constexpr double kFloatBytes = 4;

bool IsLinear(const std::string& name, const EncodedTensor& tensor) {
  return tensor.shape().size() == 2 && absl::StrContains(name, ".layers.");
}

// Integer products an instruction does for each of floats, at most: the tiles of AMX, which only the library uses, the
// dot products of VNNI, and without either the pairs of bytes of AVX2.
double IntegerGain(absl::string_view isa, IntegerProducts kind) {
  if (absl::StrContains(isa, "amx") && kind == IntegerProducts::kLibrary) return 32;
  const bool dot_products =
      absl::StrContains(isa, "vnni") || absl::StrContains(isa, "amx") || absl::StartsWith(isa, "avx512_core_");
  return dot_products ? 4 : 2;
}

// What keeps a speedup from the gate's limit; empty where nothing does.
std::string Hindrance(const Gate& gate, const SpeedForecast& forecast) {
  if (gate.op != GateOperator::kGreater && gate.op != GateOperator::kGreaterOrEqual) return "";
  if (gate.metric == "decode_speedup" && forecast.decode_speedup() < gate.limit) {
    return absl::StrFormat(
        "decoding reads %.4g MB of weights a token instead of %.4g, so it can become at most %.3g times as fast; fewer "
        "bits per weight, also in the head, let it read less",
        forecast.bytes / 1e6, forecast.dense_bytes / 1e6, forecast.decode_speedup());
  }
  if (gate.metric == "prefill_speedup" && forecast.prefill_speedup() < gate.limit) {
    return forecast.integer_share == 0
               ? "prefill multiplies as many floats as before: only integer weights with integer inputs (smoothquant, "
                 "or rtn with `activations`) are multiplied as integers"
               : absl::StrFormat(
                     "products of integers are %.0f %% of prefill's, which lets it become at most %.3g times "
                     "as fast",
                     100 * forecast.integer_share, forecast.prefill_speedup());
  }
  return "";
}

}  // namespace

SpeedForecast ForecastSpeed(const Model& model, const PlannedEncodings& encodings) {
  SpeedForecast forecast;
  // Integer products, and the float products that take as long.
  double products = 0, integer_products = 0, integer_time = 0;
  const auto add = [&](const std::string& name, const EncodedTensor& tensor, bool linear) {
    const auto planned = encodings.find(name);
    const double elements = static_cast<double>(tensor.elements());
    forecast.dense_bytes += elements * kFloatBytes;
    forecast.bytes += planned == encodings.end() ? elements * kFloatBytes : static_cast<double>(planned->second.bytes);
    if (!linear) return;
    products += elements;
    if (planned == encodings.end()) return;
    const IntegerProducts kind = PlannedProducts(planned->second, tensor.columns());
    if (kind == IntegerProducts::kNone) return;
    integer_products += elements;
    integer_time += elements / IntegerGain(GetCpuInfo().onednn_isa, kind);
  };
  for (const auto& [name, tensor] : model.parameters) {
    if (IsLinear(name, *tensor)) add(name, *tensor, true);
  }
  const bool shared = model.spec.tied && encodings.count(kHeadName) == 0;
  if (const auto head = model.Head(); head.ok()) add(std::string(shared ? kEmbeddingName : kHeadName), **head, false);
  forecast.integer_share = products > 0 ? integer_products / products : 0;
  if (integer_products > 0) forecast.integer_gain = integer_products / integer_time;
  return forecast;
}

std::string ForecastText(const SpeedForecast& forecast) {
  return absl::StrCat(
      absl::StrFormat(
          "decode reads %.4g MB of weights a token instead of %.4g in float32: at most %.3g times as fast; ",
          forecast.bytes / 1e6, forecast.dense_bytes / 1e6, forecast.decode_speedup()),
      forecast.integer_share > 0
          ? absl::StrFormat("prefill: %.0f %% of the products are of integers, at most %.3g times as fast",
                            100 * forecast.integer_share, forecast.prefill_speedup())
          : std::string("prefill: as many float products as before, not faster"));
}

std::vector<v1::Warning> ForecastWarnings(const v1::Recipe& recipe, const SpeedForecast& forecast,
                                          const v1::KvCacheResult& cache, int64_t context_length) {
  std::vector<v1::Warning> warnings;
  for (int i = 0; i < recipe.gates_size(); ++i) {
    const absl::StatusOr<Gate> gate = ParseGate(recipe.gates(i));
    if (!gate.ok()) continue;
    std::string hindrance = Hindrance(*gate, forecast);
    if (hindrance.empty()) continue;
    warnings.push_back(MakeWarning("SPEEDUP_OUT_OF_REACH", std::move(hindrance), absl::StrCat("gates[", i, "]")));
  }
  if (!recipe.has_kv() && context_length > cache.outweighs_weights_from_tokens()) {
    warnings.push_back(
        MakeWarning("KV_CACHE_OUTWEIGHS",
                    absl::StrCat("from ", cache.outweighs_weights_from_tokens(),
                                 " tokens of context on, the cache of keys and values weighs more than the weights (",
                                 cache.bytes_per_token(), " bytes a token); the model takes ", context_length,
                                 ". `kv: { bits: 8 }` quarters it"),
                    "kv"));
  }
  return warnings;
}

}  // namespace tersor
