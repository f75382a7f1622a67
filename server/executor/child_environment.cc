#include "server/executor/child_environment.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace tersor {
namespace {

constexpr absl::string_view kNames[] = {
    "HOME",   "LANG", "LD_LIBRARY_PATH", "PATH",           "TERSOR_DATA_PATH", "TERSOR_TASK_PATH",
    "TMPDIR", "TZ",   "XDG_CACHE_HOME",  "XDG_RUNTIME_DIR"};
// Of OpenMP, oneDNN, OpenBLAS, the C library, sanitizers and coverage.
constexpr absl::string_view kPrefixes[] = {"OMP_",    "GOMP_", "KMP_",  "DNNL_",  "ONEDNN_", "OPENBLAS_",
                                           "MALLOC_", "LC_",   "ASAN_", "UBSAN_", "TSAN_",   "LSAN_"};

bool IsPassedOn(absl::string_view variable) {
  const absl::string_view name = variable.substr(0, variable.find('='));
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) return true;
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

}  // namespace

std::vector<std::string> ChildEnvironment(char* const* variables) {
  std::vector<std::string> passed;
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    if (IsPassedOn(*variables)) passed.emplace_back(*variables);
  }
  return passed;
}

}  // namespace tersor
