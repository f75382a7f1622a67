#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/model_answer.h"
#include "client/cli/progress_display.h"
#include "client/cli/remote.h"
#include "client/cpp/model_upload.h"

namespace tersor::client {
namespace {

// "models/smollm2/" -> "smollm2", "a/model.gguf" -> "model".
std::string DefaultName(const std::string& path) {
  std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (normal.filename().empty()) normal = normal.parent_path();
  return normal.extension() == ".gguf" ? normal.stem().string() : normal.filename().string();
}

v1::Event ToEvent(const UploadProgress& upload) {
  v1::Event event;
  v1::Progress& progress = *event.mutable_progress();
  progress.set_stage(upload.phase == UploadProgress::Phase::kHashing ? "hash" : "send");
  progress.set_fraction(static_cast<double>(upload.done_bytes) / std::max<int64_t>(1, upload.total_bytes));
  progress.set_done(upload.done_bytes / 1000000);
  progress.set_total(upload.total_bytes / 1000000);
  progress.set_unit("MB");
  progress.set_eta_seconds(-1);
  progress.set_detail(upload.file);
  return event;
}

class ModelsPushCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("push", "Send a model from this machine to the server");
    app.Positional("path", path_, "A folder in Hugging Face's layout or a .gguf file", "PATH", true);
    app.Option("--name", name_, "Name for recipes; default: the path's last part", "NAME");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer(
        "Files are known by their SHA-256: what the server has is not sent again, and a transfer that broke off\n"
        "goes on where it was.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    if (absl::Status status = CheckIsModel(path_); !status.ok()) return console.Fail(status);
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    InterruptScope interrupt;
    absl::StatusOr<v1::Model> model = absl::UnknownError("not sent");
    {
      ProgressDisplay display(console);
      UploadOptions options;
      options.cancellation = interrupt.token();
      options.on_progress = [&](const UploadProgress& upload) { display.Emit(ToEvent(upload)); };
      model = UploadModel(ModelClient(*connection), path_, name_.empty() ? DefaultName(path_) : name_, options);
    }
    if (interrupt.interrupted()) {
      console.Note("interrupted; start the same command again to go on");
      return interrupt.exit_code();
    }
    return PrintRegistered(model, console);
  }

 private:
  std::string path_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> NewModelsPushCommand() { return std::make_unique<ModelsPushCommand>(); }

}  // namespace tersor::client
