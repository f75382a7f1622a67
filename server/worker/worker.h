// One attempt, from attaching to the last call.
#ifndef TERSOR_SERVER_WORKER_WORKER_H_
#define TERSOR_SERVER_WORKER_WORKER_H_

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/cancellation.h"
#include "core/pipeline/pipeline.h"
#include "server/worker/server_link.h"

namespace tersor {

struct WorkerOptions {
  std::string job_id;
  int attempt = 0;
};

// Attaches, runs the recipe, publishes its events and reports the end. `cancellation` may also be set from outside (a
// signal). An error means that the server did not hear the end: fenced off or away for too long; the checkpoint stays.
absl::Status RunAttempt(const WorkerOptions& options, ServerLink& link, CancellationToken& cancellation);

// The life of the program tersor-worker: 0 the server knows the end, 1 it does not, 2 wrong usage.
int RunWorker(int argc, char** argv);

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_WORKER_H_
