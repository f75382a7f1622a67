// Whether a job's files fit where they will be written.
#ifndef TERSOR_CORE_PIPELINE_DISK_SPACE_H_
#define TERSOR_CORE_PIPELINE_DISK_SPACE_H_

#include <filesystem>
#include <vector>

#include "core/base/status.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// DISK_SPACE where the file system of `folder`, which need not exist yet, has less free than the plan's disk_bytes.
// Empty where that cannot be learned or `folder` is empty.
std::vector<v1::Warning> DiskSpaceWarnings(const v1::Plan& plan, const std::filesystem::path& folder);

// RESOURCE_EXHAUSTED before hours of work end at a full disk: `folder` lacks room for what the plan writes beyond what
// an earlier run left there.
absl::Status CheckDiskSpace(const v1::Plan& plan, const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_DISK_SPACE_H_
