// The demo model through the real pipeline: the container's bytes must depend on neither threads nor interruptions.
#include <map>

#include "core/base/sha256.h"
#include "tests/core/pipeline/demo_fixture.h"

namespace tersor {
namespace {

// Cancels once that many blocks are done.
class CancellingSink final : public RecordingSink {
 public:
  explicit CancellingSink(int64_t blocks) : blocks_(blocks) {}
  void Emit(const v1::Event& event) override {
    RecordingSink::Emit(event);
    if (event.progress().stage() == "quantize:gptq" && event.progress().done() >= blocks_) token.Cancel();
  }
  CancellationToken token;

 private:
  const int64_t blocks_;
};

class DemoBytesTest : public DemoFixture {
 protected:
  void SetUp() override {
    DemoFixture::SetUp();
    if (IsSkipped()) return;
    // More tokens than are summed at a time.
    TakeRecipe(R"pb(
      calibration { dataset: "wikitext2_tokens_valid" samples: 5 tokens: 256 }
      stages { quantize { gptq { bits: 4 group_size: 64 dense_correction: 0.5 } } }
    )pb");
  }

  absl::Status Run(const std::string& workspace, int threads, int64_t blocks) {
    CancellingSink sink(blocks);
    RunOptions options = Options(workspace);
    options.context.threads = threads;
    options.cancellation = &sink.token;
    return RunRecipe(recipe_, options, sink).status();
  }

  // SHA-256 of the container's files by name.
  std::map<std::string, std::string> Hashes(const std::string& workspace) const {
    std::map<std::string, std::string> hashes;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / workspace / "artifacts" / "tersor")) {
      if (entry.is_regular_file()) hashes[entry.path().filename()] = *Sha256HexOfFile(entry.path());
    }
    return hashes;
  }
};

TEST_F(DemoBytesTest, ContainerDependsOnNeitherThreadsNorInterruptions) {
  constexpr int64_t kNever = 1000;
  ASSERT_TRUE(Run("one", 1, kNever).ok());
  ASSERT_TRUE(Run("two", 2, kNever).ok());
  const auto expected = Hashes("one");
  ASSERT_GE(expected.size(), 2u);
  EXPECT_EQ(Hashes("two"), expected);
  // Broken off twice, and gone on with on another number of threads.
  EXPECT_EQ(Run("broken", 1, 7).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Run("broken", 2, 19).code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "broken" / "artifacts" / "tersor"));
  ASSERT_TRUE(Run("broken", 2, kNever).ok());
  EXPECT_EQ(Hashes("broken"), expected);
}

}  // namespace
}  // namespace tersor
