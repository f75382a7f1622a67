#include "client/cli/local_engine.h"

#include <unistd.h>

#include <cstdlib>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/calibration/dataset.h"
#include "core/evaluate/tasks/task_library.h"
#include "core/kernels/cpu_info.h"

namespace tersor::client {

std::filesystem::path UserCacheFolder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return std::filesystem::path(cache) / "tersor";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? std::filesystem::path() : std::filesystem::path(home) / ".cache/tersor";
}

absl::Status CheckUserCache() {
  const std::filesystem::path folder = UserCacheFolder();
  if (folder.empty()) return absl::UnavailableError("no home folder: nothing is remembered between runs");
  const auto refused = [](const std::filesystem::path& where) {
    return absl::UnavailableError(absl::StrCat("cannot write to ", where.string(), "; set XDG_CACHE_HOME"));
  };
  const std::filesystem::path runs = folder / "runs";
  std::error_code error;
  std::filesystem::create_directories(runs, error);
  if (error || access(runs.c_str(), W_OK) != 0) return refused(runs);
  // Folders in it may be another user's.
  for (std::filesystem::directory_iterator entry(runs, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && access(entry->path().c_str(), W_OK) != 0) return refused(entry->path());
  }
  return absl::OkStatus();
}

PipelineContext LocalContext(const std::vector<std::filesystem::path>& data_paths, int threads) {
  PipelineContext context;
  context.data_paths = data_paths.empty() ? DefaultDataPaths() : data_paths;
  context.task_paths = DefaultTaskPaths();
  context.threads = threads > 0 ? threads : GetCpuInfo().cores;
  if (std::filesystem::path cache = UserCacheFolder(); !cache.empty()) context.cache_dir = cache / "runs";
  return context;
}

ModelShape ShapeOf(const Model& model) {
  std::set<int64_t> widths;
  for (const auto& [name, tensor] : model.parameters) {
    if (absl::StartsWith(name, "model.layers.") && tensor->shape().size() == 2) widths.insert(tensor->columns());
  }
  ModelShape shape;
  shape.name = model.spec.name;
  shape.input_widths.assign(widths.begin(), widths.end());
  shape.width = model.spec.width;
  shape.context_length = model.spec.context_length;
  shape.tied = model.spec.tied;
  return shape;
}

absl::StatusOr<LocalPlan> LocalEngine::Plan(const v1::Recipe& recipe,
                                            const std::vector<std::filesystem::path>& data_paths) {
  TERSOR_ASSIGN_OR_RETURN(PlanResult result, MakePlan(recipe, LocalContext(data_paths, 0)));
  return LocalPlan{std::move(result.plan), std::move(result.violations)};
}

absl::StatusOr<ModelShape> LocalEngine::Inspect(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(Model model, LoadModel(path));
  return ShapeOf(model);
}

std::vector<std::string> LocalEngine::Datasets(const std::vector<std::filesystem::path>& data_paths) {
  return ListDatasets(data_paths.empty() ? DefaultDataPaths() : data_paths);
}

v1::ListMethodsResponse LocalEngine::Methods() {
  v1::ListMethodsResponse response;
  for (const MethodDescription& method : ListMethods()) {
    v1::MethodInfo& info = *response.add_methods();
    info.set_name(method.name);
    info.set_family(method.family);
    info.set_summary(method.summary);
    info.set_reference(method.reference);
    for (const MethodOption& option : method.options) {
      v1::MethodInfo::Option& answer = *info.add_options();
      answer.set_name(option.name);
      answer.set_type(option.type);
      answer.set_default_value(option.default_value);
      answer.set_description(option.description);
    }
  }
  return response;
}

}  // namespace tersor::client
