// Copies of the TLS files that gRPC may watch.
#ifndef TERSOR_SERVER_TERSORD_TLS_STAGE_H_
#define TERSOR_SERVER_TERSORD_TLS_STAGE_H_

#include <filesystem>
#include <string>

#include "server/tersord/tls_files.h"

namespace tersor {

// gRPC 1.51 reads what it watches without a doubt: an empty key ends the process, and other halves of a renewal are
// served as they are. So it watches copies, in a folder that only the server's user may enter, and only what was read
// and checked as a whole becomes one. Not thread-safe.
class TlsStage {
 public:
  TlsStage(TlsFiles source, std::filesystem::path folder);

  // Makes the copies. Errors as those of ReadTlsFiles.
  absl::Status Open();
  // Looks at the files again; call about every second. Faulty ones are left out, and said in the log once.
  void Refresh();
  // What to watch; not enabled without TLS.
  const TlsFiles& copies() const { return copies_; }

 private:
  absl::Status Write(const TlsTexts& texts);

  const TlsFiles source_;
  const std::filesystem::path folder_;
  TlsFiles copies_;
  TlsTexts written_;
  std::string said_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_TLS_STAGE_H_
