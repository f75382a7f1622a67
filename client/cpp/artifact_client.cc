#include "client/cpp/artifact_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/call_canceller.h"
#include "client/cpp/rpc_status.h"
#include "client/cpp/unary_call.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"

namespace tersor::client {
namespace {

// A server is a stranger too: its paths stay inside the folder.
absl::Status CheckRelative(const std::string& path) {
  std::filesystem::path parsed(path);
  bool inside = !path.empty() && parsed.is_relative() && !parsed.filename().empty();
  for (const std::filesystem::path& step : parsed) inside = inside && step != "..";
  if (inside) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the server named a file outside the target folder: \"", path, "\""));
}

int64_t SizeOrZero(const std::filesystem::path& path) {
  std::error_code error;
  uintmax_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

bool HasContent(const std::filesystem::path& path, const v1::ArtifactInfo::File& file) {
  if (SizeOrZero(path) != file.bytes()) return false;
  absl::StatusOr<std::string> digest = Sha256HexOfFile(path);
  return digest.ok() && *digest == file.sha256();
}

absl::Status WriteAll(int descriptor, absl::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "writing", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

ArtifactClient::ArtifactClient(Connection connection)
    : connection_(std::move(connection)), stub_(v1::ArtifactService::NewStub(connection_.channel())) {}

absl::StatusOr<std::vector<v1::ArtifactInfo>> ArtifactClient::List(absl::string_view job_id) const {
  v1::ListArtifactsRequest request;
  request.set_job_id(std::string(job_id));
  TERSOR_ASSIGN_OR_RETURN(v1::ListArtifactsResponse response,
                          UnaryCall<v1::ListArtifactsResponse>(connection_, connection_.timeouts().lookup,
                                                               [&](auto* context, auto* answer) {
                                                                 return stub_->ListArtifacts(context, request, answer);
                                                               }));
  return std::vector<v1::ArtifactInfo>(response.artifacts().begin(), response.artifacts().end());
}

absl::StatusOr<v1::LintReport> ArtifactClient::CallLint(const v1::LintArtifactRequest& request) const {
  // Reading a large model twice takes as long as planning with it.
  return UnaryCall<v1::LintReport>(connection_, connection_.timeouts().planning, [&](auto* context, auto* answer) {
    return stub_->LintArtifact(context, request, answer);
  });
}

absl::StatusOr<v1::LintReport> ArtifactClient::Lint(absl::string_view job_id, absl::string_view name,
                                                    absl::string_view reference) const {
  v1::LintArtifactRequest request;
  request.mutable_artifact()->set_job_id(std::string(job_id));
  request.mutable_artifact()->set_name(std::string(name));
  request.set_reference(std::string(reference));
  return CallLint(request);
}

absl::StatusOr<v1::LintReport> ArtifactClient::LintModel(absl::string_view model, absl::string_view reference) const {
  v1::LintArtifactRequest request;
  request.set_model(std::string(model));
  request.set_reference(std::string(reference));
  return CallLint(request);
}

absl::Status ArtifactClient::Fetch(absl::string_view job_id, const v1::ArtifactInfo::File& file,
                                   const std::filesystem::path& part, const DownloadOptions& options) const {
  int64_t done = SizeOrZero(part);
  int descriptor = open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return ErrnoStatus(errno, "creating", part);
  absl::Cleanup close_file = [descriptor] { close(descriptor); };
  v1::DownloadArtifactRequest request;
  request.set_job_id(std::string(job_id));
  request.set_path(file.path());
  request.set_offset(done);
  grpc::ClientContext context;
  CallCanceller canceller(context, options.cancellation);
  std::unique_ptr<grpc::ClientReader<v1::DownloadArtifactResponse>> reader = stub_->DownloadArtifact(&context, request);
  v1::DownloadArtifactResponse response;
  absl::Status local;
  while (local.ok() && reader->Read(&response)) {
    done += static_cast<int64_t>(response.chunk().size());
    local = done > file.bytes()
                ? absl::DataLossError(absl::StrCat("the server sent more bytes than ", file.path(), " has"))
                : WriteAll(descriptor, response.chunk(), part);
    if (options.on_progress) options.on_progress(file.path(), done, file.bytes());
  }
  if (!local.ok()) context.TryCancel();
  absl::Status remote = FromGrpc(reader->Finish());
  TERSOR_RETURN_IF_ERROR(local);
  TERSOR_RETURN_IF_ERROR(CheckCancelled(options.cancellation));
  TERSOR_RETURN_IF_ERROR(remote);
  if (done < file.bytes()) return absl::UnavailableError(absl::StrCat("the stream of ", file.path(), " ended early"));
  return fsync(descriptor) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "writing", part);
}

absl::Status ArtifactClient::FetchWithRetries(absl::string_view job_id, const v1::ArtifactInfo::File& file,
                                              const std::filesystem::path& part, const DownloadOptions& options) const {
  Backoff backoff(options.backoff);
  while (true) {
    int64_t before = SizeOrZero(part);
    absl::Status status = Fetch(job_id, file, part, options);
    if (status.ok() || !IsTransient(status)) return status;
    if (SizeOrZero(part) > before) backoff.Reset();
    absl::Duration wait = backoff.Next(absl::Now());
    if (wait == absl::InfiniteDuration()) return Annotate(status, "server " + connection_.address());
    TERSOR_RETURN_IF_ERROR(SleepFor(wait, absl::InfiniteFuture(), options.cancellation));
  }
}

absl::StatusOr<bool> ArtifactClient::Download(absl::string_view job_id, const v1::ArtifactInfo::File& file,
                                              const std::filesystem::path& into, const DownloadOptions& options) const {
  TERSOR_RETURN_IF_ERROR(CheckRelative(file.path()));
  std::filesystem::path target = into / file.path();
  if (HasContent(target, file)) return false;
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  if (error)
    return absl::InvalidArgumentError(absl::StrCat("creating ", target.parent_path().string(), ": ", error.message()));
  std::filesystem::path part = target;
  // Named after the content, so that a later version of the file does not go on from an earlier one's bytes.
  part += absl::StrCat(".part-", file.sha256().substr(0, 8));
  if (SizeOrZero(part) > file.bytes()) std::filesystem::remove(part, error);
  TERSOR_RETURN_IF_ERROR(FetchWithRetries(job_id, file, part, options));
  if (!HasContent(part, file)) {
    std::filesystem::remove(part, error);
    return absl::DataLossError(absl::StrCat(
        target.string(), ": the bytes received do not have the SHA-256 that the server gave; download again"));
  }
  std::filesystem::rename(part, target, error);
  if (error) return absl::InternalError(absl::StrCat("renaming to ", target.string(), ": ", error.message()));
  return true;
}

}  // namespace tersor::client
