#include "server/auth/audit_log.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "server/auth/audit_interceptor.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/model_service.pb.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

AuditEntry Entry(const std::string& target) {
  return {.time = absl::FromUnixMillis(1'800'000'000'123),
          .who = {.token = "0123456789ab", .token_name = "ci"},
          .peer = "ipv4:127.0.0.1:5",
          .rpc = "JobService/SubmitJob",
          .target = target,
          .code = "OK",
          .reason = ""};
}

class AuditLogTest : public ::testing::Test {
 protected:
  std::vector<nlohmann::json> Read(const std::string& suffix = "") {
    const absl::StatusOr<std::string> text = ReadFile(path_.string() + suffix);
    std::vector<nlohmann::json> lines;
    for (const absl::string_view line : absl::StrSplit(text.value_or(""), '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }

  testing::TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "audit.log";
};

TEST_F(AuditLogTest, ALineAnEntry) {
  AuditLog log(path_);
  log.Append(Entry("job-1"));
  log.Append(Entry("a\nb\"c\xff"));
  const std::vector<nlohmann::json> lines = Read();
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0]["time"], "2027-01-15T08:00:00.123Z");
  EXPECT_EQ(lines[0]["token"], "0123456789ab");
  EXPECT_EQ(lines[0]["token_name"], "ci");
  EXPECT_EQ(lines[0]["target"], "job-1");
  EXPECT_EQ(lines[0]["code"], "OK");
  EXPECT_FALSE(lines[0].contains("certificate"));
  EXPECT_EQ(lines[1]["target"], "a\nb\"c\xEF\xBF\xBD");
  struct stat status = {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, OldFilesGoAway) {
  AuditLog log(path_, 1000);
  for (int i = 0; i < 200; ++i) log.Append(Entry(absl::StrCat("job-", i)));
  EXPECT_EQ(Read().back()["target"], "job-199");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_LE(entry.file_size(), 1000u);
    ++files;
  }
  EXPECT_EQ(files, AuditLog::kKeptFiles + 1);
  // The youngest of the earlier ones ends where the newest begins.
  const std::string last = Read(".1").back()["target"];
  const std::string first = Read().front()["target"];
  EXPECT_EQ(std::stoi(last.substr(4)) + 1, std::stoi(first.substr(4)));
}

TEST_F(AuditLogTest, WhatCannotBeWrittenIsNoCrash) {
  AuditLog log(folder_.path() / "none" / "audit.log");
  log.Append(Entry("x"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "none"));
}

TEST(AuditTargetTest, WhatAMessageIsAbout) {
  v1::CancelJobRequest cancel;
  cancel.set_id("job-1");
  EXPECT_EQ(AuditTarget(cancel), "job-1");
  v1::ImportModelRequest import;
  import.set_path("/models/a");
  EXPECT_EQ(AuditTarget(import), "/models/a");
  import.set_name("a");
  EXPECT_EQ(AuditTarget(import), "a");
  v1::UploadFileRequest upload;
  EXPECT_EQ(AuditTarget(upload), "");
  upload.mutable_header()->set_upload_id("u");
  EXPECT_EQ(AuditTarget(upload), "u");
  v1::SubmitJobRequest submit;
  submit.mutable_recipe()->set_description(std::string(5000, 'x'));
  EXPECT_EQ(AuditTarget(submit), "");
  cancel.set_id(std::string(5000, 'x'));
  EXPECT_EQ(AuditTarget(cancel), std::string(200, 'x') + "...");
}

}  // namespace
}  // namespace tersor
