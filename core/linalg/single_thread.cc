#include "core/linalg/single_thread.h"

#include <cblas.h>
#include <omp.h>

namespace tersor {

void UseCallingThread() {
  static const bool done = [] {
    // OpenBLAS passes the number on to OpenMP, whose default others rely on.
    const int threads = omp_get_max_threads();
    openblas_set_num_threads(1);
    omp_set_num_threads(threads);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace tersor
