#include "server/engine/submit_check.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/engine/submission.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Fields(const std::vector<FieldViolation>& violations) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations) fields.push_back(violation.field);
  return fields;
}

TEST(SubmitCheckTest, RequestIdsAndLabels) {
  v1::SubmitJobRequest request;
  request.set_request_id("nightly-2026-11-22");
  (*request.mutable_labels())["team"] = "any text";
  EXPECT_THAT(CheckSubmitRequest(request), ElementsAre());
  request.set_request_id(std::string(129, 'x'));
  (*request.mutable_labels())["no spaces"] = "";
  (*request.mutable_labels())["long"] = std::string(257, 'x');
  EXPECT_THAT(Fields(CheckSubmitRequest(request)),
              ::testing::UnorderedElementsAre("request_id", "labels[no spaces]", "labels[long]"));
  request.clear_labels();
  request.set_request_id("line\nbreak");
  EXPECT_THAT(Fields(CheckSubmitRequest(request)), ElementsAre("request_id"));
}

TEST(SubmitCheckTest, ResourcesWithinTheServers) {
  ServerLimits limits;
  limits.threads = 4;
  limits.memory_bytes = 1000;
  v1::Resources resources;
  EXPECT_THAT(CheckResources(resources, limits), ElementsAre());
  resources.set_threads(5);
  resources.set_memory_bytes(1001);
  EXPECT_THAT(Fields(CheckResources(resources, limits)), ElementsAre("resources.threads", "resources.memory_bytes"));
  resources.set_threads(-1);
  resources.set_memory_bytes(-1);
  EXPECT_EQ(CheckResources(resources, limits).size(), 2);
}

TEST(SubmitCheckTest, DatasetPathsStayInTheDataFolders) {
  ServerLimits limits;
  limits.data_paths = {"/data"};
  limits.model_roots = {"/models"};
  v1::Recipe recipe;
  recipe.mutable_calibration()->set_dataset("wikitext2");
  recipe.mutable_evaluate()->add_perplexity()->set_dataset("/data/text/a.txt");
  recipe.mutable_evaluate()->add_perplexity()->set_dataset("/data/../etc/passwd");
  recipe.mutable_evaluate()->add_tasks()->set_name("../secret");
  EXPECT_THAT(Fields(TakeForbiddenDatasets(limits, recipe)),
              ElementsAre("evaluate.perplexity[1].dataset", "evaluate.tasks[0].name"));
  EXPECT_EQ(recipe.evaluate().perplexity(0).dataset(), "/data/text/a.txt");
  EXPECT_EQ(recipe.evaluate().perplexity(1).dataset(), "");
}

TEST(SubmitCheckTest, MethodNames) {
  v1::Recipe recipe;
  EXPECT_EQ(MethodOf(recipe), "evaluate");
  recipe.add_stages()->mutable_quantize()->mutable_gptq();
  EXPECT_EQ(MethodOf(recipe), "gptq");
  recipe.add_stages()->mutable_quantize()->mutable_rtn();
  EXPECT_EQ(MethodOf(recipe), "mixed");
}

}  // namespace
}  // namespace tersor
