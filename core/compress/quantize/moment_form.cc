#include "core/compress/quantize/moment_form.h"

#include <algorithm>

#include "core/kernels/outer_products.h"

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows, kColumns = kPanelColumns;
// Columns copied between layouts together: of all rows they stay in the first-level cache.
constexpr int64_t kCopied = 64;
// So many rows of the form and of the errors stay there too.
constexpr int64_t kDepth = 128;

// c += form^T errors over `depth` rows.
void AddRows(const float* form, const float* errors, int64_t depth, int64_t columns, float* c) {
  for (int64_t first = 0; first < depth; first += kDepth) {
    AddOuterProducts({std::min(kDepth, depth - first), form + first * kColumns, kColumns, columns,
                      errors + first * kRows, kRows, kRows, c, kRows});
  }
}

}  // namespace

MomentForm::MomentForm(ConstMatrixView lower) : columns_(lower.columns) {
  const int64_t panels = (columns_ + kColumns - 1) / kColumns;
  values_.resize(PanelOffset(panels));
  for (int64_t p = 0; p < panels; ++p) {
    const int64_t first = p * kColumns, count = std::min(kColumns, columns_ - first);
    float* out = values_.data() + PanelOffset(p);
    for (int64_t row = first; row < columns_; ++row, out += kColumns) {
      const int64_t held = std::min(count, row - first + 1);
      std::copy_n(lower.row(row) + first, held, out);
      for (int64_t k = held; k < count; ++k) out[k] = lower.at(first + k, row);
    }
  }
}

int64_t MomentForm::PanelOffset(int64_t panel) const {
  return kColumns * (panel * columns_ - kColumns * (panel * (panel - 1) / 2));
}

void MomentForm::AddLosses(const float* errors, PanelLosses& losses) const {
  std::array<float, kColumns * kRows> product;
  for (int64_t first = 0; first < columns_; first += kColumns) {
    const int64_t count = std::min(kColumns, columns_ - first), below = columns_ - first - count;
    const float* form = values_.data() + PanelOffset(first / kColumns);
    product.fill(0);
    // What lies below the diagonal counts twice.
    AddRows(form + count * kColumns, errors + (first + count) * kRows, below, count, product.data());
    for (float& value : product) value *= 2;
    AddRows(form, errors + first * kRows, count, count, product.data());
    std::array<float, kRows> sums{};
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t r = 0; r < kRows; ++r) sums[r] += product[k * kRows + r] * errors[(first + k) * kRows + r];
    }
    for (int64_t r = 0; r < kRows; ++r) losses[r] += sums[r];
  }
}

std::vector<float> ToPanel(ConstMatrixView rows) {
  std::vector<float> panel(rows.columns * kRows);
  for (int64_t first = 0; first < rows.columns; first += kCopied) {
    const int64_t end = std::min(rows.columns, first + kCopied);
    for (int64_t r = 0; r < rows.rows; ++r) {
      const float* source = rows.row(r);
      for (int64_t k = first; k < end; ++k) panel[k * kRows + r] = source[k];
    }
  }
  return panel;
}

}  // namespace tersor
