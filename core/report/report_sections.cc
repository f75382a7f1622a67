#include "core/report/report_sections.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/perplexity_error.h"
#include "core/compare/report_names.h"
#include "core/compare/report_side.h"
#include "core/report/baseline_model_section.h"
#include "core/report/efficiency_sections.h"
#include "core/report/insight_sections.h"
#include "core/report/number_text.h"
#include "core/report/sweep_section.h"
#include "core/report/task_sections.h"
#include "core/report/verdict_sentence.h"

namespace tersor {
namespace {

ReportSection ModelSection(const v1::Report& report) {
  ReportSection section{.title = "Model", .columns = {{""}, {""}}};
  const v1::ModelInfo& model = report.model();
  const auto row = [&](absl::string_view key, std::string value) {
    if (!value.empty()) section.rows.push_back({std::string(key), std::move(value)});
  };
  if (report.has_sweep()) {
    section.title = "Job";
    row("what", SweepTitle(report));
    row("job", report.job_id());
    row("labels", LabelsText(report.labels()));
    return section;
  }
  if (!report.has_model()) return section;
  row("name", model.name());
  row("architecture", absl::StrCat(model.architecture(), ", ", CountText(model.parameters()), " parameters"));
  row("source", absl::StrCat(model.path(), " (", model.format(), ", ", BytesText(model.source_bytes()), ")"));
  row("sha256", model.sha256());
  row("job", report.job_id());
  row("labels", LabelsText(report.labels()));
  row("answered from", report.cached_from().empty() ? "" : absl::StrCat("job ", report.cached_from()));
  row("description", report.recipe().description());
  if (report.has_environment()) {
    const v1::Environment& environment = report.environment();
    row("computed on", absl::StrCat(environment.cpu(), ", ", environment.isa(), ", oneDNN ", environment.onednn(), ", ",
                                    environment.threads(), environment.threads() == 1 ? " thread" : " threads"));
  }
  row("tersor", report.tersor_version());
  return section;
}

ReportSection SizeSection(const v1::Report& report) {
  ReportSection section{.title = "Size", .columns = {{""}, {"bytes", true}, {"ratio", true}, {"in memory", true}}};
  if (!report.has_size()) return section;
  const v1::SizeResult& size = report.size();
  const auto memory = [](int64_t bytes) { return bytes > 0 ? BytesText(bytes) : std::string(); };
  section.rows = {
      {"dense, 16 bits per parameter", BytesText(size.dense_bytes()), "", memory(size.dense_memory_bytes())},
      {"source file", BytesText(size.source_bytes()), "", ""},
      {"compressed (Tersor container)", BytesText(size.artifact_bytes()), RatioText(size.ratio()),
       memory(size.memory_bytes())},
      {"blocks alone", "", RatioText(size.blocks_ratio()), ""}};
  section.note =
      absl::StrCat(FigureText(size.true_bits()), " bits per weight in the compressed layers, scales included.");
  if (size.memory_bytes() > 0) section.note += " In memory: what generation keeps for the weights.";
  if (size.parameters() > 0 && size.parameters() != size.dense_parameters()) {
    absl::StrAppend(&section.note, " ", CountText(size.parameters()), " of ", CountText(size.dense_parameters()),
                    " parameters are left.");
  }
  section.charts = {{{"dense, 16 bits", static_cast<double>(size.dense_bytes()), BytesText(size.dense_bytes())},
                     {"source file", static_cast<double>(size.source_bytes()), BytesText(size.source_bytes())},
                     {"compressed", static_cast<double>(size.artifact_bytes()), BytesText(size.artifact_bytes())}}};
  return section;
}

ReportSection CacheSection(const v1::Report& report) {
  ReportSection section{
      .title = "KV cache",
      .columns = {{"stored as"}, {"bytes per token", true}, {"dense", true}, {"outweighs the weights from", true}}};
  if (!report.has_kv_cache()) return section;
  const v1::KvCacheResult& cache = report.kv_cache();
  section.rows = {{cache.format(), BytesText(cache.bytes_per_token()), BytesText(cache.dense_bytes_per_token()),
                   absl::StrCat(cache.outweighs_weights_from_tokens(), " tokens")}};
  return section;
}

ReportSection PerplexitySection(const v1::Report& report) {
  ReportSection section{
      .title = "Perplexity",
      .columns = {{"text"}, {"dense", true}, {"compressed", true}, {"ratio", true}, {"tokens/s", true}, {"protocol"}}};
  for (const PerplexityRow& row : PerplexityRows(report)) {
    const auto value = [](const v1::PerplexityResult* result) {
      return result == nullptr ? std::string() : FigureText(result->value());
    };
    const auto with_error = [&](const v1::PerplexityResult* result) {
      const std::optional<double> error = result == nullptr ? std::nullopt : PerplexityStandardError(*result);
      if (error.has_value()) section.note = "With the standard error over the text's runs of about 256 tokens.";
      return error.has_value() ? absl::StrCat(value(result), " \u00b1", FigureText(*error, 2)) : value(result);
    };
    const double rate = row.any().tokens_per_second();
    section.rows.push_back({row.any().dataset(), with_error(row.dense), with_error(row.compressed),
                            row.both() ? RatioText(row.ratio()) : "", rate > 0 ? FigureText(rate, 3) : "",
                            absl::StrCat(row.any().protocol(), " [", row.any().hash().substr(0, 12), "]")});
    if (row.both()) {
      section.charts.push_back(
          {{"dense", row.dense->value(), absl::StrCat(value(row.dense), "  ", row.any().dataset())},
           {"compressed", row.compressed->value(), value(row.compressed)}});
    }
  }
  return section;
}

std::string IntervalText(const v1::Interval& interval) {
  return absl::StrCat(FigureText(interval.low(), 3), " to ", FigureText(interval.high(), 3));
}

std::string ConfidenceText(double confidence) { return absl::StrCat(FigureText(100 * confidence, 4), " %"); }

// Dense against compressed on the same items and the same text.
ReportSection PairedSection(const v1::Report& report) {
  ReportSection section{.title = "Paired with the dense model",
                        .columns = {{"measure"},
                                    {"dense", true},
                                    {"compressed", true},
                                    {"change", true},
                                    {"interval", true},
                                    {"lost", true},
                                    {"won", true},
                                    {"p", true},
                                    {"over"}}};
  double confidence = 0;
  for (const v1::TaskComparison& task : report.task_comparisons()) {
    const bool flips = task.right_or_wrong();
    section.rows.push_back({absl::StrCat(TaskLabelOf(report, task.task(), task.hash()), " ", task.metric()),
                            FigureText(task.before(), 3), FigureText(task.after(), 3),
                            absl::StrCat("drop ", FigureText(task.drop(), 3)), IntervalText(task.interval()),
                            flips ? absl::StrCat(task.lost()) : "", flips ? absl::StrCat(task.won()) : "",
                            flips ? FigureText(task.mcnemar_p(), 2) : "", absl::StrCat(task.items(), " items")});
    confidence = task.interval().confidence();
  }
  for (const v1::PerplexityComparison& perplexity : report.perplexity_comparisons()) {
    section.rows.push_back({absl::StrCat("perplexity ", perplexity.dataset()), "", "",
                            absl::StrCat("x", FigureText(perplexity.ratio())), IntervalText(perplexity.interval()), "",
                            "", "", absl::StrCat(perplexity.blocks(), " blocks of text")});
    confidence = perplexity.interval().confidence();
  }
  if (!section.rows.empty()) {
    section.note = absl::StrCat(ConfidenceText(confidence),
                                " intervals. Lost: items right before and wrong after; won: the reverse; p: McNemar's "
                                "exact test of lost against won.");
  }
  return section;
}

ReportSection DivergenceSection(const v1::Report& report) {
  ReportSection section{.title = "Divergence from the dense model",
                        .columns = {{"KL mean", true},
                                    {"p50", true},
                                    {"p99", true},
                                    {"max", true},
                                    {"same top-1", true},
                                    {"probability loyalty", true},
                                    {"tokens", true},
                                    {"protocol"}}};
  if (!report.has_divergence()) return section;
  const v1::DivergenceResult& divergence = report.divergence();
  section.rows = {{FigureText(divergence.kl_mean()), FigureText(divergence.kl_p50()), FigureText(divergence.kl_p99()),
                   FigureText(divergence.kl_max()), PercentText(divergence.top1_agreement()),
                   PercentText(divergence.probability_loyalty()), absl::StrCat(divergence.tokens()),
                   divergence.protocol()}};
  section.note =
      "KL(dense || compressed) in nats per token, exact over the vocabulary. Probability loyalty: the mean of 1 - "
      "sqrt(Jensen-Shannon divergence in nats).";
  if (divergence.has_kl_mean_interval()) {
    absl::StrAppend(&section.note, " ", ConfidenceText(divergence.kl_mean_interval().confidence()), " intervals over ",
                    divergence.blocks(), " blocks of text: mean ", IntervalText(divergence.kl_mean_interval()),
                    ", p50 ", IntervalText(divergence.kl_p50_interval()), ", p99 ",
                    IntervalText(divergence.kl_p99_interval()), ", same top-1 ",
                    IntervalText(divergence.top1_agreement_interval()), ".");
  }
  return section;
}

ReportSection GatesSection(const v1::Report& report) {
  ReportSection section{.title = "Gates",
                        .columns = {{"gate"}, {"value", true}, {"interval", true}, {"outcome"}, {"reason"}},
                        .code = true};
  for (const v1::GateResult& gate : report.gates()) {
    section.rows.push_back({gate.expression(), FigureText(gate.value()),
                            gate.has_interval() ? IntervalText(gate.interval()) : "",
                            std::string(OutcomeWord(gate.outcome())), gate.reason()});
  }
  return section;
}

// "128 items", "64 blocks of text in 8 windows".
std::string LookText(const v1::GateResult& gate, const v1::GateResult::Look& look) {
  const std::string count = absl::StrCat(look.count(), " ", gate.unit());
  return look.windows() > 0 ? absl::StrCat(count, " in ", look.windows(), " windows") : count;
}

// Of the gates whose evaluation went on with more items or windows.
ReportSection LooksSection(const v1::Report& report) {
  ReportSection section{
      .title = "Looks",
      .columns = {{"gate"}, {"over", true}, {"value", true}, {"interval", true}, {"confidence", true}, {"outcome"}},
      .code = true};
  for (const v1::GateResult& gate : report.gates()) {
    if (gate.looks_size() < 2) continue;
    for (int i = 0; i < gate.looks_size(); ++i) {
      const v1::GateResult::Look& look = gate.looks(i);
      section.rows.push_back({i == 0 ? gate.expression() : "", LookText(gate, look), FigureText(look.value()),
                              IntervalText(look.interval()), ConfidenceText(look.interval().confidence()),
                              std::string(OutcomeWord(look.outcome()))});
    }
  }
  if (!section.rows.empty()) {
    section.note = "Each look spends a part of the gate's error rate, so that all of them together keep it.";
    for (const v1::PerplexityResult& result : report.perplexity()) {
      if (result.looks() == 0 || result.subject() != kCompressedSubject) continue;
      absl::StrAppend(&section.note, " ", result.dataset(), ": ", result.windows_size(), " of ",
                      result.available_windows(), " windows in ", result.looks(), " looks.");
    }
  }
  return section;
}

ReportSection WarningsSection(const v1::Report& report) {
  ReportSection section{.title = "Warnings", .columns = {{"code"}, {"where"}, {"message"}}, .code = true};
  for (const v1::Warning& warning : report.warnings()) {
    section.rows.push_back({warning.code(), warning.where(), warning.message()});
  }
  return section;
}

// Empty where a figure says nothing.
std::string Unless0(double value) { return value == 0 ? "" : FigureText(value, 3); }

ReportSection LayersSection(const v1::Report& report, bool all) {
  ReportSection section{.title = "Layers",
                        .columns = {{"layer"},
                                    {"encoding"},
                                    {"bits", true},
                                    {"relative error", true},
                                    {"damping", true},
                                    {"dead inputs", true},
                                    {"kept beside the codes", true},
                                    {"note"}},
                        .code = true};
  const v1::LayerResult* worst = nullptr;
  for (const v1::LayerResult& layer : report.layers()) {
    if (worst == nullptr || layer.relative_error() > worst->relative_error()) worst = &layer;
    if (!all && layer.note().empty()) continue;
    const std::string outliers =
        layer.outlier_share() == 0 ? "" : absl::StrCat(FigureText(100 * layer.outlier_share(), 3), "%");
    section.rows.push_back({layer.name(), layer.encoding(), FigureText(layer.true_bits(), 3),
                            FigureText(layer.relative_error(), 3), Unless0(layer.damping()),
                            layer.dead_columns() == 0 ? "" : absl::StrCat(layer.dead_columns()), outliers,
                            layer.note()});
  }
  if (worst != nullptr) {
    section.note = absl::StrCat(report.layers_size(), " layers; the largest relative error is ",
                                FigureText(worst->relative_error(), 3), " in ", worst->name(), ".");
  }
  return section;
}

ReportSection ArtifactsSection(const v1::Report& report) {
  ReportSection section{.title = "Files", .columns = {{"format"}, {"size", true}, {"path"}, {"checked"}}};
  for (const v1::ArtifactInfo& artifact : report.artifacts()) {
    section.rows.push_back({artifact.name(), BytesText(artifact.bytes()), artifact.path(), artifact.verification()});
  }
  return section;
}

}  // namespace

absl::string_view VerdictWord(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASS:
      return "PASS";
    case v1::VERDICT_FAIL:
      return "FAIL";
    case v1::VERDICT_INCONCLUSIVE:
      return "INCONCLUSIVE";
    default:
      return "NO VERDICT";
  }
}

