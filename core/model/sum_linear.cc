#include "core/model/sum_linear.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/columns_tensor.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "core/kernels/row_term.h"
#include "core/kernels/sum_matrix.h"
#include "core/model/encoded_linear.h"
#include "core/model/low_bit_codes.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

absl::StatusOr<std::unique_ptr<RowTerm>> MakeColumns(const EncodedTensor& term, int64_t first, int64_t outputs) {
  const auto& columns = dynamic_cast<const ColumnsTensor&>(term);
  const std::vector<uint32_t> stored = columns.Indices();
  const std::vector<int64_t> indices(stored.begin(), stored.end());
  std::vector<uint16_t> values(outputs * indices.size());
  std::memcpy(values.data(), columns.values().bytes().data() + first * indices.size() * sizeof(uint16_t),
              values.size() * sizeof(uint16_t));
  return MakeColumnTerm(outputs, term.columns(), indices, values);
}

absl::StatusOr<std::unique_ptr<RowTerm>> MakeSparse(const EncodedTensor& term, int64_t first, int64_t outputs) {
  const auto& sparse = dynamic_cast<const SparseTensor&>(term);
  SparseRows rows{.outputs = outputs, .inputs = term.columns()};
  const int64_t begin = sparse.RowStart(first), end = sparse.RowStart(first + outputs);
  for (int64_t o = 0; o <= outputs; ++o) {
    rows.starts.push_back(static_cast<uint32_t>(sparse.RowStart(first + o) - begin));
  }
  for (int64_t entry = begin; entry < end; ++entry) {
    rows.columns.push_back(static_cast<uint16_t>(sparse.Column(entry)));
    // Stored as F16: exact.
    rows.values.push_back(FloatToF16(sparse.Value(entry)));
  }
  return MakeSparseTerm(std::move(rows));
}

bool AnyWidth(int64_t) { return true; }
bool SparseWidth(int64_t inputs) { return inputs <= SparseRows::kMostInputs; }

struct TermKind {
  absl::string_view encoding;
  bool (*fits)(int64_t inputs);
  absl::StatusOr<std::unique_ptr<RowTerm>> (*make)(const EncodedTensor& term, int64_t first, int64_t outputs);
};

// The one list of what can be added to codes.
constexpr TermKind kTermKinds[] = {{ColumnsTensor::kName, AnyWidth, MakeColumns},
                                   {SparseTensor::kName, SparseWidth, MakeSparse}};

const TermKind* FindTermKind(const EncodedTensor& term) {
  const auto kind = std::find_if(std::begin(kTermKinds), std::end(kTermKinds), [&](const TermKind& k) {
    return k.encoding == term.encoding() && k.fits(term.columns());
  });
  return kind == std::end(kTermKinds) ? nullptr : kind;
}

}  // namespace

bool SumLinearFits(const WeightRows& rows, const ComputeOptions& options) {
  const auto* sum = dynamic_cast<const SumTensor*>(rows.weight);
  if (sum == nullptr || !LowBitCodesFit({sum->terms()[0].get(), rows.first, rows.outputs}, options)) return false;
  return std::all_of(sum->terms().begin() + 1, sum->terms().end(),
                     [](const EncodedTensorPtr& term) { return FindTermKind(*term) != nullptr; });
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeSumLinear(const WeightRows& rows, const ComputeOptions& options) {
  const auto& sum = dynamic_cast<const SumTensor&>(*rows.weight);
  TERSOR_ASSIGN_OR_RETURN(LowBitCodes codes,
                          PackLowBitCodes({sum.terms()[0].get(), rows.first, rows.outputs}, options));
  std::vector<std::unique_ptr<RowTerm>> terms;
  for (size_t i = 1; i < sum.terms().size(); ++i) {
    const TermKind* kind = FindTermKind(*sum.terms()[i]);
    if (kind == nullptr) return absl::InternalError("no kernel adds this term");
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<RowTerm> term, kind->make(*sum.terms()[i], rows.first, rows.outputs));
    terms.push_back(std::move(term));
    absl::StrAppend(&codes.name, " + ", kind->encoding);
  }
  TERSOR_ASSIGN_OR_RETURN(SumMatrix matrix, SumMatrix::Create(std::move(codes.matrix), std::move(terms)));
  return std::unique_ptr<LinearKernel>(
      std::make_unique<EncodedLinear<SumMatrix>>(std::move(matrix), std::move(codes.name), options));
}

}  // namespace tersor
