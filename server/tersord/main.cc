#include "server/engine/planner.h"
#include "server/tersord/run_server.h"

int main(int argc, char** argv) {
  tersor::PipelinePlanner planner;
  return tersor::RunServer(argc, argv, planner);
}
