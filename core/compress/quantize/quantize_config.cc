#include "core/compress/quantize/quantize_config.h"

#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/encoding/group_int_tensor.h"
#include "core/tensor/packed_ints.h"

namespace tersor {
namespace {

constexpr int kMostRefineRounds = 100;

// The fields that RtnConfig and GptqConfig share.
template <typename Config>
GridOptions ReadGrid(const Config& config, const std::string& field, std::vector<FieldViolation>& violations) {
  GridOptions options;
  if (config.has_bits()) options.bits = config.bits();
  if (config.has_group_size()) options.group_size = config.group_size();
  if (config.has_symmetric()) options.symmetric = config.symmetric();
  if (config.scale_search() != v1::SCALE_SEARCH_UNSPECIFIED) options.search = config.scale_search();
  if (options.bits < 2 || options.bits > 8) {
    violations.push_back({field + ".bits", absl::StrCat("must be 2 to 8, got ", options.bits)});
  }
  if (options.group_size != -1 && options.group_size < 1) {
    violations.push_back(
        {field + ".group_size", absl::StrCat("must be -1 (one scale a row) or at least 1, got ", options.group_size)});
  }
  if (!v1::ScaleSearch_IsValid(config.scale_search())) {
    violations.push_back({field + ".scale_search", absl::StrCat("unknown value ", int{config.scale_search()})});
  }
  return options;
}

// Up to six sizes that divide `common`, the nearest to `wanted` first, in falling order of size.
std::vector<int64_t> ProposeSizes(int64_t common, int64_t wanted) {
  std::vector<int64_t> sizes;
  for (int64_t size = 8; size <= common; ++size) {
    if (common % size == 0) sizes.push_back(size);
  }
  std::stable_sort(sizes.begin(), sizes.end(),
                   [&](int64_t a, int64_t b) { return std::abs(a - wanted) < std::abs(b - wanted); });
  if (sizes.size() > 6) sizes.resize(6);
  std::sort(sizes.rbegin(), sizes.rend());
  return sizes;
}

}  // namespace

GridOptions ReadRtnConfig(const v1::RtnConfig& config, const std::string& field,
                          std::vector<FieldViolation>& violations) {
  const GridOptions options = ReadGrid(config, field, violations);
  if (options.search == v1::SCALE_SEARCH_HESSIAN) {
    violations.push_back({field + ".scale_search",
                          "rtn reads no calibration text and so knows no second moment; use \"mse\", or method gptq"});
  }
  return options;
}

GptqOptions ReadGptqConfig(const v1::GptqConfig& config, const std::string& field,
                           std::vector<FieldViolation>& violations) {
  GptqOptions options;
  options.grid = ReadGrid(config, field, violations);
  if (config.scale_search() == v1::SCALE_SEARCH_UNSPECIFIED) options.grid.search = v1::SCALE_SEARCH_HESSIAN;
  if (config.has_activation_order() && !config.activation_order()) options.order = ColumnOrder::kNatural;
  options.feedback = ReadFeedbackPolicy(config, field, violations);
  if (config.has_block_size()) options.block_columns = config.block_size();
  options.refine_rounds = config.refine_rounds();
  options.dense_correction = config.dense_correction();
  if (options.block_columns < 1) {
    violations.push_back({field + ".block_size", absl::StrCat("must be at least 1, got ", options.block_columns)});
  }
  if (options.refine_rounds < 0 || options.refine_rounds > kMostRefineRounds) {
    violations.push_back(
        {field + ".refine_rounds", absl::StrCat("must be 0 to ", kMostRefineRounds, ", got ", options.refine_rounds)});
  }
  // Written so that NaN is refused.
  if (!(options.dense_correction >= 0 && options.dense_correction <= 1)) {
    violations.push_back({field + ".dense_correction", absl::StrCat("must be 0 to 1, got ", options.dense_correction)});
  }
  return options;
}

std::vector<FieldViolation> CheckGroupSize(const GridOptions& options, const std::vector<LinearLayer>& layers,
                                           const std::string& field) {
  if (options.group_size < 1) return {};
  std::vector<std::string> refused;
  int64_t common = 0;
  for (const LinearLayer& layer : layers) {
    common = std::gcd(common, layer.inputs);
    if (layer.inputs % options.group_size == 0) continue;
    refused.push_back(absl::StrCat(layer.name, " (", layer.inputs, " inputs)"));
  }
  if (refused.empty()) return {};
  const size_t count = refused.size();
  if (count > 4) refused.resize(4);
  const std::vector<int64_t> sizes = ProposeSizes(common, options.group_size);
  const std::string remedy =
      sizes.empty() ? std::string("-1") : absl::StrCat(absl::StrJoin(sizes, ", "), " or -1 (one scale a row)");
  return {{field + ".group_size",
           absl::StrCat("group size ", options.group_size, " does not divide the inputs of ", count,
                        count == 1 ? " layer: " : " layers: ", absl::StrJoin(refused, ", "),
                        count > refused.size() ? ", ..." : "", "; sizes that divide all layers: ", remedy)}};
}

PlannedEncoding GroupIntEncoding(const GridOptions& options, const LinearLayer& layer) {
  const int64_t group = options.GroupColumns(layer.inputs), groups = layer.inputs / group;
  const int64_t row_bytes = PackedBytes(layer.inputs, options.bits) + 2 * groups +
                            (options.symmetric ? 0 : PackedBytes(groups, options.bits));
  return {.encoding = std::string(GroupIntTensor::kName),
          .bytes = static_cast<uint64_t>(layer.outputs * row_bytes),
          .bits = options.bits,
          .group_size = group,
          .symmetric = options.symmetric};
}

}  // namespace tersor
