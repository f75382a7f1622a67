#include "core/compress/prune/prune_options.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/encoding/masked_tensor.h"

namespace tersor {
namespace {

// Longer runs are no faster than any mask.
constexpr int kLongestPattern = 64;

// "2:4"; a fault is its description.
MaskPattern ReadPattern(const std::string& text, std::string& fault) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  MaskPattern pattern;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &pattern.kept) || !absl::SimpleAtoi(parts[1], &pattern.of)) {
    fault = absl::StrCat("must be N:M, weights kept of so many neighbours, such as 2:4; got \"", text, "\"");
    return {};
  }
  if (pattern.kept >= 1 && pattern.kept < pattern.of && pattern.of <= kLongestPattern) return pattern;
  fault = absl::StrCat("N:M keeps N of every M neighbouring weights: N is 1 to M - 1 and M at most ", kLongestPattern,
                       "; got \"", text, "\"");
  return {};
}

}  // namespace

int64_t PruneOptions::LeftOut(int64_t count) const {
  if (pattern.fixed()) return count / pattern.of * (pattern.of - pattern.kept);
  return static_cast<int64_t>(std::floor(sparsity * static_cast<double>(count)));
}

PruneOptions ReadPruneOptions(const v1::PruneStage& stage, const std::string& field,
                              std::vector<FieldViolation>& violations) {
  PruneOptions options;
  if (stage.has_sparsity()) options.sparsity = stage.sparsity();
  // Written so that NaN is refused.
  if (!(options.sparsity > 0 && options.sparsity < 1)) {
    violations.push_back(
        {field + ".sparsity", absl::StrCat("the share of the weights that are left out is above 0 and "
                                           "below 1, got ",
                                           options.sparsity, options.sparsity == 0 ? "; leave the stage out" : "")});
  }
  if (stage.pattern().empty()) return options;
  std::string fault;
  options.pattern = ReadPattern(stage.pattern(), fault);
  if (!fault.empty()) violations.push_back({field + ".pattern", std::move(fault)});
  if (stage.has_sparsity()) {
    violations.push_back({field + ".sparsity", "follows from `pattern`; leave one of the two out"});
  }
  if (options.pattern.fixed()) {
    options.sparsity = 1 - static_cast<double>(options.pattern.kept) / static_cast<double>(options.pattern.of);
  }
  return options;
}

std::vector<MethodOption> SharedPruneOptions() {
  return {{"sparsity", "number", "0.5", "Share of a layer's weights that are left out, above 0 and below 1"},
          {"pattern", "N:M", "", "Of every M neighbouring inputs of an output N weights are kept; left out: any"}};
}

std::vector<FieldViolation> CheckPattern(const PruneOptions& options, const std::vector<LinearLayer>& layers,
                                         const std::string& field) {
  if (!options.pattern.fixed()) return {};
  std::vector<std::string> refused;
  for (const LinearLayer& layer : layers) {
    if (layer.inputs % options.pattern.of == 0) continue;
    refused.push_back(absl::StrCat(layer.name, " (", layer.inputs, " inputs)"));
  }
  if (refused.empty()) return {};
  const size_t count = refused.size();
  if (count > 4) refused.resize(4);
  return {{field + ".pattern",
           absl::StrCat("runs of ", options.pattern.of, " do not divide the inputs of ", count,
                        count == 1 ? " layer: " : " layers: ", absl::StrJoin(refused, ", "),
                        count > refused.size() ? ", ..." : "", "; take another M, `sparsity`, or `skip` them")}};
}

PlannedEncoding MaskedEncoding(const PruneOptions& options, const LinearLayer& layer, int64_t kept,
                               int64_t bytes_a_weight) {
  const uint64_t mask = SparseMask::ByteSize(layer.outputs, layer.inputs, options.pattern);
  return {.encoding = std::string(MaskedTensor::kName),
          .bytes = mask + static_cast<uint64_t>(kept * bytes_a_weight),
          .kept = kept,
          .mask_bytes = mask};
}

}  // namespace tersor
