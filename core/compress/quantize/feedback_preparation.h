// A layer's feedback system, or what is done where its second moment cannot be factored.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_PREPARATION_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_PREPARATION_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/field_violation.h"
#include "core/compress/quantize/feedback_system.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct FeedbackPolicy {
  // Share of the mean diagonal.
  double damping = 0.01;
  v1::FactorizationFailurePolicy on_failure = v1::FACTORIZATION_FAILURE_POLICY_MORE_DAMPING;
};

struct PreparedFeedback {
  // Nothing where the layers are to be rounded to nearest.
  std::optional<FeedbackSystem> system;
  // That was really added.
  double damping = 0;
  // What was done otherwise than asked; empty in the normal case.
  std::string note;
  std::vector<v1::Warning> warnings;
};

// `layers`: names for messages. `moment` and `order` as FeedbackSystem::Create takes them. FAILED_PRECONDITION names
// the layers whose second moment cannot be factored, where the policy is to fail.
absl::StatusOr<PreparedFeedback> PrepareFeedback(ConstMatrixView moment, const std::vector<int64_t>& order,
                                                 const FeedbackPolicy& policy, bool keep_moment,
                                                 const std::string& layers, const CancellationToken* cancellation);

// Faults are appended with `field` as the path of the method's message.
void CheckFeedbackPolicy(const FeedbackPolicy& policy, const std::string& field,
                         std::vector<FieldViolation>& violations);

// From `damping` and `on_factorization_failure` of a method's message.
template <typename Config>
FeedbackPolicy ReadFeedbackPolicy(const Config& config, const std::string& field,
                                  std::vector<FieldViolation>& violations) {
  FeedbackPolicy policy;
  if (config.has_damping()) policy.damping = config.damping();
  if (config.on_factorization_failure() != v1::FACTORIZATION_FAILURE_POLICY_UNSPECIFIED) {
    policy.on_failure = config.on_factorization_failure();
  }
  CheckFeedbackPolicy(policy, field, violations);
  return policy;
}

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_PREPARATION_H_
