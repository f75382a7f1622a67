#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/model/head.h"
#include "core/model/weights.h"

namespace tersor {

absl::Status Embed(const Model& model, std::span<const int32_t> ids, std::span<float> hidden) {
  const int64_t width = model.spec.width;
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr table, model.Find(kEmbeddingName));
  TERSOR_RETURN_IF_ERROR(CheckShape(kEmbeddingName, *table, model.spec.vocabulary, width));
  if (hidden.size() != ids.size() * width) {
    return absl::InvalidArgumentError(
        absl::StrCat("room for ", hidden.size(), " values, ", ids.size(), " ids of width ", width));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= model.spec.vocabulary) {
      return absl::OutOfRangeError(
          absl::StrCat("id ", ids[i], " at ", i, " is outside the vocabulary of ", model.spec.vocabulary));
    }
    table->DecodeRows(ids[i], 1, hidden.data() + i * width);
  }
  const float scale = static_cast<float>(model.spec.embedding_scale);
  if (scale != 1) {
    for (float& value : hidden) value *= scale;
  }
  return absl::OkStatus();
}

}  // namespace tersor
