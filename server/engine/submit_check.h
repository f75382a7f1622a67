// What can be said of a SubmitJobRequest without its recipe.
#ifndef TERSOR_SERVER_ENGINE_SUBMIT_CHECK_H_
#define TERSOR_SERVER_ENGINE_SUBMIT_CHECK_H_

#include <vector>

#include "core/base/field_violation.h"
#include "server/engine/server_limits.h"
#include "tersor/v1/job_service.pb.h"

namespace tersor {

// Faults of request_id and labels.
std::vector<FieldViolation> CheckSubmitRequest(const v1::SubmitJobRequest& request);

// Faults of what the client wants to use.
std::vector<FieldViolation> CheckResources(const v1::Resources& resources, const ServerLimits& limits);

// Data sets that are named by a path must lie below a data path or a model root: a server does not read any file of its
// machine for a client. Others are emptied, so that a plan of the rest tells nothing about them.
std::vector<FieldViolation> TakeForbiddenDatasets(const ServerLimits& limits, v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUBMIT_CHECK_H_
