#include "core/evaluate/protocol.h"

#include <functional>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ProtocolModel kModel = {.bos_id = 1, .eos_id = 2, .add_bos = false, .context_length = 8192};

v1::PerplexityEvaluation Evaluation(const std::string& convention = "") {
  v1::PerplexityEvaluation evaluation;
  evaluation.set_dataset("wiki");
  evaluation.set_convention(convention);
  return evaluation;
}

Protocol Resolved(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model = kModel) {
  absl::StatusOr<Protocol> protocol = ResolveProtocol(evaluation, model, "tokenizer", "text");
  EXPECT_TRUE(protocol.ok()) << protocol.status();
  return protocol.value_or(Protocol());
}

std::vector<std::string> Fields(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model = kModel) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : CheckProtocol(evaluation, model, "p[0]")) fields.push_back(violation.field);
  return fields;
}

TEST(ProtocolTest, Defaults) {
  const Protocol windows = Resolved(Evaluation());
  EXPECT_EQ(windows.window, 2048);
  EXPECT_EQ(windows.stride, 2048);
  EXPECT_EQ(windows.Words(), "windows of 2048 tokens, no BOS");
  const Protocol chunks = Resolved(Evaluation("llama.cpp"));
  EXPECT_EQ(chunks.window, 512);
  EXPECT_EQ(chunks.Words(), "llama.cpp: second half of chunks of 512 tokens, no BOS");
  EXPECT_EQ(Resolved(Evaluation("words")).Words(), "words: rolling windows of 2048 tokens, per word, BOS 1");
}

TEST(ProtocolTest, WordsSayWhatWasAskedFor) {
  v1::PerplexityEvaluation evaluation = Evaluation("windows");
  evaluation.set_window(512);
  evaluation.set_stride(256);
  evaluation.set_max_windows(8);
  evaluation.set_bos(true);
  EXPECT_EQ(Resolved(evaluation).Words(), "windows of 512 tokens, stride 256, the first 8, BOS 1");
}

TEST(ProtocolTest, LlamaCppAsksTheModelForBos) {
  ProtocolModel model = kModel;
  model.add_bos = true;
  EXPECT_EQ(Resolved(Evaluation("llama.cpp"), model).bos_id, 1);
  EXPECT_EQ(Resolved(Evaluation("windows"), model).bos_id, -1);
  v1::PerplexityEvaluation without = Evaluation("llama.cpp");
  without.set_bos(false);
  EXPECT_EQ(Resolved(without, model).bos_id, -1);
}

TEST(ProtocolTest, WordsTakeEosWhereThereIsNoBos) {
  EXPECT_EQ(Resolved(Evaluation("words"), {.bos_id = -1, .eos_id = 2}).bos_id, 2);
  EXPECT_THAT(Fields(Evaluation("words"), {.bos_id = -1, .eos_id = -1}), ElementsAre("p[0].convention"));
}

TEST(ProtocolTest, HashSeesEverythingButTheName) {
  const Protocol base = Resolved(Evaluation());
  std::set<std::string> hashes = {base.Hash()};
  const std::vector<std::function<void(Protocol&)>> changes = {
      [](Protocol& p) { p.convention = PerplexityConvention::kLlamaCpp; },
      [](Protocol& p) { p.window = 1024; },
      [](Protocol& p) { p.stride = 1024; },
      [](Protocol& p) { p.max_windows = 8; },
      [](Protocol& p) { p.bos_id = 1; },
      [](Protocol& p) { p.tokenizer_sha256 = "other"; },
      [](Protocol& p) { p.text_sha256 = "other"; },
  };
  for (const auto& change : changes) {
    Protocol changed = base;
    change(changed);
    hashes.insert(changed.Hash());
  }
  EXPECT_EQ(hashes.size(), changes.size() + 1);
  Protocol renamed = base;
  renamed.dataset = "/path/to/wiki.txt";
  EXPECT_EQ(renamed.Hash(), base.Hash());
  EXPECT_EQ(base.Hash().size(), 64);
}

TEST(ProtocolTest, EveryFaultIsNamed) {
  v1::PerplexityEvaluation evaluation;
  evaluation.set_window(1);
  evaluation.set_stride(0);
  evaluation.set_max_windows(-1);
  evaluation.set_bos(true);
  EXPECT_THAT(Fields(evaluation, {}),
              ElementsAre("p[0].dataset", "p[0].window", "p[0].stride", "p[0].bos", "p[0].max_windows"));
}

TEST(ProtocolTest, UnknownConventionListsTheKnown) {
  const std::vector<FieldViolation> violations = CheckProtocol(Evaluation("chunks"), kModel, "p");
  ASSERT_EQ(violations.size(), 1);
  EXPECT_EQ(violations[0].description, "\"chunks\" is not known; there are windows, llama.cpp, words");
}

TEST(ProtocolTest, WindowsLongerThanTheContextAreRefused) {
  const std::vector<FieldViolation> violations = CheckProtocol(Evaluation(), {.context_length = 1024}, "p");
  ASSERT_EQ(violations.size(), 1);
  EXPECT_THAT(violations[0].description, HasSubstr("is 2048, longer than the model's context of 1024 tokens"));
}

TEST(ProtocolTest, ConventionsRefuseWhatTheyDoNotKnow) {
  v1::PerplexityEvaluation chunks = Evaluation("llama.cpp");
  chunks.set_stride(256);
  EXPECT_THAT(Fields(chunks), ElementsAre("p[0].stride"));
  v1::PerplexityEvaluation words = Evaluation("words");
  words.set_max_windows(2);
  words.set_bos(false);
  EXPECT_THAT(Fields(words), ElementsAre("p[0].bos", "p[0].max_windows"));
  EXPECT_EQ(ResolveProtocol(words, kModel, "", "").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
