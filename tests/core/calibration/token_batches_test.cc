#include "core/calibration/token_batches.h"

#include <gtest/gtest.h>

#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

class TokenBatchesTest : public ::testing::Test {
 protected:
  TokenBatchesTest() : tokenizer_(Tokenizer::FromJson(testing::TinyTokenizerJson()).value()) {}
  std::unique_ptr<const Tokenizer> tokenizer_;
};

TEST_F(TokenBatchesTest, TakesTheFirstIds) {
  const std::vector<int32_t> all = tokenizer_->Encode("abcdefgh").value();
  ASSERT_EQ(all.size(), 8);
  const auto taken = TakeCalibrationTokens(*tokenizer_, "abcdefgh", 2, 3);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->ids, std::vector<int32_t>(all.begin(), all.begin() + 6));
  EXPECT_EQ(taken->offsets, (std::vector<int64_t>{0, 3, 6}));
  EXPECT_TRUE(TakeCalibrationTokens(*tokenizer_, "abcdefgh", 2, 4).ok());
}

TEST_F(TokenBatchesTest, SaysHowMuchTextIsMissing) {
  const auto taken = TakeCalibrationTokens(*tokenizer_, "abcdefgh", 3, 3);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      taken.status().message(),
      "the calibration text has 8 tokens; 3 samples of 3 need 9: take fewer or shorter samples, or a longer text");
  // A product past 2^32 counts as it is.
  EXPECT_NE(TakeCalibrationTokens(*tokenizer_, "a", 1 << 30, 1 << 30).status().message().find("1152921504606846976"),
            absl::string_view::npos);
}

TEST_F(TokenBatchesTest, RefusesNothingAndBrokenText) {
  EXPECT_FALSE(TakeCalibrationTokens(*tokenizer_, "abc", 0, 3).ok());
  EXPECT_FALSE(TakeCalibrationTokens(*tokenizer_, "abc", 1, -3).ok());
  EXPECT_EQ(TakeCalibrationTokens(*tokenizer_, "abc\xFF", 1, 1).status().message(), "not UTF-8 at byte 3");
}

}  // namespace
}  // namespace tersor
