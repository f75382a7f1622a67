#include "client/cpp/model_upload.h"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/call_canceller.h"
#include "client/cpp/rpc_status.h"
#include "client/cpp/unary_call.h"
#include "core/base/sha256.h"

namespace tersor::client {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

class Upload {
 public:
  Upload(const ModelClient& models, std::filesystem::path root, const UploadOptions& options)
      : models_(models), root_(std::move(root)), options_(options) {}

  absl::StatusOr<v1::Model> Run(absl::string_view name);

 private:
  absl::Status HashFiles(const std::vector<std::filesystem::path>& files);
  absl::StatusOr<std::string> HashFile(const std::filesystem::path& path, const std::string& shown);
  // Sends what is missing over one connection.
  absl::Status SendMissing(v1::StartUploadResponse& started);
  absl::Status SendFile(const std::string& upload_id, const v1::FileDigest& file, int64_t offset);
  absl::Status SendChunks(std::ifstream& input, const v1::FileDigest& file,
                          grpc::ClientWriter<v1::UploadFileRequest>& writer, bool& broken);
  absl::Status CheckComplete(const v1::FileDigest& file, const v1::UploadFileResponse& response) const;
  absl::StatusOr<v1::Model> Finish(const std::string& upload_id) const;
  // The file itself where the model is one file.
  std::filesystem::path LocalPath(const std::string& relative) const {
    std::error_code error;
    return std::filesystem::is_directory(root_, error) ? root_ / relative : root_;
  }
  void Report(UploadProgress::Phase phase, const std::string& file) const {
    if (options_.on_progress) options_.on_progress({phase, file, done_, total_});
  }

  const ModelClient& models_;
  const std::filesystem::path root_;
  const UploadOptions& options_;
  v1::StartUploadRequest request_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

absl::StatusOr<std::string> Upload::HashFile(const std::filesystem::path& path, const std::string& shown) {
  std::ifstream input(path, std::ios::binary);
  if (!input) return absl::NotFoundError(absl::StrCat("cannot read ", path.string()));
  Sha256 digest;
  std::string buffer(kChunkBytes, '\0');
  while (input) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    input.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.Update(absl::string_view(buffer.data(), static_cast<size_t>(input.gcount())));
    done_ += input.gcount();
    Report(UploadProgress::Phase::kHashing, shown);
  }
  if (input.bad()) return absl::DataLossError(absl::StrCat("reading ", path.string(), " failed"));
  return digest.HexDigest();
}

absl::Status Upload::HashFiles(const std::vector<std::filesystem::path>& files) {
  for (const std::filesystem::path& relative : files) {
    std::error_code error;
    uintmax_t bytes = std::filesystem::file_size(LocalPath(relative.string()), error);
    if (error) return absl::NotFoundError(absl::StrCat("cannot read ", relative.string(), ": ", error.message()));
    v1::FileDigest& digest = *request_.add_files();
    digest.set_path(relative.string());
    digest.set_bytes(static_cast<int64_t>(bytes));
    total_ += static_cast<int64_t>(bytes);
  }
  for (v1::FileDigest& digest : *request_.mutable_files()) {
    TERSOR_ASSIGN_OR_RETURN(*digest.mutable_sha256(), HashFile(LocalPath(digest.path()), digest.path()));
  }
  return absl::OkStatus();
}

absl::Status Upload::SendChunks(std::ifstream& input, const v1::FileDigest& file,
                                grpc::ClientWriter<v1::UploadFileRequest>& writer, bool& broken) {
  v1::UploadFileRequest message;
  std::string buffer(kChunkBytes, '\0');
  while (input) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
    input.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    size_t count = static_cast<size_t>(input.gcount());
    if (count == 0) break;
    message.set_chunk(buffer.data(), count);
    if (!writer.Write(message)) {
      broken = true;
      return absl::OkStatus();
    }
    done_ += static_cast<int64_t>(count);
    Report(UploadProgress::Phase::kSending, file.path());
  }
  return absl::OkStatus();
}

