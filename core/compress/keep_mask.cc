#include "core/compress/keep_mask.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/masked_int_tensor.h"
#include "core/encoding/sparse_mask.h"
#include "core/tensor/packed_ints.h"

namespace tersor {
namespace {

absl::Status CheckZeros(const SparseMask& mask, const EncodedTensor& after) {
  std::vector<uint8_t> kept(after.columns());
  std::vector<float> values(after.columns());
  for (int64_t row = 0; row < after.rows(); ++row) {
    mask.KeptOfRow(row, kept.data());
    after.DecodeRows(row, 1, values.data());
    for (int64_t i = 0; i < after.columns(); ++i) {
      if (kept[i] != 0 || values[i] == 0) continue;
      return absl::InternalError(absl::StrCat("weight [", row, ", ", i, "] was left out and is ", values[i], " again"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> KeepMask(const EncodedTensor& before, EncodedTensorPtr after) {
  const SparseMask* mask = before.mask();
  if (mask == nullptr || after->mask() != nullptr) return after;
  const auto* codes = dynamic_cast<const GroupIntTensor*>(&after->weight());
  if (codes == nullptr) {
    TERSOR_RETURN_IF_ERROR(CheckZeros(*mask, *after));
    return after;
  }
  absl::StatusOr<EncodedTensorPtr> kept = MaskedIntTensor::Create(*mask, *codes);
  if (!kept.ok()) return absl::InternalError(kept.status().message());
  if (after->input_format() == nullptr) return kept;
  return InputFormatTensor::Create(*std::move(kept), ActivationFormatPtr(after, after->input_format()));
}

PlannedEncoding PlanKeptMask(const LinearLayer& layer, const PlannedEncoding& before, PlannedEncoding after) {
  if (before.kept == 0 || after.kept != 0 || after.encoding != GroupIntTensor::kName) return after;
  // A row's codes end with a whole byte.
  const int64_t codes = (before.kept * after.bits + 7) / 8 + layer.outputs;
  after.bytes += before.mask_bytes + static_cast<uint64_t>(codes);
  after.bytes -= static_cast<uint64_t>(layer.outputs * PackedBytes(layer.inputs, after.bits));
  after.encoding = std::string(MaskedIntTensor::kName);
  after.kept = before.kept;
  after.mask_bytes = before.mask_bytes;
  return after;
}

}  // namespace tersor
