#include <algorithm>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cli/report_source.h"
#include "client/cpp/report_client.h"
#include "core/base/atomic_file.h"
#include "core/compare/comparison.h"
#include "core/compare/report_side.h"
#include "core/compare/sweep_points.h"
#include "core/report/comparison_format.h"
#include "core/report/report_format.h"

namespace tersor::client {
namespace {

constexpr char kFooter[] =
    R"(A report is a job's id, a report.json or a folder of `tersor run` that holds one. Reports that were measured under
different protocols are refused unless --force is given. A sweep stands for its points.

Examples:
  tersor compare job-1 job-2                              a table, Pareto fronts, paired changes
  tersor compare sweep-1 --format markdown                a row a point of the sweep
  tersor compare tersor-out/*/ --format html --into out.html
  tersor compare a/report.json b/report.json --format markdown   for a pull request's comment
  tersor compare job-1 job-2 --format csv                 a row a number; jsonl likewise
  tersor compare job-1 --format lm-eval --into results    results/MODEL/results_JOB.json for lm-eval's viewers)";

// A part of a path that any file system takes.
std::string FileName(const std::string& name) {
  std::string file;
  for (char c : name) file += absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' ? c : '-';
  return file.empty() || file[0] == '.' ? "report" + file : file;
}

class CompareCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("compare", "Several reports side by side: quality, size, speed, Pareto fronts");
    app.Positionals("reports", names_, "Jobs' ids, report.json files or folders with one", "JOB|FILE...");
    app.Choice("--format", format_, "How to show it; default: table",
               {"table", "json", "markdown", "csv", "jsonl", "lm-eval", "html"});
    app.Option("--into", into_, "Write to this file; for lm-eval: to files in this folder", "PATH");
    app.Flag("--force", force_, "Compare figures of different protocols all the same, with warnings");
    app.Option("--confidence", confidence_, "Of the intervals; default 0.95", 0.5, 0.9999);
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer(kFooter);
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    if (names_.empty()) return console.Fail(kExitUsage, "name at least one report");
    const std::string format = !format_.empty() ? format_ : console.json ? "json" : "table";
    if (format == "lm-eval") return WriteLmEval(common, console);
    absl::StatusOr<v1::ReportComparison> comparison = Compare(common);
    if (!comparison.ok()) return console.Fail(comparison.status());
    for (const v1::Warning& warning : comparison->warnings()) {
      console.Note(absl::StrCat("warning ", warning.code(), ": ", warning.message()));
    }
    const std::string text = Format(*comparison, format, console.width);
    if (into_.empty()) {
      console.Out() << text << std::flush;
      return kExitPassed;
    }
    if (absl::Status written = WriteFileAtomically(into_, text); !written.ok()) return console.Fail(written);
    console.Note(absl::StrCat("written: ", into_));
    return kExitPassed;
  }

 private:
  static std::string Format(const v1::ReportComparison& comparison, const std::string& format, int width) {
    if (format == "json") return absl::StrCat(MessageToJson(comparison), "\n");
    if (format == "markdown") return ComparisonToMarkdown(comparison);
    if (format == "csv") return ComparisonToCsv(comparison);
    if (format == "jsonl") return ComparisonToJsonLines(comparison);
    if (format == "html") return ComparisonToHtml(comparison);
    return ComparisonToTable(comparison, width);
  }

  // Jobs alone are compared where they lie: reports can be large.
  absl::StatusOr<v1::ReportComparison> Compare(const CommonOptions& common) const {
    if (std::none_of(names_.begin(), names_.end(), NamesReportFile)) {
      TERSOR_ASSIGN_OR_RETURN(const Connection connection, Connect(common));
      v1::CompareReportsRequest request;
      for (const std::string& name : names_) request.add_job_ids(name);
      request.set_force(force_);
      request.set_confidence(confidence_);
      return CompareReports(connection, request);
    }
    TERSOR_ASSIGN_OR_RETURN(const ComparedReports compared, Load(common));
    return tersor::CompareReports(compared.reports,
                                  {.force = force_, .confidence = confidence_, .warnings = compared.warnings});
  }

  // Sweeps by their points.
  absl::StatusOr<ComparedReports> Load(const CommonOptions& common) const {
    ComparedReports compared;
    const bool several = names_.size() > 1;
    for (const std::string& name : names_) {
      if (NamesReportFile(name)) {
        TERSOR_ASSIGN_OR_RETURN(v1::Report report, ReadReportFile(name));
        const std::string short_name = ShortName(name, report);
        TERSOR_RETURN_IF_ERROR(AddCompared(
            {short_name, std::move(report)}, several,
            [&](const std::string& point) { return ReadPointReport(name, point); }, compared));
        continue;
      }
      TERSOR_ASSIGN_OR_RETURN(const Connection connection, Connect(common));
      TERSOR_ASSIGN_OR_RETURN(v1::Report report, GetReport(connection, name));
      TERSOR_RETURN_IF_ERROR(AddCompared(
          {name, std::move(report)}, several, [&](const std::string& point) { return GetReport(connection, point); },
          compared));
    }
    return compared;
  }

  // The job's id, or the last part of the path that says something.
  static std::string ShortName(const std::string& name, const v1::Report& report) {
    if (!report.job_id().empty()) return report.job_id();
    for (std::filesystem::path path = std::filesystem::path(name).lexically_normal(); !path.empty();) {
      const std::string part = path.filename().string();
      if (!part.empty() && part != "report.json" && part != "artifacts" && part != ".") {
        return path.extension() == ".json" ? path.stem().string() : part;
      }
      const std::filesystem::path parent = path.parent_path();
      if (parent == path) break;
      path = parent;
    }
    return name;
  }

  int WriteLmEval(const CommonOptions& common, Console& console) const {
    if (into_.empty()) return console.Fail(kExitUsage, "--format lm-eval writes files: name a folder with --into");
    absl::StatusOr<ComparedReports> compared = Load(common);
    if (!compared.ok()) return console.Fail(compared.status());
    std::set<std::filesystem::path> written;
    for (const NamedReport& named : compared->reports) {
      for (const absl::string_view subject : {kDenseSubject, kCompressedSubject, kBaselineModelSubject}) {
        if (subject == kCompressedSubject && ResultSide(named.report).subject != subject) continue;
        if (subject == kBaselineModelSubject && !named.report.has_baseline_model()) continue;
        const std::string model = FileName(LmEvalModelName(named.report, subject));
        const std::filesystem::path file =
            std::filesystem::path(into_) / model / absl::StrCat("results_", FileName(named.name), ".json");
        if (!written.insert(file).second)
          return console.Fail(kExitUsage, absl::StrCat("two reports are called ", named.name));
        std::error_code error;
        std::filesystem::create_directories(file.parent_path(), error);
        absl::Status status = WriteFileAtomically(file, ReportToLmEval(named.report, std::string(subject)));
        if (!status.ok()) return console.Fail(status);
        console.Note(absl::StrCat("written: ", file.string()));
      }
    }
    return kExitPassed;
  }

  std::vector<std::string> names_;
  std::string format_;
  std::string into_;
  bool force_ = false;
  double confidence_ = 0.95;
};

}  // namespace

std::unique_ptr<Command> NewCompareCommand() { return std::make_unique<CompareCommand>(); }

}  // namespace tersor::client
