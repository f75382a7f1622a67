#include "core/linalg/products.h"

#include <cblas.h>

#include "core/linalg/single_thread.h"

namespace tersor {
namespace {

int Int(int64_t value) { return static_cast<int>(value); }

void Gemm(CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, int64_t inner, ConstMatrixView a, ConstMatrixView b,
          MatrixView c) {
  const BlasThreadScope one_thread;
  if (c.rows == 0 || c.columns == 0 || inner == 0) return;
  cblas_sgemm(CblasRowMajor, transpose_a, transpose_b, Int(c.rows), Int(c.columns), Int(inner), 1.0f, a.data,
              Int(a.stride), b.data, Int(b.stride), 1.0f, c.data, Int(c.stride));
}

void Solve(CBLAS_SIDE side, CBLAS_TRANSPOSE transpose, ConstMatrixView upper, MatrixView b) {
  const BlasThreadScope one_thread;
  if (b.rows == 0 || b.columns == 0) return;
  cblas_strsm(CblasRowMajor, side, CblasUpper, transpose, CblasNonUnit, Int(b.rows), Int(b.columns), 1.0f, upper.data,
              Int(upper.stride), b.data, Int(b.stride));
}

}  // namespace

void AddProduct(ConstMatrixView a, ConstMatrixView b, MatrixView c) {
  Gemm(CblasNoTrans, CblasNoTrans, a.columns, a, b, c);
}

void AddProductTransposed(ConstMatrixView a, ConstMatrixView b, MatrixView c) {
  Gemm(CblasNoTrans, CblasTrans, a.columns, a, b, c);
}

void AddTransposedProduct(ConstMatrixView x, ConstMatrixView y, MatrixView c) {
  Gemm(CblasTrans, CblasNoTrans, x.rows, x, y, c);
}

void AddGram(ConstMatrixView x, MatrixView c) {
  const BlasThreadScope one_thread;
  if (x.rows == 0 || x.columns == 0) return;
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, Int(x.columns), Int(x.rows), 1.0f, x.data, Int(x.stride), 1.0f,
              c.data, Int(c.stride));
}

void SolveRightUpper(ConstMatrixView upper, MatrixView b) { Solve(CblasRight, CblasNoTrans, upper, b); }

void SolveRightUpperTransposed(ConstMatrixView upper, MatrixView b) { Solve(CblasRight, CblasTrans, upper, b); }

void SolveLeftUpper(ConstMatrixView upper, MatrixView b) { Solve(CblasLeft, CblasNoTrans, upper, b); }

void SolveLeftUpperTransposed(ConstMatrixView upper, MatrixView b) { Solve(CblasLeft, CblasTrans, upper, b); }

}  // namespace tersor
