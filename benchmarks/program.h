// What every benchmark's main shares: its options' common lines and its end.
#ifndef TERSOR_BENCHMARKS_PROGRAM_H_
#define TERSOR_BENCHMARKS_PROGRAM_H_

#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace tersor {

// The program's exit code; an error goes to standard error.
inline int ExitCode(const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}

// `arguments` has a model and a number of threads; `add_options` says what else there is, and `run` does the work.
template <typename Arguments, typename AddOptions, typename Run>
int RunProgram(int argc, char** argv, const char* description, Arguments& arguments, AddOptions add_options, Run run) {
  CLI::App app(description);
  app.add_option("model", arguments.model, "Hugging Face folder, .gguf file or container")->required();
  add_options(app);
  app.add_option("--threads", arguments.threads, "Threads");
  CLI11_PARSE(app, argc, argv);
  return ExitCode(run(arguments));
}

}  // namespace tersor

#endif  // TERSOR_BENCHMARKS_PROGRAM_H_
