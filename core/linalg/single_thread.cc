#include "core/linalg/single_thread.h"

#include <cblas.h>
#include <omp.h>

namespace tersor {

BlasThreadScope::BlasThreadScope() : before_(omp_get_max_threads()) {
  // OpenBLAS resizes its buffers when the number differs from the last call's: not while other threads are in it.
  static const bool told = (openblas_set_num_threads(1), true);
  static_cast<void>(told);
  omp_set_num_threads(1);
}

BlasThreadScope::~BlasThreadScope() { omp_set_num_threads(before_); }

}  // namespace tersor
