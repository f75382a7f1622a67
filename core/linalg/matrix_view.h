// Row-major float matrices that somebody else owns.
#ifndef TERSOR_CORE_LINALG_MATRIX_VIEW_H_
#define TERSOR_CORE_LINALG_MATRIX_VIEW_H_

#include <cstdint>
#include <type_traits>

namespace tersor {

// Element (i, j) lies at data[i * stride + j].
template <typename T>
struct BasicMatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  BasicMatrixView() = default;
  BasicMatrixView(T* data, int64_t rows, int64_t columns, int64_t stride)
      : data(data), rows(rows), columns(columns), stride(stride) {}
  BasicMatrixView(T* data, int64_t rows, int64_t columns) : BasicMatrixView(data, rows, columns, columns) {}
  // A mutable view is a constant one.
  template <typename U>
  requires(std::is_same_v<const U, T>) BasicMatrixView(const BasicMatrixView<U>& other)
      : BasicMatrixView(other.data, other.rows, other.columns, other.stride) {}

  T* row(int64_t i) const { return data + i * stride; }
  T& at(int64_t i, int64_t j) const { return data[i * stride + j]; }
  // `count` rows from `first` on, and columns likewise.
  BasicMatrixView Rows(int64_t first, int64_t count) const { return {row(first), count, columns, stride}; }
  BasicMatrixView Columns(int64_t first, int64_t count) const { return {data + first, rows, count, stride}; }
};

using MatrixView = BasicMatrixView<float>;
using ConstMatrixView = BasicMatrixView<const float>;

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_MATRIX_VIEW_H_
