// A weight that stays in its encoding: single rows are multiplied by the codes, many rows by the decoded values, which
// are held no longer than needed. Private to core/model.
#ifndef TERSOR_CORE_MODEL_ENCODED_LINEAR_H_
#define TERSOR_CORE_MODEL_ENCODED_LINEAR_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/kernels/packed_matrix.h"
#include "core/model/linear_kernel.h"

namespace tersor {

// Matrix is a RowMatrix with Decode(precision, threads).
template <typename Matrix>
class EncodedLinear final : public LinearKernel {
 public:
  EncodedLinear(Matrix matrix, Precision precision, std::string row_name)
      : matrix_(std::move(matrix)), precision_(precision), row_name_(std::move(row_name)) {}

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
    TERSOR_ASSIGN_OR_RETURN(const std::shared_ptr<const PackedMatrix> decoded, Decoded(1));
    return decoded->Multiply(x, x_stride, rows, bias, accumulate, y, y_stride);
  }

  absl::StatusOr<std::shared_ptr<const void>> Hold(int threads) const override {
    TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const PackedMatrix> decoded, Decoded(threads));
    return std::shared_ptr<const void>(std::move(decoded));
  }

 private:
  // Shared by all who hold it at a time.
  absl::StatusOr<std::shared_ptr<const PackedMatrix>> Decoded(int threads) const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<const PackedMatrix> decoded = decoded_.lock();
    if (decoded != nullptr) return decoded;
    TERSOR_ASSIGN_OR_RETURN(PackedMatrix matrix, matrix_.Decode(precision_, threads));
    decoded = std::make_shared<const PackedMatrix>(std::move(matrix));
    decoded_ = decoded;
    return decoded;
  }

  Matrix matrix_;
  Precision precision_;
  std::string row_name_;
  mutable std::mutex mutex_;
  mutable std::weak_ptr<const PackedMatrix> decoded_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ENCODED_LINEAR_H_
