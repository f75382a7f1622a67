// What the commands that register a model print.
#ifndef TERSOR_CLIENT_CLI_MODEL_ANSWER_H_
#define TERSOR_CLIENT_CLI_MODEL_ANSWER_H_

#include "absl/status/statusor.h"
#include "client/cli/console.h"
#include "tersor/v1/model_service.pb.h"

namespace tersor::client {

// The model's name, or all of it as JSON, or why there is none; answers the exit code.
ExitCode PrintRegistered(const absl::StatusOr<v1::Model>& model, Console& console);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_MODEL_ANSWER_H_
