#include "server/http/readiness.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr absl::Duration kStoreSilence = absl::Seconds(10);

}  // namespace

void Readiness::SetPhase(Phase phase) {
  const MutexLock lock(mutex_);
  phase_ = phase;
}

void Readiness::OnStore(absl::Status status) {
  const MutexLock lock(mutex_);
  store_ = std::move(status);
  asked_ = clock_.Monotonic();
}

std::string Readiness::WhyNot() const {
  const MutexLock lock(mutex_);
  if (phase_ == Phase::kStarting) return "starting";
  if (phase_ == Phase::kDraining) return "draining";
  if (!store_.ok()) return absl::StrCat("no store: ", store_.message());
  const absl::Duration silence = clock_.Monotonic() - asked_;
  if (silence <= kStoreSilence) return "";
  return absl::StrCat("no store: it has not answered for ", absl::ToInt64Seconds(silence), " s");
}

}  // namespace tersor
