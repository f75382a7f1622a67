// The values of the label "method".
#ifndef TERSOR_SERVER_METRICS_JOB_METHODS_H_
#define TERSOR_SERVER_METRICS_JOB_METHODS_H_

#include <string>
#include <vector>

namespace tersor {

// Every short name that a job can have (MethodOf in submission.h): the methods of a quantize or prune stage, and the
// names of jobs that are not one method's.
std::vector<std::string> JobMethods();

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_JOB_METHODS_H_
