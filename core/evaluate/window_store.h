// Scored windows of a text on disk, a file each: whoever goes on with a text finds what was scored before.
#ifndef TERSOR_CORE_EVALUATE_WINDOW_STORE_H_
#define TERSOR_CORE_EVALUATE_WINDOW_STORE_H_

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/status.h"
#include "core/evaluate/window_pairs.h"

namespace tersor {

class WindowStore {
 public:
  // Files lie in FOLDER/KEY/. `key`: a hash of all that the scores depend on but the window itself (models, protocol
  // without its limit, arithmetic, program). Creates the folder.
  static absl::StatusOr<WindowStore> Open(const std::filesystem::path& folder, const std::string& key);

  // Nothing where the window is not there, is damaged, or is of other sizes than `window` has: it is scored again.
  std::optional<PairedWindow> Read(size_t index, const ScoredWindow& window, bool divergence) const;
  // Durable under its name, or not there at all.
  absl::Status Write(size_t index, const PairedWindow& pair) const;

 private:
  WindowStore(std::filesystem::path folder, std::string key) : folder_(std::move(folder)), key_(std::move(key)) {}
  std::filesystem::path PathOf(size_t index) const;

  std::filesystem::path folder_;
  std::string key_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_WINDOW_STORE_H_
