#include "core/compress/quantize/moment_form.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(MomentFormTest, IsTheQuadraticForm) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const int64_t columns : {1, 7, 63, 64, 65, 130, 200}) {
    for (const int64_t rows : {int64_t{1}, int64_t{5}, kPanelRows}) {
      // The upper triangle holds nothing that counts.
      const int64_t stride = columns + 3;
      std::vector<float> lower(columns * stride, 1e30f), values(rows * columns);
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t j = 0; j <= i; ++j) lower[i * stride + j] = normal(random);
      }
      for (float& value : values) value = normal(random);
      const MomentForm form({lower.data(), columns, columns, stride});
      PanelLosses losses{};
      losses[0] = 1000;
      form.AddLosses(ToPanel({values.data(), rows, columns}).data(), losses);
      for (int64_t row = 0; row < kPanelRows; ++row) {
        double expected = row == 0 ? 1000 : 0, size = 1e-6;
        for (int64_t i = 0; row < rows && i < columns; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            const double term = static_cast<double>(values[row * columns + i]) * values[row * columns + j] *
                                lower[std::max(i, j) * stride + std::min(i, j)];
            expected += term;
            size += std::abs(term);
          }
        }
        EXPECT_NEAR(losses[row], expected, 1e-5 * size) << columns << " columns, row " << row;
      }
    }
  }
}

}  // namespace
}  // namespace tersor
