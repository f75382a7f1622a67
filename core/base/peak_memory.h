// The process's resident memory, as the kernel counts it.
#ifndef TERSOR_CORE_BASE_PEAK_MEMORY_H_
#define TERSOR_CORE_BASE_PEAK_MEMORY_H_

#include <cstdint>

namespace tersor {

// Bytes of VmHWM since the process started or the last reset that worked; 0 where the kernel does not say.
int64_t PeakResidentBytes();

// Bytes that the process has resident now and shares with no file: its heap, stacks and private mappings (RssAnon); 0
// where the kernel does not say.
int64_t OwnResidentBytes();

// Starts counting anew from the present size. Returns false where the kernel does not allow it.
bool ResetPeakResidentBytes();

// Gives memory that the process has freed, but its allocator kept, back to the system.
void ReturnFreeMemory();

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_PEAK_MEMORY_H_
