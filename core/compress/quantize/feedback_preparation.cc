#include "core/compress/quantize/feedback_preparation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/warning.h"

namespace tersor {
namespace {

constexpr double kMostDamping = 1.0;

}  // namespace

absl::StatusOr<PreparedFeedback> PrepareFeedback(ConstMatrixView moment, const std::vector<int64_t>& order,
                                                 const FeedbackPolicy& policy, bool keep_moment,
                                                 const std::string& layers, const CancellationToken* cancellation) {
  PreparedFeedback prepared;
  prepared.damping = policy.damping;
  while (true) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
    absl::StatusOr<FeedbackSystem> system = FeedbackSystem::Create(moment, prepared.damping, order, keep_moment);
    if (system.ok()) {
      prepared.system = *std::move(system);
      return prepared;
    }
    const bool can_damp = absl::IsFailedPrecondition(system.status()) && prepared.damping < kMostDamping &&
                          policy.on_failure == v1::FACTORIZATION_FAILURE_POLICY_MORE_DAMPING;
    if (can_damp) {
      prepared.damping = std::min(kMostDamping, std::max(prepared.damping, 1e-4) * 10);
      prepared.note = absl::StrCat("damping raised to ", prepared.damping, ": ", system.status().message());
      prepared.warnings.push_back(MakeWarning("FACTORIZATION_DAMPED", prepared.note, layers));
      continue;
    }
    if (policy.on_failure != v1::FACTORIZATION_FAILURE_POLICY_RTN) {
      return Annotate(system.status(), absl::StrCat("second moment of the inputs of ", layers));
    }
    prepared.damping = 0;
    prepared.note = absl::StrCat("rounded to nearest: ", system.status().message());
    prepared.warnings.push_back(MakeWarning("FACTORIZATION_FAILED_RTN", prepared.note, layers));
    return prepared;
  }
}

void CheckFeedbackPolicy(const FeedbackPolicy& policy, const std::string& field,
                         std::vector<FieldViolation>& violations) {
  // Written so that NaN is refused.
  if (!(policy.damping >= 0 && policy.damping <= 1)) {
    violations.push_back({field + ".damping", absl::StrCat("must be 0 to 1, got ", policy.damping)});
  }
  if (!v1::FactorizationFailurePolicy_IsValid(policy.on_failure)) {
    violations.push_back({field + ".on_factorization_failure", absl::StrCat("unknown value ", int{policy.on_failure})});
  }
}

}  // namespace tersor
