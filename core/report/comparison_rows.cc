// A row a number, for programs.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/compare/report_names.h"
#include "core/report/comparison_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::ordered_json;

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string KindName(v1::FigureKind kind) {
  switch (kind) {
    case v1::FIGURE_KIND_QUALITY:
      return "quality";
    case v1::FIGURE_KIND_SIZE:
      return "size";
    case v1::FIGURE_KIND_SPEED:
      return "speed";
    default:
      return "";
  }
}

Json Row(const v1::ComparedModel& model, const v1::ComparedFigure& figure, const v1::ComparedModel::Value& value) {
  const bool change = value.has_change_interval();
  return Json{{"model", model.label()},
              {"job_id", model.job_id()},
              {"dense", model.dense()},
              {"figure", figure.name()},
              {"kind", KindName(figure.kind())},
              {"value", Number(value.value())},
              {"standard_error", value.has_standard_error() ? Number(value.standard_error()) : Json(nullptr)},
              {"change", change ? Number(value.change()) : Json(nullptr)},
              {"low", change ? Number(value.change_interval().low()) : Json(nullptr)},
              {"high", change ? Number(value.change_interval().high()) : Json(nullptr)},
              {"confidence", change ? Number(value.change_interval().confidence()) : Json(nullptr)},
              {"hash", figure.hash()},
              {"baseline_model", model.baseline_model()},
              {"labels", LabelsText(model.labels())},
              {"sweep", model.sweep()}};
}

std::vector<Json> Rows(const v1::ReportComparison& comparison) {
  std::vector<Json> rows;
  for (const v1::ComparedModel& model : comparison.models()) {
    for (int i = 0; i < model.values_size(); ++i) {
      if (model.values(i).measured()) rows.push_back(Row(model, comparison.figures(i), model.values(i)));
    }
  }
  return rows;
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
std::string CsvCell(const Json& json) {
  if (json.is_null()) return "";
  if (!json.is_string()) return Dump(json);
  std::string text = json.get<std::string>();
  if (!text.empty() && absl::string_view("=+-@\t\r").find(text[0]) != absl::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string ComparisonToCsv(const v1::ReportComparison& comparison) {
  std::string csv =
      "model,job_id,dense,figure,kind,value,standard_error,change,low,high,confidence,hash,baseline_model,labels,"
      "sweep\n";
  for (const Json& row : Rows(comparison)) {
    std::vector<std::string> cells;
    for (const auto& [key, value] : row.items()) cells.push_back(CsvCell(value));
    absl::StrAppend(&csv, absl::StrJoin(cells, ","), "\n");
  }
  return csv;
}

std::string ComparisonToJsonLines(const v1::ReportComparison& comparison) {
  std::string lines;
  for (const Json& row : Rows(comparison)) absl::StrAppend(&lines, Dump(row), "\n");
  return lines;
}

}  // namespace tersor
