#include "core/exports/load_commands.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/exports/export_registry.h"
#include "core/exports/huggingface_folder.h"

namespace tersor {
namespace {

void AddLoadCommands(const std::filesystem::path& artifacts_dir, v1::Report& report) {
  for (const v1::ArtifactInfo& artifact : report.artifacts()) {
    for (v1::LoadCommand& command : LoadCommands(artifact, artifacts_dir)) {
      *report.add_load_commands() = std::move(command);
    }
  }
  for (const v1::ArtifactInfo& artifact : report.artifacts()) {
    // Tersor's own container is no export.
    if (artifact.name() != "tersor") continue;
    v1::LoadCommand* generate = report.add_load_commands();
    generate->set_program("Tersor");
    generate->set_command(absl::StrCat("printf 'Gravity is' | tersor generate --model ",
                                       ShellQuoted(artifacts_dir / artifact.path()), " --max-tokens 32"));
  }
}

}  // namespace

void SetLocalLoadCommands(const std::filesystem::path& artifacts_dir, v1::Report& report) {
  report.clear_load_commands();
  AddLoadCommands(artifacts_dir, report);
}

void SetDownloadLoadCommands(v1::Report& report) {
  report.clear_load_commands();
  if (report.artifacts().empty()) return;
  v1::LoadCommand* download = report.add_load_commands();
  download->set_program("Tersor");
  download->set_command(absl::StrCat("tersor download ", ShellQuoted(report.job_id())));
  // With its dot, no program takes the folder for a name on a model hub.
  AddLoadCommands(std::filesystem::path(".") / report.job_id(), report);
}

}  // namespace tersor
