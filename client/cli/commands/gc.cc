#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/duration_flag.h"
#include "client/cli/remote.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

class GcCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("gc", "Remove old artifacts, checkpoints and uploads from the server");
    app.Option("--max-age", max_age_, "Remove what is older; default: the server's 30d", "TIME");
    app.Option("--max-bytes", max_bytes_, "Remove oldest first until no more is kept", "BYTES");
    app.Flag("--dry-run", dry_run_, "Only say what would be removed");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Example:\n  tersor gc --max-age 7d --max-bytes 50GB --dry-run");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<v1::CollectGarbageRequest> request = MakeRequest();
    if (!request.ok()) return console.Fail(request.status());
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    absl::StatusOr<v1::CollectGarbageResponse> response = JobClient(*connection).CollectGarbage(*request);
    if (!response.ok()) return console.Fail(response.status());
    if (console.json) {
      console.Json(*response);
    } else {
      Print(*response, console);
    }
    return kExitPassed;
  }

 private:
  absl::StatusOr<v1::CollectGarbageRequest> MakeRequest() const {
    v1::CollectGarbageRequest request;
    request.set_dry_run(dry_run_);
    if (!max_age_.empty()) {
      TERSOR_ASSIGN_OR_RETURN(absl::Duration age, ParseDuration(max_age_, "--max-age"));
      // 0 would be the server's default.
      request.set_max_age_seconds(std::max<int64_t>(1, absl::ToInt64Seconds(age)));
    }
    if (!max_bytes_.empty()) {
      TERSOR_ASSIGN_OR_RETURN(int64_t bytes, ParseBytes(max_bytes_, "--max-bytes"));
      request.set_max_bytes(std::max<int64_t>(1, bytes));
    }
    return request;
  }

  void Print(const v1::CollectGarbageResponse& response, Console& console) const {
    ReportSection section{.columns = {{"kind"}, {"size", true}, {"age", true}, {"path"}}};
    for (const auto& item : response.items()) {
      section.rows.push_back(
          {item.kind(), BytesText(item.bytes()), absl::StrCat(item.age_seconds() / 86400, " d"), item.path()});
    }
    if (!section.rows.empty()) console.Out() << TextTable(section, console.width);
    console.Out() << (dry_run_ ? "would free " : "freed ") << BytesText(response.bytes()) << std::endl;
  }

  std::string max_age_;
  std::string max_bytes_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> NewGcCommand() { return std::make_unique<GcCommand>(); }

}  // namespace tersor::client
