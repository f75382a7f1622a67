#include "core/base/mapped_inputs.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// What the signal handler looks through, without a lock. A process that maps more files has the rest unguarded.
constexpr size_t kSlots = 1 << 14;
struct Slot {
  std::atomic<const std::byte*> data{nullptr};
  std::atomic<size_t> size{0};
  std::atomic<bool> shrank{false};
};
Slot g_slots[kSlots];
std::atomic<size_t> g_used_slots{0};
std::atomic<bool> g_any_shrank{false};

struct Mapping {
  size_t size = 0;
  std::filesystem::path path;
  struct stat info = {};
  Slot* slot = nullptr;
};

// Never destroyed, as files may be unmapped while the process ends.
struct Mappings {
  std::mutex mutex;
  std::map<const std::byte*, Mapping> by_address;
  // The first file that became shorter and is not mapped any more.
  std::string lost;
};

Mappings& AllMappings() {
  static Mappings* const mappings = new Mappings;
  return *mappings;
}

// Puts zeros in place of what is gone, from the page of `address` to the end of its file's mapping.
bool PutZeros(Slot& slot, const std::byte* address) {
  const std::byte* const data = slot.data.load();
  const size_t size = slot.size.load();
  if (data == nullptr || address < data || address >= data + size) return false;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(address) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data + size) + page - 1) / page * page;
  void* const zeros = mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) return false;
  slot.shrank.store(true);
  g_any_shrank.store(true);
  return true;
}

void OnBusError(int signal, siginfo_t* info, void*) {
  const auto* const address = static_cast<const std::byte*>(info->si_addr);
  const size_t used = g_used_slots.load();
  for (size_t i = 0; i < used; ++i) {
    if (PutZeros(g_slots[i], address)) return;
  }
  // Not ours: the same read, done again, ends the process as it would have.
  ::signal(signal, SIG_DFL);
}

void InstallHandler() {
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

Slot* TakeSlot() {
  const size_t used = g_used_slots.load();
  for (size_t i = 0; i < used; ++i) {
    if (g_slots[i].data.load() == nullptr) return &g_slots[i];
  }
  if (used == kSlots) return nullptr;
  g_used_slots.store(used + 1);
  return &g_slots[used];
}

absl::Status Shrank(const std::string& path) {
  return absl::DataLossError(absl::StrCat(path,
                                          ": the file became shorter while it was read: nothing that was "
                                          "computed from it is kept; put the whole file back and run again"));
}

// Whether the file under the path is still this one and was written meanwhile. Another file in its place is no harm:
// what is mapped stays as it was.
bool WasWritten(const Mapping& mapping) {
  struct stat now = {};
  if (stat(mapping.path.c_str(), &now) != 0) return false;
  if (now.st_dev != mapping.info.st_dev || now.st_ino != mapping.info.st_ino) return false;
  return now.st_size != mapping.info.st_size || now.st_mtim.tv_sec != mapping.info.st_mtim.tv_sec ||
         now.st_mtim.tv_nsec != mapping.info.st_mtim.tv_nsec;
}

}  // namespace

void RegisterMappedInput(const std::byte* data, size_t size, const std::filesystem::path& path,
                         const struct stat& info) {
  static std::once_flag installed;
  std::call_once(installed, InstallHandler);
  Mappings& mappings = AllMappings();
  std::lock_guard<std::mutex> lock(mappings.mutex);
  Slot* const slot = TakeSlot();
  if (slot != nullptr) {
    slot->shrank.store(false);
    slot->size.store(size);
    slot->data.store(data);
  }
  mappings.by_address[data] = {size, path, info, slot};
}

void UnregisterMappedInput(const std::byte* data) {
  Mappings& mappings = AllMappings();
  std::lock_guard<std::mutex> lock(mappings.mutex);
  const auto found = mappings.by_address.find(data);
  if (found == mappings.by_address.end()) return;
  if (Slot* const slot = found->second.slot; slot != nullptr) {
    if (slot->shrank.load() && mappings.lost.empty()) mappings.lost = found->second.path.string();
    slot->data.store(nullptr);
  }
  mappings.by_address.erase(found);
}

size_t FindMappedInput(const std::byte* address, const std::byte** begin) {
  Mappings& mappings = AllMappings();
  std::lock_guard<std::mutex> lock(mappings.mutex);
  const auto after = mappings.by_address.upper_bound(address);
  if (after == mappings.by_address.begin()) return 0;
  const auto& [data, mapping] = *std::prev(after);
  if (address >= data + mapping.size) return 0;
  *begin = data;
  return mapping.size;
}

absl::Status CheckMappedInputs() {
  Mappings& mappings = AllMappings();
  std::lock_guard<std::mutex> lock(mappings.mutex);
  if (!mappings.lost.empty()) return Shrank(mappings.lost);
  for (const auto& [data, mapping] : mappings.by_address) {
    if (g_any_shrank.load() && mapping.slot != nullptr && mapping.slot->shrank.load()) {
      return Shrank(mapping.path.string());
    }
    if (WasWritten(mapping)) {
      return absl::DataLossError(absl::StrCat(mapping.path.string(),
                                              ": the file was written while it was read: nothing that was computed "
                                              "from it is kept; leave it alone and run again"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tersor
