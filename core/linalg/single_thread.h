// OpenBLAS on one thread. Private to core/linalg.
#ifndef TERSOR_CORE_LINALG_SINGLE_THREAD_H_
#define TERSOR_CORE_LINALG_SINGLE_THREAD_H_

namespace tersor {

// Tells OpenBLAS, once for the process, to work on the calling thread. Every function of this room calls it first.
void UseCallingThread();

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_SINGLE_THREAD_H_
