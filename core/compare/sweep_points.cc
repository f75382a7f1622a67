#include "core/compare/sweep_points.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/warning.h"

namespace tersor {
namespace {

using Point = v1::SweepResult::Point;

// The sweep before the point where that is not clear.
std::string NameOf(const Point& point, const std::string& sweep, bool several) {
  const std::string& name = point.name().empty() ? point.job_id() : point.name();
  return several ? absl::StrCat(sweep, " ", name) : name;
}

absl::Status CheckCount(const NamedReport& named, size_t points, const ComparedReports& compared) {
  const size_t count = compared.reports.size() + points;
  if (count <= kMaxComparedReports) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("with the ", points, " points of sweep ", named.name, " there are ",
                                                 count, " reports to compare; at most ", kMaxComparedReports,
                                                 ": name some of its points' jobs instead"));
}

void WarnOfMissing(const std::string& sweep, const std::vector<std::string>& missing, ComparedReports& compared) {
  if (missing.empty()) return;
  compared.warnings.push_back(
      MakeWarning("SWEEP_POINTS_LEFT_OUT",
                  absl::StrCat("of sweep ", sweep, ": without a result are ", absl::StrJoin(missing, ", "))));
}

}  // namespace

absl::Status AddCompared(NamedReport named, bool several, const FindPointReport& find, ComparedReports& compared) {
  if (!named.report.has_sweep()) {
    TERSOR_RETURN_IF_ERROR(CheckCount(named, 0, compared));
    compared.reports.push_back(std::move(named));
    return absl::OkStatus();
  }
  const auto& points = named.report.sweep().points();
  const auto has_result = [](const Point& point) { return point.error().empty(); };
  const auto with_results = static_cast<size_t>(std::count_if(points.begin(), points.end(), has_result));
  if (with_results == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("sweep ", named.name, " has no point with a result: there is nothing to compare"));
  }
  TERSOR_RETURN_IF_ERROR(CheckCount(named, with_results, compared));
  std::vector<std::string> missing;
  for (const Point& point : points) {
    if (!has_result(point)) {
      missing.push_back(point.name());
      continue;
    }
    absl::StatusOr<v1::Report> report = find(point.job_id());
    if (!report.ok()) {
      return absl::Status(report.status().code(), absl::StrCat("point \"", point.name(), "\" of sweep ", named.name,
                                                               ": ", report.status().message()));
    }
    compared.reports.push_back({NameOf(point, named.name, several), *std::move(report), named.name});
  }
  WarnOfMissing(named.name, missing, compared);
  return absl::OkStatus();
}

}  // namespace tersor
