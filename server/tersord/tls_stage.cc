#include "server/tersord/tls_stage.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/base/atomic_file.h"
#include "server/base/log.h"

namespace tersor {

TlsStage::TlsStage(TlsFiles source, std::filesystem::path folder)
    : source_(std::move(source)), folder_(std::move(folder)) {
  if (!source_.enabled()) return;
  copies_ = {.certificate = folder_ / "server.crt", .key = folder_ / "server.key"};
  if (!source_.client_ca.empty()) copies_.client_ca = folder_ / "clients.crt";
}

absl::Status TlsStage::Open() {
  TERSOR_ASSIGN_OR_RETURN(const TlsTexts texts, ReadTlsFiles(source_));
  if (!source_.enabled()) return absl::OkStatus();
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoStatus(errno, "making folder", folder_);
  return Write(texts);
}

void TlsStage::Refresh() {
  if (!source_.enabled()) return;
  const absl::StatusOr<TlsTexts> texts = ReadTlsFiles(source_);
  if (texts.ok() && *texts == written_) return;
  const absl::Status status = texts.ok() ? Write(*texts) : texts.status();
  const std::string message = status.ok() ? "" : status.ToString();
  if (status.ok()) {
    Log(LogLevel::kInfo, "renewed TLS files are served from now on");
  } else if (message != said_) {
    Log(LogLevel::kWarning, "the TLS files are faulty: the earlier ones are served on", {{"error", message}});
  }
  said_ = message;
}

absl::Status TlsStage::Write(const TlsTexts& texts) {
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(copies_.key, texts.key));
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(copies_.certificate, texts.certificate));
  if (!copies_.client_ca.empty()) TERSOR_RETURN_IF_ERROR(WriteFileAtomically(copies_.client_ca, texts.client_ca));
  written_ = texts;
  return absl::OkStatus();
}

}  // namespace tersor
