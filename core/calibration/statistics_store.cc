#include "core/calibration/statistics_store.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/folder_bytes.h"
#include "core/base/sha256.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class StatisticsFolder final : public StatisticsStore {
 public:
  StatisticsFolder(const fs::path& folder, const StatisticsKey& key, int64_t most_bytes)
      : root_(folder), folder_(folder / key.Hash()), most_bytes_(most_bytes), bytes_(BytesBelow(folder)) {
    // Used now: others go first.
    std::error_code error;
    fs::last_write_time(folder_, fs::file_time_type::clock::now(), error);
  }

  bool Holds(int blocks, const std::set<Statistic>& wanted) const override {
    std::error_code error;
    for (int block = 0; block < blocks; ++block) {
      for (const Statistic statistic : wanted) {
        if (!fs::is_regular_file(Path(block, statistic), error)) return false;
      }
    }
    return true;
  }

  std::optional<std::vector<InputStatistics>> Load(int block, const std::set<Statistic>& wanted) override {
    std::vector<InputStatistics> statistics;
    for (const Statistic statistic : wanted) {
      const absl::StatusOr<Safetensors> file = ReadSafetensors(Path(block, statistic));
      if (!file.ok() || !Take(*file, statistic, wanted, statistics).ok()) return std::nullopt;
    }
    return statistics;
  }

  void Save(int block, const std::vector<InputStatistics>& statistics) override {
    if (statistics.empty()) return;
    for (const Statistic statistic : kStoredStatistics) {
      if (!statistics.front().wants(statistic)) continue;
      int64_t bytes = 0;
      for (const InputStatistics& segment : statistics) bytes += static_cast<int64_t>(Bytes(segment, statistic));
      if (!MakeRoom(bytes)) return;
      if (Write(block, statistic, statistics).ok()) bytes_ += bytes;
    }
  }

 private:
  fs::path Path(int block, Statistic statistic) const {
    return folder_ / absl::StrCat(block, ".", StatisticName(statistic), ".safetensors");
  }

  static uint64_t Bytes(const InputStatistics& segment, Statistic statistic) {
    return segment.Values(statistic).bytes().size();
  }

  // Adds one statistic of all segments; the first one makes them.
  static absl::Status Take(const Safetensors& file, Statistic statistic, const std::set<Statistic>& wanted,
                           std::vector<InputStatistics>& statistics) {
    if (statistics.empty()) {
      for (size_t i = 0; i < file.tensors.size(); ++i) {
        int64_t width = 0, tokens = 0;
        const auto found = file.metadata.find(absl::StrCat(i));
        const std::vector<std::string> parts =
            found == file.metadata.end() ? std::vector<std::string>{} : absl::StrSplit(found->second, ' ');
        if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &width) || !absl::SimpleAtoi(parts[1], &tokens) ||
            width < 1 || width > (int64_t{1} << 24) || tokens < 1) {
          return absl::DataLossError("statistics without width and tokens");
        }
        statistics.emplace_back(width, wanted);
        statistics.back().SetTokens(tokens);
      }
    }
    if (file.tensors.size() != statistics.size()) return absl::DataLossError("statistics of another block");
    for (size_t i = 0; i < statistics.size(); ++i) {
      TERSOR_ASSIGN_OR_RETURN(const Tensor tensor, file.Find(absl::StrCat(i)));
      TERSOR_RETURN_IF_ERROR(statistics[i].Restore(statistic, tensor));
    }
    return absl::OkStatus();
  }

  absl::Status Write(int block, Statistic statistic, const std::vector<InputStatistics>& statistics) const {
    std::error_code error;
    fs::create_directories(folder_, error);
    std::map<std::string, Tensor> tensors;
    std::vector<TensorDeclaration> declarations;
    std::map<std::string, std::string> metadata;
    for (size_t i = 0; i < statistics.size(); ++i) {
      const std::string name = absl::StrCat(i);
      const Tensor& tensor = tensors[name] = statistics[i].Values(statistic);
      declarations.push_back({name, tensor.dtype(), tensor.shape()});
      metadata[name] = absl::StrCat(statistics[i].width(), " ", statistics[i].tokens());
    }
    TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                            SafetensorsWriter::Create(Path(block, statistic), declarations, metadata));
    const std::vector<TensorDeclaration> order = writer.order();
    for (const TensorDeclaration& next : order) {
      TERSOR_RETURN_IF_ERROR(writer.AppendTensor(next.name, tensors[next.name]));
    }
    return writer.Finish();
  }

  // Removes other keys' folders, the oldest first, until `bytes` more fit.
  bool MakeRoom(int64_t bytes) {
    if (bytes_ + bytes <= most_bytes_) return true;
    std::vector<std::pair<fs::file_time_type, fs::path>> others;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(root_, error)) {
      std::error_code failure;
      const fs::file_time_type time = entry.last_write_time(failure);
      if (!failure && entry.path() != folder_) others.emplace_back(time, entry.path());
    }
    std::sort(others.begin(), others.end());
    for (const auto& [time, path] : others) {
      const int64_t freed = BytesBelow(path);
      std::error_code failure;
      fs::remove_all(path, failure);
      if (!failure) bytes_ -= freed;
      if (bytes_ + bytes <= most_bytes_) return true;
    }
    return false;
  }

  const fs::path root_, folder_;
  const int64_t most_bytes_;
  int64_t bytes_;
};

}  // namespace

std::string StatisticsKey::Hash() const {
  Sha256 hash;
  for (const std::string& part : {model_sha256, tokens_sha256, isa, program_version}) hash.UpdateField(part);
  return hash.HexDigest();
}

std::string TokensSha256(const CalibrationTokens& calibration) {
  Sha256 hash;
  const auto update = [&](const auto& values) {
    hash.UpdateField({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])});
  };
  update(calibration.ids);
  update(calibration.offsets);
  return hash.HexDigest();
}

std::unique_ptr<StatisticsStore> OpenStatisticsFolder(const fs::path& folder, const StatisticsKey& key,
                                                      int64_t most_bytes) {
  return std::make_unique<StatisticsFolder>(folder, key, most_bytes);
}

}  // namespace tersor
