#include "tests/testing/paths.h"

#include <cstdlib>
#include <system_error>

namespace tersor::testing {
namespace {

std::optional<std::filesystem::path> IfThere(std::filesystem::path path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

}  // namespace

std::optional<std::filesystem::path> DemoModelPath() {
  if (const char* path = std::getenv("TERSOR_DEMO_MODEL")) return IfThere(path);
  const char* home = std::getenv("HOME");
  if (home == nullptr) return std::nullopt;
  return IfThere(std::filesystem::path(home) / ".cache/tersor/models/SmolLM2-135M-Instruct.Q4_1.gguf");
}

std::optional<std::filesystem::path> SharedPath() {
  if (const char* path = std::getenv("TERSOR_SHARED")) return IfThere(path);
  return IfThere(TERSOR_SHARED_DEFAULT);
}

std::filesystem::path FixturesPath() { return TERSOR_FIXTURES; }

}  // namespace tersor::testing
