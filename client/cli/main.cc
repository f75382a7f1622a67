#include <iostream>

#include "client/cli/app.h"
#include "client/cli/interrupt.h"
#include "client/cli/registry.h"

int main(int argc, char** argv) {
  tersor::client::InstallInterrupts();
  tersor::client::Console console(std::cout, std::cerr);
  console.DetectTerminal();
  return tersor::client::RunApp(argc, argv, tersor::client::MakeCommands(tersor::client::MakeLocalCommands()), console);
}
