// What the machine can do at most, measured: the figures kernels are held against.
#ifndef TERSOR_CORE_KERNELS_MACHINE_LIMITS_H_
#define TERSOR_CORE_KERNELS_MACHINE_LIMITS_H_

#include <cstdint>

namespace tersor {

// Bytes per second that `threads` threads read from a buffer of `bytes` bytes; take it larger than the caches for the
// memory's rate. Runs for about half a second; allocates the buffer.
double MeasureReadBandwidth(int threads, int64_t bytes);

// Float operations per second of fused multiply-adds on registers alone, by Tersor's own instruction set.
double MeasureMultiplyAddRate(int threads);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_MACHINE_LIMITS_H_
