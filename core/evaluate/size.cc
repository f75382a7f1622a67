#include "core/evaluate/size.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr absl::string_view kBlocksPrefix = "model.layers.";
constexpr int64_t kDenseBytesPerParameter = 2;

bool InBlocks(absl::string_view name) { return absl::StartsWith(name, kBlocksPrefix); }

// Bytes and elements of the parameters that `select` accepts.
struct Extent {
  uint64_t bytes = 0;
  int64_t elements = 0;
  double bits() const { return elements == 0 ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements); }
  void Add(const EncodedTensor& tensor) {
    bytes += tensor.byte_size();
    elements += tensor.elements();
  }
};

Extent BlocksExtent(const Model& model, bool matrices_only) {
  Extent extent;
  for (const auto& [name, tensor] : model.parameters) {
    if (InBlocks(name) && (!matrices_only || tensor->shape().size() == 2)) extent.Add(*tensor);
  }
  return extent;
}

absl::StatusOr<Extent> LayersExtent(const Model& model, std::span<const std::string> layers) {
  Extent extent;
  for (const std::string& layer : layers) {
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr tensor, model.Find(absl::StrCat(layer, ".weight")));
    extent.Add(*tensor);
  }
  return extent;
}

}  // namespace

absl::StatusOr<v1::SizeResult> MeasureSize(const Model& dense, const Model& compressed, int64_t artifact_bytes,
                                           std::span<const std::string> compressed_layers) {
  if (artifact_bytes < 1) return absl::InvalidArgumentError(absl::StrCat("an artifact of ", artifact_bytes, " bytes"));
  v1::SizeResult result;
  result.set_dense_bytes(kDenseBytesPerParameter * dense.ParameterCount());
  result.set_artifact_bytes(artifact_bytes);
  result.set_ratio(static_cast<double>(result.dense_bytes()) / static_cast<double>(artifact_bytes));
  result.set_source_bytes(dense.source.weight_bytes);
  const Extent blocks = BlocksExtent(compressed, false);
  if (blocks.bytes > 0) {
    const auto dense_bytes = kDenseBytesPerParameter * BlocksExtent(dense, false).elements;
    result.set_blocks_ratio(static_cast<double>(dense_bytes) / static_cast<double>(blocks.bytes));
  }
  if (compressed_layers.empty()) {
    result.set_true_bits(BlocksExtent(compressed, true).bits());
  } else {
    TERSOR_ASSIGN_OR_RETURN(const Extent layers, LayersExtent(compressed, compressed_layers));
    result.set_true_bits(layers.bits());
  }
  return result;
}

}  // namespace tersor
