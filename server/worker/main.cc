#include "server/worker/worker.h"

int main(int argc, char** argv) { return tersor::RunWorker(argc, argv); }
