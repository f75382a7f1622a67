#include "core/lint/lint.h"
#include "server/engine/planner.h"
#include "server/tersord/run_server.h"

namespace {

class EnginePlanner final : public tersor::PipelinePlanner {
 public:
  absl::StatusOr<tersor::v1::LintReport> Lint(const std::filesystem::path& path, const std::filesystem::path& reference,
                                              tersor::CallerGone) override {
    return tersor::LintArtifact(path, {.reference = reference});
  }
};

}  // namespace

int main(int argc, char** argv) {
  EnginePlanner planner;
  return tersor::RunServer(argc, argv, planner);
}
