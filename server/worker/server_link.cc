#include "server/worker/server_link.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

// What stays as it is however often it is asked again.
bool IsFinal(const absl::Status& status) {
  return status.ok() || IsFencedOff(status) || absl::IsInvalidArgument(status);
}

// Whether a server of ours said this, rather than nobody or some other program behind the address. A full disk is said
// by the server, which is there.
bool IsFromServer(const absl::Status& status) { return IsFinal(status) || absl::IsResourceExhausted(status); }

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Reports, own ones and those compared with, can be larger than the default of 4 MiB; a local server needs no proxy.
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // The tries are spaced here; gRPC's own backoff would grow to minutes.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

bool IsFencedOff(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsUnauthenticated(status) || absl::IsNotFound(status);
}

absl::StatusOr<std::shared_ptr<ServerLink::Stub>> ServerLink::Connect() {
  const absl::StatusOr<std::string> text = ReadFile(options_.endpoint_file, 4096);
  if (!text.ok()) return absl::UnavailableError(absl::StrCat("no server: ", text.status().message()));
  const std::string address(absl::StripAsciiWhitespace(*text));
  const MutexLock lock(mutex_);
  if (stub_ == nullptr || address != address_) {
    address_ = address;
    stub_ = std::shared_ptr<Stub>(v1::WorkerService::NewStub(MakeChannel(address)));
  }
  return stub_;
}

absl::Status ServerLink::CallOnce(absl::FunctionRef<grpc::Status(Stub&, grpc::ClientContext&)> call) {
  TERSOR_ASSIGN_OR_RETURN(const std::shared_ptr<Stub> stub, Connect());
  grpc::ClientContext context;
  context.AddMetadata("tersor-attempt-token", options_.token);
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(options_.call_timeout));
  const grpc::Status answer = call(*stub, context);
  const absl::Status status(static_cast<absl::StatusCode>(answer.error_code()), answer.error_message());
  const MutexLock lock(mutex_);
  if (IsFromServer(status)) last_answer_ = clock_.Monotonic();
  return status;
}

absl::Status ServerLink::Call(absl::FunctionRef<grpc::Status(Stub&, grpc::ClientContext&)> call) {
  absl::Duration backoff = options_.first_backoff;
  while (true) {
    const absl::Status status = CallOnce(call);
    if (IsFinal(status)) return status;
    if (PatienceIsOver()) return absl::UnavailableError(absl::StrCat("the server stayed away: ", status.message()));
    const MutexLock lock(mutex_);
    if (mutex_.AwaitWithTimeout([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_; }, backoff))
      return absl::UnavailableError("closed");
    backoff = std::min(backoff * 2, options_.last_backoff);
  }
}

void ServerLink::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
}

absl::Duration ServerLink::Silence() const {
  const MutexLock lock(mutex_);
  return clock_.Monotonic() - last_answer_;
}

}  // namespace tersor
