#include "core/encoding/encoding_registry.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/encoding/bilevel_int_tensor.h"
#include "core/encoding/bit_plane_tensor.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/float8_tensor.h"
#include "core/encoding/gguf_block_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/low_rank_tensor.h"
#include "core/encoding/masked_int_tensor.h"
#include "core/encoding/masked_tensor.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Entry {
  absl::string_view name;
  absl::StatusOr<EncodedTensorPtr> (*from_fields)(const Shape&, const std::vector<EncodedField>&,
                                                  const nlohmann::json&);
};

constexpr std::array kEntries = {
    Entry{DenseTensor::kName, DenseTensor::FromFields},
    Entry{GroupIntTensor::kName, GroupIntTensor::FromFields},
    Entry{GgufBlockTensor::kName, GgufBlockTensor::FromFields},
    Entry{CodebookTensor::kName, CodebookTensor::FromFields},
    Entry{BitPlaneTensor::kName, BitPlaneTensor::FromFields},
    Entry{BilevelIntTensor::kName, BilevelIntTensor::FromFields},
    Entry{OutlierPairTensor::kName, OutlierPairTensor::FromFields},
    Entry{ColumnsTensor::kName, ColumnsTensor::FromFields},
    Entry{SparseTensor::kName, SparseTensor::FromFields},
    Entry{LowRankTensor::kName, LowRankTensor::FromFields},
    Entry{SumTensor::kName, SumTensor::FromFields},
    Entry{InputFormatTensor::kName, InputFormatTensor::FromFields},
    Entry{IndexedIntTensor::kName, IndexedIntTensor::FromFields},
    Entry{Float8Tensor::kName, Float8Tensor::FromFields},
    Entry{MaskedTensor::kName, MaskedTensor::FromFields},
    Entry{MaskedIntTensor::kName, MaskedIntTensor::FromFields},
};

}  // namespace

std::vector<absl::string_view> EncodingNames() {
  std::vector<absl::string_view> names;
  for (const Entry& entry : kEntries) names.push_back(entry.name);
  return names;
}

absl::StatusOr<EncodedTensorPtr> DecodeFields(absl::string_view encoding, const Shape& shape,
                                              const std::vector<EncodedField>& fields,
                                              const nlohmann::json& parameters) {
  for (const Entry& entry : kEntries) {
    if (entry.name == encoding) return entry.from_fields(shape, fields, parameters);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown encoding \"", encoding, "\"; known: ", absl::StrJoin(EncodingNames(), ", ")));
}

}  // namespace tersor
