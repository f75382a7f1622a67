// Finds data sets and reads them as text.
#ifndef TERSOR_CORE_CALIBRATION_DATASET_H_
#define TERSOR_CORE_CALIBRATION_DATASET_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// TERSOR_DATA_PATH's folders (colon-separated), or the default when the variable is not set: the ../shared/data beside
// the source tree this was built from where it exists, and the folder that scripts/demo.sh fills.
std::vector<std::filesystem::path> DefaultDataPaths();

// `name` is a path, or a data set's name: text/NAME.txt, then tasks/NAME.jsonl, in each folder in turn. NOT_FOUND lists
// where it looked and which names there are.
absl::StatusOr<std::filesystem::path> FindDataset(absl::string_view name,
                                                  const std::vector<std::filesystem::path>& data_paths);

// The file's text. INVALID_ARGUMENT where it is empty or not UTF-8 (with the byte offset).
absl::StatusOr<std::string> ReadText(const std::filesystem::path& path);

// Names found in `data_paths`, sorted: text sets and task sets.
std::vector<std::string> ListDatasets(const std::vector<std::filesystem::path>& data_paths);

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_DATASET_H_
