#include "core/calibration/task_text.h"

#include <gtest/gtest.h>

namespace tersor {
namespace {

TEST(TaskTextTest, JoinsContextsWithTheirRightAnswers) {
  const auto text = TaskText(
      "{\"context\": \"Q: 1?\\nA:\", \"choices\": [\"no\", \"yes\"], \"gold\": 1}\r\n"
      "\n"
      "{\"context\": \"I don't care about\", \"target\": \" signs\"}\n"
      "{\"context\": \"\", \"contexts\": [\"so A\", \"so B\"], \"choices\": [\"won.\", \"won.\"], \"gold\": 1}",
      "x.jsonl");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "Q: 1?\nA: yes\n\nI don't care about signs\n\nso B won.");
}

TEST(TaskTextTest, NamesTheLineThatIsNoItem) {
  for (const char* bad :
       {"nonsense", "[1]", "{}", R"({"context": "a"})", R"({"target": "a"})", R"({"context": 1, "target": "a"})",
        R"({"context": "a", "choices": ["b"], "gold": 1})", R"({"context": "a", "choices": ["b"], "gold": -1})",
        R"({"context": "a", "choices": "b", "gold": 0})", R"({"contexts": [], "choices": ["b"], "gold": 0})",
        R"({"choices": ["b"], "gold": 0})", R"({"context": "a", "choices": [7], "gold": 0})"}) {
    const auto text = TaskText(std::string("{\"context\": \"a\", \"target\": \"b\"}\n") + bad, "x.jsonl");
    EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(text.status().message().rfind("x.jsonl:2:", 0), 0) << text.status();
  }
}

TEST(TaskTextTest, NothingIsEmpty) { EXPECT_EQ(TaskText("\n \n", "x").value(), ""); }

}  // namespace
}  // namespace tersor
