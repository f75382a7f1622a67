// Import, upload, delete and garbage collection through the real service.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

class ModelsTest : public ServiceTest {
 protected:
  struct File {
    std::string path;
    std::string bytes;
  };

  grpc::Status StartUpload(const std::string& name, const std::vector<File>& files, v1::StartUploadResponse* response) {
    v1::StartUploadRequest request;
    request.set_name(name);
    for (const File& file : files) {
      v1::FileDigest* digest = request.add_files();
      digest->set_path(file.path);
      digest->set_bytes(static_cast<int64_t>(file.bytes.size()));
      digest->set_sha256(Sha256Hex(file.bytes));
    }
    grpc::ClientContext context;
    return client().models().StartUpload(&context, request, response);
  }
  grpc::Status Send(const std::string& upload, const std::string& path, int64_t offset, const std::string& bytes,
                    v1::UploadFileResponse* response) {
    grpc::ClientContext context;
    const auto writer = client().models().UploadFile(&context, response);
    v1::UploadFileRequest message;
    message.mutable_header()->set_upload_id(upload);
    message.mutable_header()->set_path(path);
    message.mutable_header()->set_offset(offset);
    writer->Write(message);
    message.set_chunk(bytes);
    writer->Write(message);
    writer->WritesDone();
    return writer->Finish();
  }
  grpc::Status Finish(const std::string& upload, v1::Model* model) {
    grpc::ClientContext context;
    v1::FinishUploadRequest request;
    request.set_upload_id(upload);
    return client().models().FinishUpload(&context, request, model);
  }
  grpc::Status Delete(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteModelRequest request;
    request.set_name(name);
    google::protobuf::Empty nothing;
    return client().models().DeleteModel(&context, request, &nothing);
  }
  v1::CollectGarbageResponse Collect(int64_t max_bytes, bool dry_run) {
    grpc::ClientContext context;
    v1::CollectGarbageRequest request;
    request.set_max_bytes(max_bytes);
    request.set_dry_run(dry_run);
    v1::CollectGarbageResponse response;
    EXPECT_TRUE(client().jobs().CollectGarbage(&context, request, &response).ok());
    return response;
  }
};

