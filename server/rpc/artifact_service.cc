#include "server/rpc/artifact_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
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

grpc::Status ArtifactServiceImpl::DownloadArtifact(grpc::ServerContext*, const v1::DownloadArtifactRequest* request,
                                                   grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) {
  const StreamLimit::Place place(streams_);
  if (!place.status().ok()) return ToGrpcStatus(place.status());
  const absl::StatusOr<JobRecord> record = store_.Get(request->job_id());
  if (!record.ok()) return ToGrpcStatus(record.status());
  const auto path = ResolveFileIn(folder_.artifacts(record->job.id()), request->path());
  if (!path.ok()) return ToGrpcStatus(Annotate(path.status(), absl::StrCat("artifacts of ", request->job_id())));
  bool first = true;
  return ToGrpcStatus(StreamFile(*path, request->offset(), [&](std::string chunk, int64_t total) {
    v1::DownloadArtifactResponse message;
    if (std::exchange(first, false)) message.set_total_bytes(total);
    message.set_chunk(std::move(chunk));
    return writer->Write(message);
  }));
}

}  // namespace tersor
