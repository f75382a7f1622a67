#include "core/kernels/sum_matrix.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

static_assert(RowTerm::kTile == LowBitMatrix::kTile);

absl::StatusOr<SumMatrix> SumMatrix::Create(LowBitMatrix base, std::vector<std::unique_ptr<RowTerm>> terms) {
  for (const auto& term : terms) {
    if (term->outputs() == base.outputs() && term->inputs() == base.inputs()) continue;
    return absl::InvalidArgumentError(absl::StrCat("a term of ", term->outputs(), " x ", term->inputs(),
                                                   " cannot be added to a matrix of ", base.outputs(), " x ",
                                                   base.inputs()));
  }
  return SumMatrix(std::move(base), std::move(terms));
}

absl::Status SumMatrix::MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const {
  TERSOR_RETURN_IF_ERROR(base_.MultiplyPanelRows(first, count, rows));
  for (const auto& term : terms_) {
    for (int64_t row = 0; row < rows.rows; ++row) {
      term->AddProduct(first, count, rows.x + row * rows.x_stride, rows.y + row * rows.y_stride);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<PackedMatrix> SumMatrix::DecodeOutputs(int64_t first, int64_t count, Precision precision,
                                                      int threads) const {
  return PackedMatrix::PackTiles(count, inputs(), precision, threads, LowBitMatrix::kTile,
                                 [&](int64_t t, float* out, int64_t stride) {
                                   const int64_t tile = first / LowBitMatrix::kTile + t;
                                   base_.DecodeTile(tile, out, stride);
                                   for (const auto& term : terms_) term->AddValues(tile, out, stride);
                                 });
}

}  // namespace tersor
