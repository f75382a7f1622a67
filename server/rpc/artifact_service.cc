#include "server/rpc/artifact_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/error_details.h"
#include "server/engine/removed_files.h"
#include "server/engine/safe_path.h"
#include "server/rpc/file_stream.h"
#include "server/rpc/grpc_status.h"

namespace tersor {

grpc::Status ArtifactServiceImpl::ListArtifacts(grpc::ServerContext*, const v1::ListArtifactsRequest* request,
                                                v1::ListArtifactsResponse* response) {
  absl::StatusOr<v1::Report> report = store_.GetReport(request->job_id());
  if (!report.ok()) return ToGrpcStatus(report.status());
  *response->mutable_artifacts() = std::move(*report->mutable_artifacts());
  return grpc::Status::OK;
}

grpc::Status ArtifactServiceImpl::DownloadArtifact(grpc::ServerContext* context,
                                                   const v1::DownloadArtifactRequest* request,
                                                   grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) {
  const StreamLimit::Place place(admission_.streams);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  const absl::StatusOr<JobRecord> record = store_.Get(request->job_id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  const auto path = ResolveFileIn(folder_.artifacts(record->job.id()), request->path());
  if (absl::IsNotFound(path.status())) {
    const absl::StatusOr<v1::Report> report = store_.GetReport(record->job.id());
    const absl::Status removed = report.ok() ? CheckFilesAreThere(*report, folder_) : absl::OkStatus();
    if (!removed.ok()) return ToGrpcStatus(removed);
  }
  if (!path.ok()) return ToGrpcStatus(Annotate(path.status(), absl::StrCat("artifacts of ", request->job_id())));
  bool first = true;
  return ToGrpcStatus(
      StreamFile(folder_.artifacts(record->job.id()), *path, request->offset(), [&](std::string chunk, int64_t total) {
        v1::DownloadArtifactResponse message;
        if (std::exchange(first, false)) message.set_total_bytes(total);
        message.set_chunk(std::move(chunk));
        const IdleWatch::Wait wait(admission_.idle, *context);
        return writer->Write(message);
      }));
}

absl::StatusOr<std::filesystem::path> ArtifactServiceImpl::SubjectOf(const v1::LintArtifactRequest& request) {
  if (request.has_model()) return catalog_.Resolve(request.model());
  if (!request.has_artifact()) return FieldError("artifact", "name an artifact of a job, or a model");
  const std::string& name = request.artifact().name();
  TERSOR_ASSIGN_OR_RETURN(const v1::Report report, store_.GetReport(request.artifact().job_id()));
  std::vector<std::string> known;
  for (const v1::ArtifactInfo& artifact : report.artifacts()) {
    if (artifact.name() != name) {
      known.push_back(artifact.name());
      continue;
    }
    TERSOR_RETURN_IF_ERROR(CheckFilesAreThere(report, folder_));
    if (!IsSafeRelativePath(artifact.path())) return absl::InternalError("a report names a path that is no such");
    return folder_.artifacts(request.artifact().job_id()) / artifact.path();
  }
  return absl::NotFoundError(absl::StrCat("job ", request.artifact().job_id(), " has no artifact \"", name,
                                          "\"; it has: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<v1::LintReport> ArtifactServiceImpl::Lint(const v1::LintArtifactRequest& request, CallerGone gone) {
  TERSOR_ASSIGN_OR_RETURN(const std::filesystem::path path, SubjectOf(request));
  std::filesystem::path reference;
  if (!request.reference().empty()) {
    const absl::StatusOr<std::filesystem::path> found = catalog_.Resolve(request.reference());
    if (!found.ok()) return Annotate(found.status(), "reference");
    reference = *found;
  }
  return planner_.Lint(path, reference, gone);
}

grpc::Status ArtifactServiceImpl::LintArtifact(grpc::ServerContext* context, const v1::LintArtifactRequest* request,
                                               v1::LintReport* response) {
  return AnswerComputed(admission_, *context, response, [&](CallerGone gone) { return Lint(*request, gone); });
}

}  // namespace tersor
