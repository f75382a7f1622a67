#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands/commands.h"
#include "client/cli/progress_display.h"
#include "client/cli/remote.h"
#include "client/cpp/artifact_client.h"

namespace tersor::client {
namespace {

class DownloadCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("download", "Fetch the files that a job wrote");
    app.Positional("job", id_, "The job's id", "ID", true);
    app.Positional("name", name_, "Only this artifact, as the report names it (\"gguf:q4_0\"); default: all", "NAME",
                   false);
    app.Option("--into", into_, "Folder to put them into; default: the job's id", "DIR");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("A download that broke off goes on where it was; files that are there are not fetched again.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    ArtifactClient client(*connection);
    absl::StatusOr<std::vector<v1::ArtifactInfo>> all = client.List(id_);
    if (!all.ok()) return console.Fail(all.status());
    absl::StatusOr<v1::ListArtifactsResponse> chosen = Choose(*all);
    if (!chosen.ok()) return console.Fail(chosen.status());
    InterruptScope interrupt;
    for (const v1::ArtifactInfo& artifact : chosen->artifacts()) {
      absl::Status status = Fetch(client, artifact, interrupt, console);
      if (interrupt.interrupted()) return interrupt.exit_code();
      if (!status.ok()) return console.Fail(status);
    }
    if (console.json) console.Json(*chosen);
    return kExitPassed;
  }

 private:
  std::filesystem::path Folder() const { return into_.empty() ? id_ : into_; }

  absl::StatusOr<v1::ListArtifactsResponse> Choose(const std::vector<v1::ArtifactInfo>& all) const {
    v1::ListArtifactsResponse chosen;
    std::vector<std::string> names;
    for (const v1::ArtifactInfo& artifact : all) {
      names.push_back(artifact.name());
      if (name_.empty() || name_ == artifact.name() || name_ == artifact.path()) *chosen.add_artifacts() = artifact;
    }
    if (chosen.artifacts_size() > 0) return chosen;
    return absl::NotFoundError(all.empty() ? absl::StrCat("job ", id_, " has no files (yet)")
                                           : absl::StrCat("job ", id_, " has no artifact \"", name_,
                                                          "\"; it has: ", absl::StrJoin(names, ", ")));
  }

  absl::Status Fetch(const ArtifactClient& client, const v1::ArtifactInfo& artifact, const InterruptScope& interrupt,
                     Console& console) const {
    ProgressDisplay display(console);
    DownloadOptions options;
    options.cancellation = interrupt.token();
    int64_t fetched = 0;
    options.on_progress = [&](const std::string& path, int64_t done, int64_t total) {
      v1::Event event;
      v1::Progress& progress = *event.mutable_progress();
      progress.set_stage(artifact.name());
      progress.set_fraction(static_cast<double>(fetched + done) / std::max<int64_t>(1, artifact.bytes()));
      progress.set_eta_seconds(-1);
      progress.set_detail(path);
      if (done == total) fetched += total;
      display.Emit(event);
    };
    for (const v1::ArtifactInfo::File& file : artifact.files()) {
      TERSOR_ASSIGN_OR_RETURN(bool new_bytes, client.Download(id_, file, Folder(), options));
      display.Say(absl::StrCat((Folder() / file.path()).string(), new_bytes ? "" : " (was there)"));
    }
    if (!console.json) console.Out() << (Folder() / artifact.path()).string() << std::endl;
    return absl::OkStatus();
  }

  std::string id_;
  std::string name_;
  std::string into_;
};

}  // namespace

std::unique_ptr<Command> NewDownloadCommand() { return std::make_unique<DownloadCommand>(); }

}  // namespace tersor::client
