#include "server/executor/child_environment.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(ChildEnvironmentTest, OnlyWhatIsKnownIsPassedOn) {
  const char* variables[] = {
      "PATH=/bin",         "HOME=/root",          "AWS_SECRET_ACCESS_KEY=x", "TERSOR_TOKEN=tsr_x",
      "OMP_NUM_THREADS=2", "PATHS=/no",           "ONEDNN_MAX_CPU_ISA=AVX2", "=odd",
      "no_equals_sign",    "LD_PRELOAD=/evil.so", "TERSOR_DATA_PATH=/d",     nullptr};
  EXPECT_THAT(ChildEnvironment(const_cast<char* const*>(variables)),
              ::testing::ElementsAre("PATH=/bin", "HOME=/root", "OMP_NUM_THREADS=2", "ONEDNN_MAX_CPU_ISA=AVX2",
                                     "TERSOR_DATA_PATH=/d"));
  EXPECT_TRUE(ChildEnvironment(nullptr).empty());
}

}  // namespace
}  // namespace tersor
