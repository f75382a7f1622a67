#include "tests/core/evaluate/tasks/golden_tasks.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(GoldenTasksTest, ArcEasy) { ExpectGoldenTask("arc_easy", 10); }
TEST(GoldenTasksTest, Piqa) { ExpectGoldenTask("piqa", 10); }
TEST(GoldenTasksTest, LambadaOpenai) { ExpectGoldenTask("lambada_openai", 10); }

}  // namespace
}  // namespace tersor
