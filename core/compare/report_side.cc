#include "core/compare/report_side.h"

#include <algorithm>

namespace tersor {
namespace {

template <typename Results>
bool HasSubject(const Results& results, absl::string_view subject) {
  return std::any_of(results.begin(), results.end(), [&](const auto& result) { return result.subject() == subject; });
}

}  // namespace

const v1::PerplexityResult* ReportSide::Perplexity(absl::string_view hash) const {
  for (const v1::PerplexityResult& result : report->perplexity()) {
    if (result.subject() == subject && result.hash() == hash) return &result;
  }
  return nullptr;
}

const v1::TaskResult* ReportSide::Task(absl::string_view task, absl::string_view hash) const {
  const v1::TaskResult* first = nullptr;
  for (const v1::TaskResult& result : report->tasks()) {
    if (result.subject() != subject || result.task() != task) continue;
    if (result.hash() == hash) return &result;
    if (first == nullptr) first = &result;
  }
  return first;
}

ReportSide ResultSide(const v1::Report& report) {
  const bool compressed = report.recipe().stages_size() > 0 || HasSubject(report.perplexity(), kCompressedSubject) ||
                          HasSubject(report.tasks(), kCompressedSubject) ||
                          HasSubject(report.performance(), kCompressedSubject);
  return {&report, compressed ? kCompressedSubject : kDenseSubject};
}

ReportSide DenseSide(const v1::Report& report) { return {&report, kDenseSubject}; }

ReportSide BaselineModelSide(const v1::Report& report) { return {&report, kBaselineModelSubject}; }

int64_t BaselineModelBytes(const v1::Report& report) {
  const v1::ModelInfo& model = report.baseline_model();
  const int64_t whole = 2 * model.parameters();
  return model.source_bytes() > 0 ? std::min(model.source_bytes(), whole) : whole;
}

const v1::WeightMemory* FindWeightMemory(const v1::Report& report, absl::string_view subject) {
  for (const v1::WeightMemory& memory : report.weight_memory()) {
    if (memory.subject() == subject) return &memory;
  }
  return nullptr;
}

const v1::TaskResult::Metric* FindMetric(const v1::TaskResult& task, absl::string_view name) {
  for (const v1::TaskResult::Metric& metric : task.metrics()) {
    if (name.empty() || metric.name() == name) return &metric;
  }
  return nullptr;
}

}  // namespace tersor
