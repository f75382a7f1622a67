// The engine of this build, for commands that ask and for those that compute.
#ifndef TERSOR_CLIENT_CLI_LOCAL_ENGINE_H_
#define TERSOR_CLIENT_CLI_LOCAL_ENGINE_H_

#include <filesystem>
#include <vector>

#include "client/cli/commands/commands.h"
#include "client/cli/engine.h"
#include "core/model/model.h"
#include "core/pipeline/pipeline.h"

namespace tersor::client {

class LocalEngine final : public Engine {
 public:
  absl::StatusOr<LocalPlan> Plan(const v1::Recipe& recipe,
                                 const std::vector<std::filesystem::path>& data_paths) override;
  absl::StatusOr<ModelShape> Inspect(const std::filesystem::path& model) override;
  std::vector<std::string> Datasets(const std::vector<std::filesystem::path>& data_paths) override;
  v1::ListMethodsResponse Methods() override;
};

// What runs of this machine's user share: $XDG_CACHE_HOME/tersor or ~/.cache/tersor; empty where there is no home.
std::filesystem::path UserCacheFolder();

// UNAVAILABLE where nothing can be kept in UserCacheFolder(), which is made where it is missing; says which folder.
absl::Status CheckUserCache();

// `data_paths` empty: the default ones. `threads` 0: all cores.
PipelineContext LocalContext(const std::vector<std::filesystem::path>& data_paths, int threads);

ModelShape ShapeOf(const Model& model);

// What `tersor doctor` finds on this machine.
std::vector<Finding> LookAtMachine();

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_LOCAL_ENGINE_H_
