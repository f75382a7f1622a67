// A weight that stays in its encoding: single rows are multiplied by the codes, many rows by the decoded values, which
// are held no longer than needed. Private to core/model.
#ifndef TERSOR_CORE_MODEL_ENCODED_LINEAR_H_
#define TERSOR_CORE_MODEL_ENCODED_LINEAR_H_

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/kernels/packed_matrix.h"
#include "core/kernels/parallel.h"
#include "core/model/linear_kernel.h"

namespace tersor {

// Matrix is a RowMatrix with Decode(precision, threads) and DecodeOutputs(first, count, precision, threads).
template <typename Matrix>
class EncodedLinear final : public LinearKernel {
 public:
  EncodedLinear(Matrix matrix, std::string row_name, const ComputeOptions& options)
      : matrix_(std::move(matrix)),
        precision_(options.precision),
        threads_(options.threads),
        row_name_(std::move(row_name)) {}

  std::string name() const override { return precision_ == Precision::kBF16 ? "bf16" : "float32"; }
  std::string row_name() const override { return row_name_; }
  bool encoded() const override { return true; }
  int64_t outputs() const override { return matrix_.outputs(); }
  int64_t inputs() const override { return matrix_.inputs(); }
  int64_t panels() const override { return matrix_.panels(); }

  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override {
    return matrix_.MultiplyPanelRows(first, count, rows);
  }

  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const override {
    if (const std::shared_ptr<const PackedMatrix> held = Held()) {
      return held->Multiply(x, x_stride, rows, bias, accumulate, y, y_stride);
    }
    // Threads take outputs by turns: what one decodes stays in its second-level cache until it has been multiplied.
    constexpr int64_t kChunk = 96;
    return ParallelFor(threads_, (outputs() + kChunk - 1) / kChunk, [&](int64_t chunk) {
      const int64_t first = chunk * kChunk;
      TERSOR_ASSIGN_OR_RETURN(
          const PackedMatrix decoded,
          matrix_.DecodeOutputs(first, std::min(kChunk, outputs() - first), precision_, /*threads=*/1));
      return decoded.Multiply(x, x_stride, rows, bias == nullptr ? nullptr : bias + first, accumulate, y + first,
                              y_stride);
    });
  }

  absl::StatusOr<std::shared_ptr<const void>> Hold(int threads) const override {
    std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<const PackedMatrix> decoded = decoded_.lock();
    if (decoded == nullptr) {
      TERSOR_ASSIGN_OR_RETURN(PackedMatrix matrix, matrix_.Decode(precision_, threads));
      decoded = std::make_shared<const PackedMatrix>(std::move(matrix));
      decoded_ = decoded;
    }
    return std::shared_ptr<const void>(std::move(decoded));
  }

 private:
  // Shared by all who hold it at a time; null where nobody does.
  std::shared_ptr<const PackedMatrix> Held() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return decoded_.lock();
  }

  Matrix matrix_;
  Precision precision_;
  int threads_;
  std::string row_name_;
  mutable std::mutex mutex_;
  mutable std::weak_ptr<const PackedMatrix> decoded_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ENCODED_LINEAR_H_