absl::string_view OutcomeWord(v1::GateOutcome outcome) {
  switch (outcome) {
    case v1::GATE_OUTCOME_PASS:
      return "PASS";
    case v1::GATE_OUTCOME_FAIL:
      return "FAIL";
    case v1::GATE_OUTCOME_INCONCLUSIVE:
      return "INCONCLUSIVE";
    default:
      return "UNKNOWN";
  }
}

std::string ReportHeadline(const v1::Report& report) {
  return report.summary().empty() ? VerdictSentence(report) : report.summary();
}

std::vector<PerplexityRow> PerplexityRows(const v1::Report& report) {
  std::vector<PerplexityRow> rows;
  for (const v1::PerplexityResult& result : report.perplexity()) {
    // Has a section of its own.
    if (result.subject() == kBaselineModelSubject) continue;
    const bool dense = result.subject() == kDenseSubject;
    auto row = std::find_if(rows.begin(), rows.end(), [&](const PerplexityRow& other) {
      return other.any().hash() == result.hash() && (dense ? other.dense : other.compressed) == nullptr;
    });
    if (row == rows.end()) row = rows.insert(rows.end(), PerplexityRow{});
    (dense ? row->dense : row->compressed) = &result;
  }
  return rows;
}

std::vector<ReportSection> ReportSections(const v1::Report& report, const SectionOptions& options) {
  std::vector<ReportSection> sections;
  sections.push_back(ModelSection(report));
  sections.push_back(SweepSection(report));
  sections.push_back(SizeSection(report));
  sections.push_back(MemorySection(report));
  sections.push_back(CacheSection(report));
  sections.push_back(PerplexitySection(report));
  sections.push_back(PositionSection(report));
  sections.push_back(LossSplitSection(report));
  sections.push_back(DivergenceSection(report));
  sections.push_back(OverlapSection(report));
  sections.push_back(TasksSection(report));
  sections.push_back(AbilitiesSection(report));
  sections.push_back(TaskGroupsSection(report));
  sections.push_back(PairedSection(report));
  sections.push_back(BaselineModelSection(report));
  sections.push_back(SpeedSection(report));
  sections.push_back(GatesSection(report));
  sections.push_back(LooksSection(report));
  sections.push_back(WarningsSection(report));
  sections.push_back(LayersSection(report, options.all_layers));
  sections.push_back(StagesSection(report));
  sections.push_back(ArtifactsSection(report));
  std::erase_if(sections, [](const ReportSection& section) { return section.rows.empty() && section.note.empty(); });
  return sections;
}

}  // namespace tersor
