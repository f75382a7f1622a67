// What commands ask of the engine where this build has one.
#ifndef TERSOR_CLIENT_CLI_ENGINE_H_
#define TERSOR_CLIENT_CLI_ENGINE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor::client {

// What decides which recipes fit a model.
struct ModelShape {
  std::string name;
  // Input widths of the blocks' linear layers, each once.
  std::vector<int64_t> input_widths;
  int64_t width = 0;
  int64_t context_length = 0;
  bool tied = false;
};

struct LocalPlan {
  v1::Plan plan;
  std::vector<FieldViolation> violations;
};

// Thread-compatible.
class Engine {
 public:
  virtual ~Engine() = default;
  // `data_paths` empty: the default ones.
  virtual absl::StatusOr<LocalPlan> Plan(const v1::Recipe& recipe,
                                         const std::vector<std::filesystem::path>& data_paths) = 0;
  virtual absl::StatusOr<ModelShape> Inspect(const std::filesystem::path& model) = 0;
  virtual std::vector<std::string> Datasets(const std::vector<std::filesystem::path>& data_paths) = 0;
  virtual v1::ListMethodsResponse Methods() = 0;
};

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_ENGINE_H_
