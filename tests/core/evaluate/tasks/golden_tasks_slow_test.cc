#include "gtest/gtest.h"
#include "tests/core/evaluate/tasks/golden_tasks.h"

namespace tersor {
namespace {

TEST(GoldenTasksSlowTest, ArcEasy) { ExpectGoldenTask("arc_easy", 100); }
TEST(GoldenTasksSlowTest, Piqa) { ExpectGoldenTask("piqa", 100); }
TEST(GoldenTasksSlowTest, LambadaOpenai) { ExpectGoldenTask("lambada_openai", 100); }

}  // namespace
}  // namespace tersor
