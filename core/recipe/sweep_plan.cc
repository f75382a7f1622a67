// What a sweep would do and cost, from the plans of its points.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/recipe/sweep.h"
#include "google/protobuf/util/message_differencer.h"

namespace tersor {
namespace {

// Each warning once, with the points that it concerns where these are not all.
void MergeWarnings(const std::vector<SweepPoint>& points, const std::vector<v1::Plan>& plans, v1::Plan& merged) {
  std::vector<std::vector<std::string>> concerned;
  for (size_t i = 0; i < plans.size(); ++i) {
    for (const v1::Warning& warning : plans[i].warnings()) {
      const auto same = std::find_if(merged.warnings().begin(), merged.warnings().end(), [&](const v1::Warning& known) {
        return google::protobuf::util::MessageDifferencer::Equals(known, warning);
      });
      if (same == merged.warnings().end()) {
        *merged.add_warnings() = warning;
        concerned.push_back({points[i].Name()});
      } else {
        concerned[static_cast<size_t>(same - merged.warnings().begin())].push_back(points[i].Name());
      }
    }
  }
  for (int i = 0; i < merged.warnings_size(); ++i) {
    if (concerned[i].size() == plans.size()) continue;
    v1::Warning& warning = *merged.mutable_warnings(i);
    warning.set_message(absl::StrCat(warning.message(), " (", absl::StrJoin(concerned[i], "; "), ")"));
  }
}

// Which gates can be decided depends on the items, which all points share: each gate once, by its worst point.
void MergePowers(const std::vector<v1::Plan>& plans, v1::Plan& merged) {
  for (const v1::Plan& plan : plans) {
    for (const v1::GatePower& power : plan.powers()) {
      const auto same = std::find_if(merged.mutable_powers()->begin(), merged.mutable_powers()->end(),
                                     [&](const v1::GatePower& known) { return known.gate() == power.gate(); });
      if (same == merged.mutable_powers()->end()) {
        *merged.add_powers() = power;
      } else if (power.decided() < same->decided()) {
        *same = power;
      }
    }
  }
}

}  // namespace

v1::Plan MergePointPlans(const std::vector<SweepPoint>& points, const std::vector<v1::Plan>& plans) {
  v1::Plan merged;
  Sha256 digest;
  for (size_t i = 0; i < plans.size(); ++i) {
    const v1::Plan& plan = plans[i];
    if (i == 0) *merged.mutable_model() = plan.model();
    v1::PlannedStage* stage = merged.add_stages();
    stage->set_name(points[i].Name());
    stage->set_seconds(plan.seconds());
    stage->set_peak_memory_bytes(plan.peak_memory_bytes());
    if (plan.stages_size() > 0) stage->set_detail(plan.stages(0).detail());
    merged.set_seconds(merged.seconds() + plan.seconds());
    merged.set_disk_bytes(merged.disk_bytes() + plan.disk_bytes());
    merged.set_peak_memory_bytes(std::max(merged.peak_memory_bytes(), plan.peak_memory_bytes()));
    digest.UpdateField(plan.fingerprint());
  }
  MergeWarnings(points, plans, merged);
  MergePowers(plans, merged);
  merged.set_fingerprint(digest.HexDigest());
  return merged;
}

}  // namespace tersor
