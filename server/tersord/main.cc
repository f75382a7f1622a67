#include "core/pipeline/pipeline.h"
#include "server/tersord/run_server.h"

int main(int argc, char** argv) { return tersor::RunServer(argc, argv, tersor::ListMethods()); }
