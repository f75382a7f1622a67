// How every benchmark ends.
#ifndef TERSOR_BENCHMARKS_OUTCOME_H_
#define TERSOR_BENCHMARKS_OUTCOME_H_

#include <cstdio>
#include <string>

#include "absl/status/status.h"

namespace tersor {

// The program's exit code; an error goes to standard error.
inline int ExitCode(const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace tersor

#endif  // TERSOR_BENCHMARKS_OUTCOME_H_
