#include "core/report/baseline_model_section.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/report/number_text.h"
#include "core/report/task_sections.h"

namespace tersor {
namespace {

// Of the baseline model, in the report's order.
template <typename Results>
auto ResultsOf(const Results& results) {
  std::vector<typename Results::const_pointer> own;
  for (const auto& result : results) {
    if (result.subject() == kBaselineModelSubject) own.push_back(&result);
  }
  return own;
}

// Counts of words do not depend on who counts tokens.
bool CountsWords(const v1::Report& report, size_t index) {
  const auto& asked = report.recipe().evaluate().perplexity();
  return static_cast<int>(index) < asked.size() && asked[static_cast<int>(index)].convention() == "words";
}

void AddSizes(const v1::Report& report, ReportSection& section) {
  const v1::ModelInfo &model = report.model(), &baseline = report.baseline_model();
  const int64_t bytes = BaselineModelBytes(report);
  section.rows.push_back({"parameters", CountText(model.parameters()),
                          report.size().parameters() > 0 ? CountText(report.size().parameters()) : "",
                          CountText(baseline.parameters())});
  if (!report.has_size()) return;
  section.rows.push_back({"bytes (at 16 bits at most)", BytesText(report.size().dense_bytes()),
                          BytesText(report.size().artifact_bytes()), BytesText(bytes)});
  section.charts.push_back(
      {{baseline.name(), static_cast<double>(bytes), BytesText(bytes)},
       {"compressed", static_cast<double>(report.size().artifact_bytes()), BytesText(report.size().artifact_bytes())}});
}

// Whether a value was marked.
bool AddPerplexities(const v1::Report& report, ReportSection& section) {
  const std::vector<const v1::PerplexityResult*> own = ResultsOf(report.perplexity());
  const std::vector<PerplexityRow> rows = PerplexityRows(report);
  bool marked = false;
  for (size_t i = 0; i < own.size() && i < rows.size(); ++i) {
    const auto text = [](const v1::PerplexityResult* result) {
      return result == nullptr ? std::string() : FigureText(result->value());
    };
    const bool comparable = own[i]->hash() == rows[i].any().hash() || CountsWords(report, i);
    marked |= !comparable;
    section.rows.push_back({absl::StrCat("perplexity ", own[i]->dataset(), ", ", own[i]->protocol()),
                            text(rows[i].dense), text(rows[i].compressed),
                            absl::StrCat(text(own[i]), comparable ? "" : " *")});
  }
  return marked;
}

void AddTasks(const v1::Report& report, ReportSection& section) {
  const std::vector<const v1::TaskResult*> own = ResultsOf(report.tasks());
  const std::vector<TaskRow> rows = TaskRows(report);
  for (size_t i = 0; i < own.size() && i < rows.size(); ++i) {
    const auto text = [](const v1::TaskResult* result) {
      return result == nullptr || result->metrics().empty() ? std::string() : MetricText(result->metrics(0));
    };
    const std::string metric = own[i]->metrics().empty() ? "" : own[i]->metrics(0).name();
    section.rows.push_back({absl::StrCat(TaskLabelOf(report, own[i]->task(), rows[i].any().hash()), " ", metric, ", ",
                                         own[i]->items_size(), " items"),
                            text(rows[i].dense), text(rows[i].compressed), text(own[i])});
  }
}

// A row, where the baseline model has the figure.
template <typename Find, typename Text>
void AddFigure(const std::string& label, const Find& find, const Text& text, ReportSection& section) {
  std::vector<std::string> row = {label};
  for (const absl::string_view subject : {kDenseSubject, kCompressedSubject, kBaselineModelSubject}) {
    const auto* result = find(subject);
    row.push_back(result == nullptr ? std::string() : text(*result));
  }
  if (!row.back().empty()) section.rows.push_back(std::move(row));
}

void AddMemory(const v1::Report& report, ReportSection& section) {
  AddFigure(
      "weights in memory, measured", [&](absl::string_view subject) { return FindWeightMemory(report, subject); },
      [](const v1::WeightMemory& memory) {
        return memory.measured_bytes() > 0 ? BytesText(memory.measured_bytes()) : std::string();
      },
      section);
}

void AddSpeeds(const v1::Report& report, ReportSection& section) {
  for (const char* kind : {"prefill", "decode"}) {
    const auto find = [&](absl::string_view subject) -> const v1::PerformanceResult* {
      for (const v1::PerformanceResult& result : report.performance()) {
        if (result.subject() == subject && result.kind() == kind) return &result;
      }
      return nullptr;
    };
    AddFigure(
        absl::StrCat(kind, " tokens/s"), find,
        [](const v1::PerformanceResult& result) {
          return absl::StrCat(FigureText(result.tokens_per_second(), 3), " (",
                              FigureText(result.tokens_per_second_min(), 3), "-",
                              FigureText(result.tokens_per_second_max(), 3), ")");
        },
        section);
    if (absl::string_view(kind) == "prefill") continue;
    AddFigure(
        "decode latency p99", find,
        [](const v1::PerformanceResult& result) {
          return result.latency_p99() > 0 ? absl::StrCat(FigureText(1e3 * result.latency_p99(), 3), " ms") : "";
        },
        section);
  }
}

}  // namespace

ReportSection BaselineModelSection(const v1::Report& report) {
  ReportSection section{.title = "Beside a smaller dense model",
                        .columns = {{"measure"}, {"dense", true}, {"compressed", true}, {"baseline model", true}}};
  if (!report.has_baseline_model()) return section;
  AddSizes(report, section);
  const bool marked = AddPerplexities(report, section);
  AddTasks(report, section);
  AddMemory(report, section);
  AddSpeeds(report, section);
  section.note =
      absl::StrCat("Baseline model: ", report.baseline_model().name(), ", ", report.baseline_model().path(), ".");
  if (marked) {
    section.note +=
        " * per token of another tokenizer: no measure against the perplexities beside it, unlike tasks and "
        "perplexities "
        "per word.";
  }
  return section;
}

}  // namespace tersor
