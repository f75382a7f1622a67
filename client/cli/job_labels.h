// Labels of the command line.
#ifndef TERSOR_CLIENT_CLI_JOB_LABELS_H_
#define TERSOR_CLIENT_CLI_JOB_LABELS_H_

#include <map>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace tersor::client {

// INVALID_ARGUMENT for one that is not "KEY=VALUE"; of equal keys the last one stays.
absl::StatusOr<std::map<std::string, std::string>> ParseLabels(const std::vector<std::string>& labels);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_JOB_LABELS_H_
