// Where tests find what is not part of the repository. A test that lacks it skips by name.
#ifndef TERSOR_TESTS_TESTING_PATHS_H_
#define TERSOR_TESTS_TESTING_PATHS_H_

#include <filesystem>
#include <optional>

namespace tersor::testing {

// The demo model's GGUF: $TERSOR_DEMO_MODEL, else where scripts/fetch_model.sh puts it. nullopt where there is none.
std::optional<std::filesystem::path> DemoModelPath();

// Why a test skips that needs SharedPath().
inline constexpr char kNoSharedFolder[] = "golden answers and data sets are missing: set TERSOR_SHARED to their folder";

// The folder of golden answers and data sets: $TERSOR_SHARED, else `shared` beside the source tree. nullopt where there
// is none.
std::optional<std::filesystem::path> SharedPath();

// tests/fixtures of the source tree: small recorded answers of reference tools.
std::filesystem::path FixturesPath();

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_PATHS_H_
