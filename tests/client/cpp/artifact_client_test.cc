#include "client/cpp/artifact_client.h"

#include <fstream>

#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/testing/fake_server.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArtifactClientTest : public ::testing::Test {
 protected:
  ArtifactClientTest() : artifacts_(*Connection::Open(server_.address())) {
    into_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(into_);
    for (size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 2654435761u >> 13);
    server_.state().files["gguf/model.gguf"] = content_;
    file_.set_path("gguf/model.gguf");
    file_.set_bytes(static_cast<int64_t>(content_.size()));
    file_.set_sha256(Sha256Hex(content_));
    options_.backoff = {absl::Milliseconds(5), absl::Milliseconds(20), 2, absl::Seconds(20)};
  }
  ~ArtifactClientTest() override { std::filesystem::remove_all(into_); }
  absl::StatusOr<bool> Download() { return artifacts_.Download("j1", file_, into_, options_); }
  std::string Target() { return ReadFile(into_ / "gguf/model.gguf").value_or("<none>"); }
  std::filesystem::path Part() { return into_ / ("gguf/model.gguf.part-" + file_.sha256().substr(0, 8)); }

  FakeServer server_;
  ArtifactClient artifacts_;
  std::filesystem::path into_;
  std::string content_ = std::string(100500, '\0');
  v1::ArtifactInfo::File file_;
  DownloadOptions options_;
};

TEST_F(ArtifactClientTest, FetchesAFileUnderItsName) {
  EXPECT_TRUE(*Download());
  EXPECT_EQ(Target(), content_);
  EXPECT_FALSE(std::filesystem::exists(Part()));
}

TEST_F(ArtifactClientTest, DoesNotFetchAgain) {
  ASSERT_TRUE(*Download());
  EXPECT_FALSE(*Download());
  EXPECT_THAT(server_.state().download_offsets, ElementsAre(0));
}

TEST_F(ArtifactClientTest, GoesOnFromAPart) {
  std::filesystem::create_directories(into_ / "gguf");
  std::ofstream(Part(), std::ios::binary) << content_.substr(0, 40000);
  EXPECT_TRUE(*Download());
  EXPECT_EQ(Target(), content_);
  EXPECT_THAT(server_.state().download_offsets, ElementsAre(40000));
}

TEST_F(ArtifactClientTest, SurvivesABreakInTheMiddle) {
  server_.state().break_download_after = 30000;
  EXPECT_TRUE(*Download());
  EXPECT_EQ(Target(), content_);
  EXPECT_THAT(server_.state().download_offsets, ElementsAre(0, 30000));
}

TEST_F(ArtifactClientTest, WrongContentGetsNoName) {
  server_.state().files["gguf/model.gguf"][777] ^= 1;
  absl::Status status = Download().status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("SHA-256"));
  EXPECT_EQ(Target(), "<none>");
  EXPECT_FALSE(std::filesystem::exists(Part()));
}

TEST_F(ArtifactClientTest, MoreBytesThanPromisedAreRefused) {
  server_.state().files["gguf/model.gguf"] += std::string(5000, 'x');
  EXPECT_TRUE(absl::IsDataLoss(Download().status()));
  EXPECT_EQ(Target(), "<none>");
}

TEST_F(ArtifactClientTest, StaysInsideTheFolder) {
  for (const char* path : {"../evil", "/etc/evil", "a/../../evil", "", "a/"}) {
    file_.set_path(path);
    EXPECT_TRUE(absl::IsInvalidArgument(Download().status())) << path;
  }
}

TEST_F(ArtifactClientTest, ACancelledTransferKeepsItsPart) {
  CancellationToken token;
  options_.cancellation = &token;
  token.Cancel();
  EXPECT_TRUE(absl::IsCancelled(Download().status()));
  EXPECT_EQ(Target(), "<none>");
  options_.cancellation = nullptr;
  EXPECT_TRUE(*Download());
  EXPECT_EQ(Target(), content_);
}

TEST_F(ArtifactClientTest, AnEmptyFileIsAFile) {
  server_.state().files["gguf/model.gguf"] = "";
  file_.set_bytes(0);
  file_.set_sha256(Sha256Hex(""));
  EXPECT_TRUE(*Download());
  EXPECT_EQ(Target(), "");
}

TEST_F(ArtifactClientTest, ListsWhatThereIs) {
  server_.state().artifacts.emplace_back().set_name("tersor");
  EXPECT_EQ(artifacts_.List("j1")->at(0).name(), "tersor");
}

}  // namespace
}  // namespace tersor::client
