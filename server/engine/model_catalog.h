// The models that jobs can name: registered ones, and paths below the allowed roots.
#ifndef TERSOR_SERVER_ENGINE_MODEL_CATALOG_H_
#define TERSOR_SERVER_ENGINE_MODEL_CATALOG_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/clock.h"
#include "server/engine/name_locks.h"
#include "server/engine/planner.h"
#include "server/engine/server_limits.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "server/store/model_store.h"

namespace tersor {

// Thread-safe.
class ModelCatalog {
 public:
  ModelCatalog(ModelStore& models, JobStore& jobs, const DataFolder& folder, Planner& planner, const Clock& clock,
               const ServerLimits& limits)
      : models_(models), jobs_(jobs), folder_(folder), planner_(planner), clock_(clock), limits_(limits) {}

  // The path of a registered name, or a path below an allowed root. INVALID_ARGUMENT (field "model") says which names
  // and roots there are.
  absl::StatusOr<std::filesystem::path> Resolve(absl::string_view model);
  // Registers the model at `path` under `name`; INVALID_ARGUMENT when it is none. Errors about an uploaded one name no
  // folder of the server.
  absl::StatusOr<v1::Model> Register(const std::filesystem::path& path, const std::string& name, bool uploaded,
                                     CallerGone gone);
  absl::StatusOr<v1::Model> Import(const v1::ImportModelRequest& request, CallerGone gone);
  // Forgets it; an uploaded model's folder is removed. FAILED_PRECONDITION while an unfinished job uses it.
  absl::Status Delete(absl::string_view name);

  // Who makes, replaces or removes a model holds its name.
  NameLocks& names() { return names_; }
  // Runs `insert`, which stores jobs that read these models (paths; empty ones are passed over), while none of them can
  // be deleted. INVALID_ARGUMENT where one is gone already.
  absl::Status WhileModelsStay(const std::vector<std::string>& paths, absl::FunctionRef<absl::Status()> insert);

  PipelineContext PlanContext() const;

 private:
  // What the planner makes of the model at `path`, which errors call `shown`.
  absl::StatusOr<v1::ModelInfo> Inspect(const std::filesystem::path& path, const std::string& shown, CallerGone gone);
  // Unregisters it; answers where an uploaded model's files lie now.
  absl::StatusOr<std::filesystem::path> TakeAway(absl::string_view name);
  absl::Status UnknownModel(absl::string_view model);

  ModelStore& models_;
  JobStore& jobs_;
  const DataFolder& folder_;
  Planner& planner_;
  const Clock& clock_;
  const ServerLimits& limits_;
  NameLocks names_;
  // Held while jobs that read models are stored, and while a model goes.
  Mutex deletion_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_MODEL_CATALOG_H_
