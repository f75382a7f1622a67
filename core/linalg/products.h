// Matrix products on the calling thread alone, so that results never depend on the number of threads: callers cut their
// work into pieces of fixed size and spread the pieces. Shapes are the caller's duty. Thread-safe.
#ifndef TERSOR_CORE_LINALG_PRODUCTS_H_
#define TERSOR_CORE_LINALG_PRODUCTS_H_

#include "core/linalg/matrix_view.h"

namespace tersor {

// c += a b.
void AddProduct(ConstMatrixView a, ConstMatrixView b, MatrixView c);
// c += a b^T.
void AddProductTransposed(ConstMatrixView a, ConstMatrixView b, MatrixView c);
// c += x^T y.
void AddTransposedProduct(ConstMatrixView x, ConstMatrixView y, MatrixView c);
// Lower triangle of c += x^T x, diagonal included; the rest of c is left alone.
void AddGram(ConstMatrixView x, MatrixView c);

// b := b R^-1 for an upper triangular R without zeros on its diagonal.
void SolveRightUpper(ConstMatrixView upper, MatrixView b);
// b := b R^-T.
void SolveRightUpperTransposed(ConstMatrixView upper, MatrixView b);
// b := R^-1 b.
void SolveLeftUpper(ConstMatrixView upper, MatrixView b);
// b := R^-T b.
void SolveLeftUpperTransposed(ConstMatrixView upper, MatrixView b);

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_PRODUCTS_H_
