#include "client/cpp/model_upload.h"

#include <fstream>

#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;

class ModelUploadTest : public ::testing::Test {
 protected:
  ModelUploadTest() : models_(*Connection::Open(server_.address())) {
    folder_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] = static_cast<char>(i * 2654435761u >> 13);
    Write("model.safetensors", weights_);
    Write("config.json", "{}");
    options_.backoff = {absl::Milliseconds(5), absl::Milliseconds(20), 2, absl::Seconds(20)};
  }
  ~ModelUploadTest() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  absl::StatusOr<v1::Model> Push() { return UploadModel(models_, folder_, "tiny", options_); }

  FakeServer server_;
  ModelClient models_;
  std::filesystem::path folder_;
  std::string weights_ = std::string((5 << 20) + 12345, '\0');
  UploadOptions options_;
};

TEST_F(ModelUploadTest, SendsEveryFileAndRegistersTheModel) {
  absl::StatusOr<v1::Model> model = Push();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->name(), "tiny");
  EXPECT_EQ(server_.state().blobs[Sha256Hex(weights_)], weights_);
  EXPECT_EQ(server_.state().blobs[Sha256Hex("{}")], "{}");
}

TEST_F(ModelUploadTest, SendsNothingThatTheServerHas) {
  ASSERT_TRUE(Push().ok());
  int64_t sent = server_.state().uploaded_bytes;
  ASSERT_TRUE(Push().ok());
  EXPECT_EQ(server_.state().uploaded_bytes, sent);
}

TEST_F(ModelUploadTest, GoesOnWhereAnEarlierTransferBrokeOff) {
  server_.state().blobs[Sha256Hex(weights_)] = weights_.substr(0, 3 << 20);
  ASSERT_TRUE(Push().ok());
  EXPECT_EQ(server_.state().uploaded_bytes, static_cast<int64_t>(weights_.size() - (3 << 20) + 2));
  EXPECT_EQ(server_.state().blobs[Sha256Hex(weights_)], weights_);
}

TEST_F(ModelUploadTest, SurvivesABreakInTheMiddle) {
  server_.state().break_upload_after = 2 << 20;
  int64_t last_done = 0;
  options_.on_progress = [&](const UploadProgress& progress) {
    if (progress.phase == UploadProgress::Phase::kSending) last_done = progress.done_bytes;
    EXPECT_EQ(progress.total_bytes == 0, false);
  };
  absl::StatusOr<v1::Model> model = Push();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(server_.state().blobs[Sha256Hex(weights_)], weights_);
  EXPECT_EQ(last_done, static_cast<int64_t>(weights_.size()) + 2);
}

TEST_F(ModelUploadTest, HearsOfItsCancellation) {
  CancellationToken token;
  options_.cancellation = &token;
  options_.on_progress = [&](const UploadProgress& progress) {
    if (progress.phase == UploadProgress::Phase::kSending) token.Cancel();
  };
  EXPECT_TRUE(absl::IsCancelled(Push().status()));
}

TEST_F(ModelUploadTest, NobodyThereFailsAtOnce) {
  server_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Push().status()));
}

TEST_F(ModelUploadTest, TakesOnlyWhatBelongsToAModel) {
  for (const char* name : {"tokenizer.json", "pytorch_model.bin", ".hidden", "LICENSE", "README.md", "x.onnx"})
    Write(name, "x");
  EXPECT_THAT(*ModelFiles(folder_),
              ElementsAre("LICENSE", "README.md", "config.json", "model.safetensors", "tokenizer.json"));
  EXPECT_THAT(*ModelFiles(folder_ / "model.safetensors"), ElementsAre("model.safetensors"));
}

TEST_F(ModelUploadTest, NamesWhatIsMissing) {
  EXPECT_TRUE(absl::IsNotFound(UploadModel(models_, folder_ / "none", "x", options_).status()));
  std::filesystem::create_directories(folder_ / "empty");
  absl::Status status = UploadModel(models_, folder_ / "empty", "x", options_).status();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("has no model files"));
}

}  // namespace
}  // namespace tersor::client
