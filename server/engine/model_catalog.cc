#include "server/engine/model_catalog.h"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"
#include "server/base/error_details.h"
#include "server/base/random_token.h"
#include "server/base/timestamp.h"
#include "server/engine/safe_path.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

std::string JoinPaths(const std::vector<fs::path>& paths) {
  return absl::StrJoin(paths, ", ", [](std::string* out, const fs::path& path) { *out += path.string(); });
}

}  // namespace

PipelineContext ModelCatalog::PlanContext() const {
  PipelineContext context;
  context.data_paths = limits_.data_paths;
  context.allowed_roots = limits_.model_roots;
  context.allowed_roots.push_back(folder_.models());
  context.cache_dir = folder_.cache();
  context.output_dir = folder_.root();
  context.threads = limits_.threads;
  context.memory_bytes = limits_.memory_bytes;
  return context;
}

absl::Status ModelCatalog::UnknownModel(absl::string_view model) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<v1::Model> known, models_.ListModels(20, ""));
  const std::string names =
      absl::StrJoin(known, ", ", [](std::string* out, const v1::Model& entry) { *out += entry.name(); });
  return FieldError("model", absl::StrCat("no model is registered as \"", model, "\" (",
                                          names.empty() ? "none is registered" : absl::StrCat("registered: ", names),
                                          "), and it is no absolute path on the server; see tersor models import"));
}

absl::StatusOr<fs::path> ModelCatalog::Resolve(absl::string_view model) {
  if (model.empty()) return FieldError("model", "is missing: name a registered model, a folder or a .gguf file");
  const absl::StatusOr<v1::Model> registered = models_.GetModel(model);
  if (registered.ok()) return fs::path(registered->info().path());
  if (!absl::IsNotFound(registered.status())) return registered.status();
  const fs::path path = std::string(model);
  if (!path.is_absolute()) return UnknownModel(model);
  std::vector<fs::path> roots = limits_.model_roots;
  roots.push_back(folder_.models());
  if (!IsBelowAny(path, roots)) {
    return FieldError(
        "model",
        absl::StrCat(path.string(), " lies outside the folders that this server takes models from (", JoinPaths(roots),
                     "): send it by `tersor models push PATH`, or start tersord with --model-root"));
  }
  std::error_code error;
  if (!fs::exists(path, error)) {
    return FieldError("model", absl::StrCat(path.string(), " does not exist on the server"));
  }
  return path;
}

absl::StatusOr<v1::ModelInfo> ModelCatalog::Inspect(const fs::path& path, const std::string& shown, CallerGone gone) {
  v1::Recipe recipe;
  recipe.set_model(path.string());
  recipe.mutable_evaluate()->mutable_divergence()->set_enabled(false);
  const auto rename = [&](absl::string_view text) { return absl::StrReplaceAll(text, {{path.string(), shown}}); };
  absl::StatusOr<PlanResult> planned = planner_.Plan(recipe, PlanContext(), gone);
  if (!planned.ok()) {
    const std::string message = rename(absl::StripPrefix(planned.status().message(), "model: "));
    if (absl::IsInvalidArgument(planned.status())) return BadRequestError({{"model", message}}, "INVALID_MODEL");
    return absl::Status(planned.status().code(), message);
  }
  PlanResult& result = *planned;
  for (FieldViolation& violation : result.violations) violation.description = rename(violation.description);
  if (!result.violations.empty()) return BadRequestError(result.violations, "INVALID_MODEL");
  return std::move(*result.plan.mutable_model());
}

absl::StatusOr<v1::Model> ModelCatalog::Register(const fs::path& path, const std::string& name, bool uploaded,
                                                 CallerGone gone) {
  v1::Model model;
  TERSOR_ASSIGN_OR_RETURN(*model.mutable_info(), Inspect(path, uploaded ? name : path.string(), gone));
  model.mutable_info()->set_path(path.string());
  model.set_name(name);
  model.set_uploaded(uploaded);
  *model.mutable_create_time() = ToTimestamp(clock_.Now());
  TERSOR_RETURN_IF_ERROR(models_.InsertModel(model));
  return models_.GetModel(name);
}

absl::StatusOr<v1::Model> ModelCatalog::Import(const v1::ImportModelRequest& request, CallerGone gone) {
  if (!fs::path(request.path()).is_absolute()) return FieldError("path", "must be an absolute path on the server");
  const absl::StatusOr<fs::path> path = Resolve(request.path());
  if (!path.ok()) return path.status();
  // A trailing slash leaves no file name.
  const fs::path clean = path->has_filename() ? *path : path->parent_path();
  const std::string name = request.name().empty() ? clean.stem().string() : request.name();
  if (!IsSafeName(name)) {
    return FieldError("name", absl::StrCat("\"", name, "\": use letters, digits, '.', '_' and '-', at most 128"));
  }
  const NameLocks::Hold hold(names_, name);
  return Register(clean, name, false, gone);
}

absl::Status ModelCatalog::WhileModelsStay(const std::vector<std::string>& paths,
                                           absl::FunctionRef<absl::Status()> insert) {
  const MutexLock lock(deletion_);
  for (const std::string& path : paths) {
    std::error_code error;
    if (path.empty() || fs::exists(path, error)) continue;
    return FieldError("model", absl::StrCat(path, " was deleted while the recipe was planned"));
  }
  return insert();
}

// Moved aside at once, so that removing its files keeps nobody waiting.
absl::StatusOr<fs::path> ModelCatalog::TakeAway(absl::string_view name) {
  const MutexLock lock(deletion_);
  TERSOR_ASSIGN_OR_RETURN(const v1::Model model, models_.GetModel(name));
  const fs::path folder = folder_.models() / model.name();
  TERSOR_ASSIGN_OR_RETURN(const bool used, jobs_.UsesModel(model.uploaded() ? folder.string() : model.info().path()));
  if (used) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat("a job that has not ended uses model \"", name, "\"")),
                      "MODEL_IN_USE");
  }
  TERSOR_RETURN_IF_ERROR(models_.DeleteModel(name));
  if (!model.uploaded()) return fs::path();
  const fs::path aside = folder_.models() / absl::StrCat(".deleted-", RandomHex(8));
  if (rename(folder.c_str(), aside.c_str()) == 0) return aside;
  return errno == ENOENT ? absl::StatusOr<fs::path>(fs::path()) : ErrnoStatus(errno, "removing", folder);
}

absl::Status ModelCatalog::Delete(absl::string_view name) {
  const NameLocks::Hold hold(names_, std::string(name));
  TERSOR_ASSIGN_OR_RETURN(const fs::path aside, TakeAway(name));
  if (aside.empty()) return absl::OkStatus();
  std::error_code error;
  fs::remove_all(aside, error);
  return error ? ErrnoStatus(error.value(), "removing", aside) : absl::OkStatus();
}

}  // namespace tersor