absl::Status Upload::SendFile(const std::string& upload_id, const v1::FileDigest& file, int64_t offset) {
  std::ifstream input(LocalPath(file.path()), std::ios::binary);
  input.seekg(offset);
  if (!input) return absl::NotFoundError(absl::StrCat("cannot read ", LocalPath(file.path()).string()));
  grpc::ClientContext context;
  CallCanceller canceller(context, options_.cancellation);
  v1::UploadFileResponse response;
  std::unique_ptr<grpc::ClientWriter<v1::UploadFileRequest>> writer = models_.stub().UploadFile(&context, &response);
  v1::UploadFileRequest message;
  message.mutable_header()->set_upload_id(upload_id);
  message.mutable_header()->set_path(file.path());
  message.mutable_header()->set_offset(offset);
  bool broken = !writer->Write(message);
  absl::Status read = broken ? absl::OkStatus() : SendChunks(input, file, *writer, broken);
  if (!read.ok()) context.TryCancel();
  if (!broken) writer->WritesDone();
  absl::Status sent = FromGrpc(writer->Finish());
  if (!read.ok()) return read;
  TERSOR_RETURN_IF_ERROR(sent);
  return CheckComplete(file, response);
}

absl::Status Upload::CheckComplete(const v1::FileDigest& file, const v1::UploadFileResponse& response) const {
  if (response.complete()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the server has ", response.offset(), " of ", file.bytes(), " bytes of ", file.path()));
}

absl::Status Upload::SendMissing(v1::StartUploadResponse& started) {
  done_ = 0;
  for (const auto& state : started.files()) done_ += state.offset();
  for (const auto& state : started.files()) {
    auto file = std::find_if(request_.files().begin(), request_.files().end(),
                             [&](const v1::FileDigest& digest) { return digest.path() == state.path(); });
    if (file == request_.files().end() || state.offset() < 0 || state.offset() > file->bytes()) {
      return absl::InternalError(absl::StrCat("the server answered for a file that was not asked for: ", state.path()));
    }
    if (state.offset() < file->bytes()) {
      TERSOR_RETURN_IF_ERROR(SendFile(started.upload_id(), *file, state.offset()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Model> Upload::Finish(const std::string& upload_id) const {
  v1::FinishUploadRequest request;
  request.set_upload_id(upload_id);
  return UnaryCall<v1::Model>(
      models_.connection(), models_.connection().timeouts().planning,
      [&](auto* context, auto* model) { return models_.stub().FinishUpload(context, request, model); });
}

absl::StatusOr<v1::Model> Upload::Run(absl::string_view name) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<std::filesystem::path> files, ModelFiles(root_));
  TERSOR_RETURN_IF_ERROR(HashFiles(files));
  request_.set_name(std::string(name));
  Backoff backoff(options_.backoff);
  bool connected = false;
  while (true) {
    absl::StatusOr<v1::StartUploadResponse> started = UnaryCall<v1::StartUploadResponse>(
        models_.connection(), models_.connection().timeouts().lookup,
        [&](auto* context, auto* response) { return models_.stub().StartUpload(context, request_, response); });
    absl::Status status = started.status();
    if (status.ok()) {
      connected = true;
      int64_t before = done_;
      status = SendMissing(*started);
      if (status.ok()) return Finish(started->upload_id());
      if (done_ > before) backoff.Reset();
    }
    // Nobody there from the start is an error to tell at once; a transfer that broke is taken up again.
    if (!connected || !IsTransient(status)) return status;
    absl::Duration wait = backoff.Next(absl::Now());
    if (wait == absl::InfiniteDuration()) return status;
    TERSOR_RETURN_IF_ERROR(SleepFor(wait, absl::InfiniteFuture(), options_.cancellation));
  }
}

}  // namespace

absl::StatusOr<v1::Model> UploadModel(const ModelClient& models, const std::filesystem::path& model,
                                      absl::string_view name, const UploadOptions& options) {
  return Upload(models, model, options).Run(name);
}

}  // namespace tersor::client
