// A plan as people read it.
#ifndef TERSOR_CLIENT_CLI_PLAN_TEXT_H_
#define TERSOR_CLIENT_CLI_PLAN_TEXT_H_

#include <string>

#include "tersor/v1/plan.pb.h"

namespace tersor::client {

// Model, stages, files, totals, warnings; ends with a line end.
std::string PlanText(const v1::Plan& plan, int width);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_PLAN_TEXT_H_
