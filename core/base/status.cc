#include "core/base/status.h"

#include "absl/strings/str_cat.h"

namespace tersor {

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok() || absl::IsCancelled(status)) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace tersor
