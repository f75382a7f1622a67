#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/local_engine.h"
#include "core/calibration/dataset.h"
#include "core/kernels/cpu_info.h"
#include "core/report/number_text.h"

namespace tersor::client {
namespace {

using Level = Finding::Level;

// Bytes of a line of /proc/meminfo, 0 where there is none.
int64_t MemInfo(const std::string& key) {
  std::ifstream input("/proc/meminfo");
  std::string name, unit;
  int64_t kibibytes = 0;
  while (input >> name >> kibibytes && std::getline(input, unit)) {
    if (name == key + ":") return kibibytes * 1024;
  }
  return 0;
}

// The container's limit, 0 where there is none.
int64_t CgroupLimit() {
  std::ifstream input("/sys/fs/cgroup/memory.max");
  int64_t bytes = 0;
  return input >> bytes ? bytes : 0;
}

Finding Cpu() {
  const CpuInfo& cpu = GetCpuInfo();
  return {Level::kOk, "cpu", absl::StrCat(cpu.model.empty() ? "unknown" : cpu.model, ", ", cpu.cores, " cores")};
}

Finding Kernels() {
  const CpuInfo& cpu = GetCpuInfo();
  std::string text = absl::StrCat(cpu.kernel_isa, cpu.bf16 ? ", with bf16 products" : ", no bf16 products");
  if (cpu.kernel_isa == "SCALAR") return {Level::kWarning, "kernels", text + "; without AVX2 everything is slow"};
  return {Level::kOk, "kernels", text};
}

Finding OneDnn() {
  const CpuInfo& cpu = GetCpuInfo();
  return {Level::kOk, "oneDNN", absl::StrCat(cpu.onednn_version, ", dispatches to ", cpu.onednn_isa)};
}

Finding Memory() {
  int64_t total = MemInfo("MemTotal"), available = MemInfo("MemAvailable"), limit = CgroupLimit();
  std::string text = absl::StrCat(BytesText(available), " available of ", BytesText(total));
  if (limit > 0 && limit < total) absl::StrAppend(&text, ", this container's limit is ", BytesText(limit));
  constexpr int64_t kLittle = int64_t{1} << 30;
  bool little = available > 0 && available < kLittle;
  return {little ? Level::kWarning : Level::kOk, "memory", text};
}

Finding DataSets() {
  std::vector<std::filesystem::path> paths = DefaultDataPaths();
  std::vector<std::string> names = ListDatasets(paths), shown;
  for (const std::filesystem::path& path : paths) shown.push_back(path.string());
  std::string where = absl::StrJoin(shown, ", ");
  if (names.empty()) {
    return {Level::kWarning, "data sets",
            absl::StrCat("none in ", where,
                         "; name folders in TERSOR_DATA_PATH, or files in recipes; scripts/fetch_text.sh makes a text "
                         "of a Debian manual")};
  }
  return {Level::kOk, "data sets", absl::StrCat(absl::StrJoin(names, ", "), " (in ", where, ")")};
}

Finding Cache() {
  const absl::Status usable = CheckUserCache();
  if (!usable.ok()) return {Level::kWarning, "cache", std::string(usable.message())};
  const std::filesystem::path folder = UserCacheFolder();
  std::error_code error;
  std::filesystem::space_info space = std::filesystem::space(folder, error);
  return {Level::kOk, "cache",
          absl::StrCat(folder.string(), ", ", BytesText(static_cast<int64_t>(space.available)), " free")};
}

}  // namespace

std::vector<Finding> LookAtMachine() {
  return {
      {Level::kOk, "tersor", std::string(ProgramVersion())}, Cpu(), Kernels(), OneDnn(), Memory(), DataSets(), Cache()};
}

}  // namespace tersor::client
