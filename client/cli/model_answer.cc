#include "client/cli/model_answer.h"

namespace tersor::client {

ExitCode PrintRegistered(const absl::StatusOr<v1::Model>& model, Console& console) {
  if (!model.ok()) return console.Fail(model.status());
  if (console.json) {
    console.Json(*model);
  } else {
    console.Out() << model->name() << std::endl;
  }
  return kExitPassed;
}

}  // namespace tersor::client
