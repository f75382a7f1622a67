// A matrix as a sum of terms in encodings of their own: a base, float columns, sparse values, low-rank factors.
#ifndef TERSOR_CORE_ENCODING_SUM_TENSOR_H_
#define TERSOR_CORE_ENCODING_SUM_TENSOR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Decodes to the sum of what its terms decode to, added in their order. Fields of term i stand under "termI.";
// parameters {"terms": [{"encoding": ..., "parameters": {...}}, ...]}.
class SumTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "sum";
  static constexpr size_t kMostTerms = 8;

  // Two to kMostTerms matrices of one shape, none with terms or an input format of its own.
  static absl::StatusOr<EncodedTensorPtr> Create(std::vector<EncodedTensorPtr> terms);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return terms_[0]->shape(); }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const std::vector<EncodedTensorPtr>& terms() const { return terms_; }

 private:
  explicit SumTensor(std::vector<EncodedTensorPtr> terms) : terms_(std::move(terms)) {}
  std::vector<EncodedTensorPtr> terms_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_SUM_TENSOR_H_
