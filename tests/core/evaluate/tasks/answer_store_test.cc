#include "core/evaluate/tasks/answer_store.h"

#include <cmath>
#include <fstream>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

StoredAnswer Answer(double value) {
  StoredAnswer stored;
  stored.answer.log_likelihoods = {value, -HUGE_VAL};
  stored.answer.greedy = {true, false};
  stored.answer.rank = 4;
  stored.answer.output = "caf\xC3\xA9\n\"x\"";
  stored.truncated = true;
  return stored;
}

TEST(AnswerStoreTest, AnswersComeBackToTheBit) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "deep/answers.jsonl";
  const double value = -1.0 / 3 * 1e-7;
  {
    auto store = AnswerStore::Open(path);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(store->Find("k"), nullptr);
    ASSERT_TRUE(store->Add("k", Answer(value)).ok());
  }
  const auto store = AnswerStore::Open(path);
  ASSERT_TRUE(store.ok());
  const StoredAnswer* found = store->Find("k");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->answer.log_likelihoods[0], value);
  EXPECT_EQ(found->answer.log_likelihoods[1], -HUGE_VAL);
  EXPECT_THAT(found->answer.greedy, ::testing::ElementsAre(true, false));
  EXPECT_EQ(found->answer.rank, 4);
  EXPECT_EQ(found->answer.output, "caf\xC3\xA9\n\"x\"");
  EXPECT_TRUE(found->truncated);
}

TEST(AnswerStoreTest, WhatACrashLeftHalfWrittenIsNotBelieved) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "answers.jsonl";
  {
    auto store = *AnswerStore::Open(path);
    ASSERT_TRUE(store.Add("first", Answer(-1)).ok());
    ASSERT_TRUE(store.Add("second", Answer(-2)).ok());
  }
  std::string text = *ReadFile(path);
  text.resize(text.size() - 30);
  std::ofstream(path) << text;
  {
    auto store = *AnswerStore::Open(path);
    EXPECT_NE(store.Find("first"), nullptr);
    EXPECT_EQ(store.Find("second"), nullptr);
    ASSERT_TRUE(store.Add("third", Answer(-3)).ok());
  }
  const auto store = *AnswerStore::Open(path);
  EXPECT_NE(store.Find("first"), nullptr);
  EXPECT_NE(store.Find("third"), nullptr);
}

TEST(AnswerStoreTest, ADamagedLineIsAskedAgain) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "answers.jsonl";
  {
    auto store = *AnswerStore::Open(path);
    ASSERT_TRUE(store.Add("k", Answer(-1.25)).ok());
  }
  std::string text = *ReadFile(path);
  const size_t at = text.find("1.25");
  ASSERT_NE(at, std::string::npos);
  text[at] = '2';
  std::ofstream(path) << text << "\nnot a line\n\n0123456789abcdef {}\n";
  EXPECT_EQ(AnswerStore::Open(path)->Find("k"), nullptr);
}

TEST(AnswerStoreTest, WithoutAPathNothingIsWritten) {
  auto store = AnswerStore::Open({});
  ASSERT_TRUE(store->Add("k", Answer(-1)).ok());
  EXPECT_NE(store->Find("k"), nullptr);
}

}  // namespace
}  // namespace tersor
