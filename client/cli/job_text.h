// Jobs as people read them.
#ifndef TERSOR_CLIENT_CLI_JOB_TEXT_H_
#define TERSOR_CLIENT_CLI_JOB_TEXT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tersor/v1/job_service.pb.h"

namespace tersor::client {

// One row a job, newest first as given.
std::string JobTable(const std::vector<v1::Job>& jobs, absl::Time now, int width);

// Everything `tersor status` tells, a line each.
std::string JobDetails(const v1::Job& job, absl::Time now);

// "ID succeeded in 35 s", with the reason where it did not.
std::string JobEnd(const v1::Job& job);

// What to say of a job after it was asked to stop: "cancelled", "succeeded", or "being cancelled" while its worker
// stops.
std::string CancelWord(const v1::Job& job);

// "3 min ago".
std::string AgeText(absl::Duration age);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_JOB_TEXT_H_