TEST_F(ModelsTest, ImportedModelIsNamedInRecipes) {
  StartServer();
  grpc::ClientContext context;
  v1::ImportModelRequest request;
  request.set_path(model_.string());
  v1::Model model;
  ASSERT_TRUE(client().models().ImportModel(&context, request, &model).ok());
  EXPECT_EQ(model.name(), "tiny");
  v1::SubmitJobRequest submit = Request(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  submit.mutable_recipe()->set_model("tiny");
  v1::Job job;
  ASSERT_TRUE(client().Submit(submit, &job).ok());
  const grpc::Status used = Delete("tiny");
  EXPECT_EQ(used.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(ErrorInfoOf(used).reason(), "MODEL_IN_USE");
  OpenGate();
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_TRUE(Delete("tiny").ok());
  EXPECT_EQ(Delete("tiny").error_code(), grpc::NOT_FOUND);
  EXPECT_TRUE(std::filesystem::exists(model_)) << "an imported model's files are not ours to delete";
}

TEST_F(ModelsTest, AModelThatAJobComparesWithStays) {
  StartServer();
  const File file{"weights.safetensors", "weights"};
  v1::StartUploadResponse upload;
  v1::UploadFileResponse sent;
  v1::Model model;
  for (const char* name : {"original", "baseline"}) {
    ASSERT_TRUE(StartUpload(name, {file}, &upload).ok());
    if (upload.files(0).offset() == 0) Send(upload.upload_id(), file.path, 0, file.bytes, &sent);
    ASSERT_TRUE(Finish(upload.upload_id(), &model).ok());
  }
  v1::SubmitJobRequest submit = Request(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  submit.mutable_recipe()->mutable_evaluate()->set_original("original");
  submit.mutable_recipe()->mutable_evaluate()->set_baseline_model("baseline");
  v1::Job job;
  ASSERT_TRUE(client().Submit(submit, &job).ok());
  for (const char* name : {"original", "baseline"}) {
    EXPECT_EQ(ErrorInfoOf(Delete(name)).reason(), "MODEL_IN_USE") << name;
    EXPECT_TRUE(std::filesystem::exists(data() / "models" / name / file.path));
  }
  OpenGate();
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_TRUE(Delete("original").ok());
  EXPECT_FALSE(std::filesystem::exists(data() / "models" / "original"));
}

TEST_F(ModelsTest, OfTwoUploadsForOneNameOneWinsWhole) {
  StartServer();
  for (int round = 0; round < 10; ++round) {
    std::vector<std::string> uploads;
    for (const char* bytes : {"first", "second"}) {
      v1::StartUploadResponse upload;
      v1::UploadFileResponse sent;
      const File file{"weights.safetensors", bytes};
      ASSERT_TRUE(StartUpload("m", {file}, &upload).ok());
      if (upload.files(0).offset() == 0) Send(upload.upload_id(), file.path, 0, file.bytes, &sent);
      uploads.push_back(upload.upload_id());
    }
    grpc::Status ends[2];
    std::thread other([&] {
      v1::Model model;
      ends[1] = Finish(uploads[1], &model);
    });
    v1::Model model;
    ends[0] = Finish(uploads[0], &model);
    other.join();
    ASSERT_NE(ends[0].ok(), ends[1].ok()) << ends[0].error_message() << "; " << ends[1].error_message();
    const absl::StatusOr<std::string> there = ReadFile(data() / "models" / "m" / "weights.safetensors");
    ASSERT_TRUE(there.ok()) << there.status();
    EXPECT_EQ(*there, ends[0].ok() ? "first" : "second");
    ASSERT_TRUE(Delete("m").ok());
  }
}

TEST_F(ModelsTest, FoldersOfNoJobAndHalfWrittenFilesAreRemoved) {
  StartServer();
  const std::filesystem::path orphan = data() / "jobs" / "job-of-nobody";
  std::filesystem::create_directories(orphan / "artifacts");
  ASSERT_TRUE(WriteFileAtomically(orphan / "artifacts" / "x", std::string(1000, 'x')).ok());
  EXPECT_EQ(Collect(1, false).items_size(), 0) << "it may be that of a job which is being submitted";
  std::filesystem::last_write_time(orphan, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  const v1::CollectGarbageResponse collected = Collect(1, false);
  ASSERT_EQ(collected.items_size(), 1);
  EXPECT_EQ(collected.items(0).kind(), "orphan");
  EXPECT_EQ(collected.items(0).bytes(), 1000);
  EXPECT_FALSE(std::filesystem::exists(orphan));
  // Of a process that ended: its number is the killed server's.
  const std::string mark = absl::StrCat(".tmp-", server().pid(), "-7");
  server().Kill();
  ASSERT_TRUE(WriteFileAtomically(data() / "cache" / ("baseline" + mark), "half").ok());
  std::filesystem::create_directories(data() / "models" / ".upload-1");
  RestartServer();
  EXPECT_FALSE(std::filesystem::exists(data() / "cache" / ("baseline" + mark)));
  EXPECT_FALSE(std::filesystem::exists(data() / "models" / ".upload-1"));
}

TEST_F(ModelsTest, UploadGoesOnWhereItBrokeOff) {
  StartServer();
  const std::vector<File> files = {
      {"weights.safetensors", std::string(300000, 'w')}, {"config.json", "{}"}, {"empty", ""}};
  v1::StartUploadResponse upload;
  ASSERT_TRUE(StartUpload("mine", files, &upload).ok());
  EXPECT_EQ(upload.files(0).offset(), 0);
  v1::UploadFileResponse sent;
  ASSERT_TRUE(Send(upload.upload_id(), files[0].path, 0, files[0].bytes.substr(0, 100000), &sent).ok());
  EXPECT_EQ(sent.offset(), 100000);
  EXPECT_FALSE(sent.complete());
  v1::Model model;
  const grpc::Status early = Finish(upload.upload_id(), &model);
  EXPECT_EQ(early.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(early.error_message(), HasSubstr("weights.safetensors"));
  // Another upload of the same content, after a restart, goes on from there.
  server().Kill();
  RestartServer();
  ASSERT_TRUE(StartUpload("mine", files, &upload).ok());
  EXPECT_EQ(upload.files(0).offset(), 100000);
  const grpc::Status wrong = Send(upload.upload_id(), files[0].path, 5, "x", &sent);
  EXPECT_EQ(ErrorInfoOf(wrong).reason(), "WRONG_OFFSET");
  EXPECT_EQ(ErrorInfoOf(wrong).metadata().at("offset"), "100000");
  ASSERT_TRUE(Send(upload.upload_id(), files[0].path, 100000, files[0].bytes.substr(100000), &sent).ok());
  EXPECT_TRUE(sent.complete());
  ASSERT_TRUE(Send(upload.upload_id(), files[1].path, 0, files[1].bytes, &sent).ok());
  ASSERT_TRUE(Finish(upload.upload_id(), &model).ok());
  EXPECT_TRUE(model.uploaded());
  EXPECT_EQ(*ReadFile(data() / "models" / "mine" / "weights.safetensors"), files[0].bytes);
  // Nothing is sent again, and the same model is the same model.
  ASSERT_TRUE(StartUpload("mine", files, &upload).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(upload.files(i).offset(), static_cast<int64_t>(files[i].bytes.size()));
  EXPECT_TRUE(Finish(upload.upload_id(), &model).ok());
  v1::SubmitJobRequest submit = Request("blocks=1");
  submit.mutable_recipe()->set_model("mine");
  v1::Job job;
  ASSERT_TRUE(client().Submit(submit, &job).ok());
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  ASSERT_TRUE(Delete("mine").ok());
  EXPECT_TRUE(std::filesystem::is_empty(data() / "blobs"));
  EXPECT_TRUE(std::filesystem::is_empty(data() / "models"));
}

TEST_F(ModelsTest, WrongContentIsRefused) {
  StartServer();
  v1::StartUploadResponse upload;
  ASSERT_TRUE(StartUpload("mine", {{"a.gguf", "right"}}, &upload).ok());
  v1::UploadFileResponse sent;
  const grpc::Status wrong = Send(upload.upload_id(), "a.gguf", 0, "wrong", &sent);
  EXPECT_EQ(wrong.error_code(), grpc::DATA_LOSS);
  EXPECT_EQ(ErrorInfoOf(wrong).reason(), "DIGEST_MISMATCH");
  EXPECT_EQ(Send(upload.upload_id(), "a.gguf", 0, "too many", &sent).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(Send(upload.upload_id(), "b.gguf", 0, "right", &sent).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(StartUpload("mine", {{"../a", "x"}}, &upload).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(StartUpload("../mine", {{"a", "x"}}, &upload).error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(ModelsTest, GarbageGoesOldestFirstAndRunningJobsStay) {
  StartServer();
  const v1::Job old = Submit("blocks=3");
  ASSERT_EQ(AwaitEnd(old.id()).state(), v1::JOB_STATE_SUCCEEDED);
  const v1::Job running = Submit(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  WatchUntilBlock(running.id(), 0);
  EXPECT_EQ(Collect(0, false).items_size(), 0) << "nothing is 30 days old";
  const v1::CollectGarbageResponse dry = Collect(1, true);
  EXPECT_EQ(dry.items_size(), 2) << "artifacts and checkpoint of the ended job";
  std::string bytes;
  EXPECT_TRUE(client().Download(old.id(), "tersor/model.bin", 0, &bytes).ok()) << "a dry run removes nothing";
  EXPECT_EQ(Collect(1, false).bytes(), dry.bytes());
  EXPECT_EQ(client().Download(old.id(), "tersor/model.bin", 0, &bytes).error_code(), grpc::NOT_FOUND);
  v1::Report report;
  EXPECT_TRUE(client().Report(old.id(), &report).ok()) << "the report stays";
  OpenGate();
  EXPECT_EQ(AwaitEnd(running.id()).state(), v1::JOB_STATE_SUCCEEDED);
  // An answer whose files are gone is no answer: the work is done again.
  EXPECT_EQ(AwaitEnd(Submit("blocks=3").id()).cached_from(), "");
}

TEST_F(ModelsTest, WhatTheCacheHoldsGoesOneByOne) {
  StartServer();
  for (const char* file : {"baselines/a.bin", "statistics/first/0.absmax.safetensors", "statistics/second/1"}) {
    const std::filesystem::path path = data() / "cache" / file;
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(WriteFileAtomically(path, "12345").ok());
  }
  EXPECT_EQ(Collect(0, false).items_size(), 0) << "nothing is 30 days old";
  EXPECT_EQ(Collect(1, true).items_size(), 3);
  EXPECT_EQ(Collect(11, false).items_size(), 1) << "15 bytes are 4 too many, which one item holds";
  EXPECT_EQ(Collect(1, true).items_size(), 2);
}

}  // namespace
}  // namespace tersor::testing
