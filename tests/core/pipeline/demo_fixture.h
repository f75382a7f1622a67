// Jobs on the demo model; skipped by name where it or the data sets are missing.
#ifndef TERSOR_TESTS_CORE_PIPELINE_DEMO_FIXTURE_H_
#define TERSOR_TESTS_CORE_PIPELINE_DEMO_FIXTURE_H_

#include <string>

#include "tests/core/pipeline/job_fixture.h"
#include "tests/testing/paths.h"

namespace tersor {

class DemoFixture : public JobFixture {
 protected:
  void SetUp() override {
    if (!testing::DemoModelPath().has_value()) GTEST_SKIP() << "the demo model is missing: scripts/fetch_model.sh";
    if (!testing::SharedPath().has_value()) GTEST_SKIP() << "the shared folder of data sets is missing";
    JobFixture::SetUp();
    context_.data_paths = {*testing::SharedPath() / "data"};
  }

  // `text` in protobuf's text format, without the model.
  void TakeRecipe(const std::string& text) {
    recipe_ = ParseRecipe(text);
    recipe_.set_model(testing::DemoModelPath()->string());
  }
};

}  // namespace tersor

#endif  // TERSOR_TESTS_CORE_PIPELINE_DEMO_FIXTURE_H_
