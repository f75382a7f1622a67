#include "server/engine/evaluated_models.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_job_store.h"
#include "server/store/sqlite_model_store.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NoPlanner final : public Planner {
 public:
  absl::StatusOr<PlanResult> Plan(const v1::Recipe&, const PipelineContext&, CallerGone) override {
    return absl::UnimplementedError("nothing is planned here");
  }
  std::vector<MethodDescription> Methods() override { return {}; }
};

TEST(EvaluatedModelsTest, PathsReplaceNamesAndFaultsNameTheirField) {
  const testing::TempFolder temp;
  const std::unique_ptr<DataFolder> folder = *DataFolder::Open(temp.path() / "data");
  const std::unique_ptr<GuardedDatabase> database = *GuardedDatabase::Open(folder->database());
  SqliteModelStore models(*database);
  SqliteJobStore jobs(*database);
  NoPlanner planner;
  const SystemClock clock = {};
  const ServerLimits limits = {};
  ModelCatalog catalog(models, jobs, *folder, planner, clock, limits);
  const std::filesystem::path model = folder->models() / "small";
  std::filesystem::create_directories(model);

  v1::Recipe recipe;
  recipe.mutable_evaluate()->set_original("nowhere");
  recipe.mutable_evaluate()->set_baseline_model(model.string());
  std::vector<FieldViolation> violations;
  ASSERT_TRUE(ResolveEvaluatedModels(catalog, recipe, violations).ok());
  EXPECT_EQ(recipe.evaluate().baseline_model(), model.string());
  EXPECT_EQ(recipe.evaluate().original(), "");
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "evaluate.original");
  EXPECT_THAT(violations[0].description, HasSubstr("no model is registered as \"nowhere\""));

  violations.clear();
  recipe.mutable_evaluate()->set_baseline_model("/etc/passwd");
  ASSERT_TRUE(ResolveEvaluatedModels(catalog, recipe, violations).ok());
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].field, "evaluate.baseline_model");
  EXPECT_THAT(violations[0].description, HasSubstr("outside the folders"));

  violations.clear();
  v1::Recipe none;
  ASSERT_TRUE(ResolveEvaluatedModels(catalog, none, violations).ok());
  EXPECT_THAT(violations, IsEmpty());
  EXPECT_FALSE(none.has_evaluate());
}

}  // namespace
}  // namespace tersor
