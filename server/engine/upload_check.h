// Faults of a StartUploadRequest.
#ifndef TERSOR_SERVER_ENGINE_UPLOAD_CHECK_H_
#define TERSOR_SERVER_ENGINE_UPLOAD_CHECK_H_

#include <vector>

#include "core/base/field_violation.h"
#include "tersor/v1/model_service.pb.h"

namespace tersor {

// Name, paths (relative, each once), sizes and digests.
std::vector<FieldViolation> CheckStartUpload(const v1::StartUploadRequest& request);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_UPLOAD_CHECK_H_
