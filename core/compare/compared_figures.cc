#include "core/compare/compared_figures.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/quality_figures.h"

namespace tersor {
namespace {

using Value = FigureValue;

template <typename Read>
void AddPlain(FigureColumn column, Read read, std::vector<FigureColumn>& columns) {
  column.read = [read](const ComparedRow& row, const ComparedRow&, double) { return read(row); };
  columns.push_back(std::move(column));
}

void AddDivergence(std::vector<FigureColumn>& columns) {
  const auto add = [&](const char* name, const char* title, bool higher, const auto& read) {
    AddPlain(
        MakeColumn(name, title, v1::FIGURE_KIND_QUALITY, higher),
        [read](const ComparedRow& row) {
          if (row.kind != RowKind::kResult || !row.report().has_divergence()) return Value();
          return read(row.report().divergence());
        },
        columns);
  };
  using v1::DivergenceResult;
  const auto known = [](bool has, double error) { return has ? std::optional<double>(error) : std::nullopt; };
  add("kl_mean", "mean KL from the dense model, nats a token", false, [known](const DivergenceResult& result) {
    return MeasuredFigure(result.kl_mean(),
                          known(result.has_kl_mean_standard_error(), result.kl_mean_standard_error()));
  });
  add("kl_p99", "99th percentile of KL", false,
      [](const DivergenceResult& result) { return MeasuredFigure(result.kl_p99()); });
  add("top1_agreement", "same most likely token as the dense model", true, [known](const DivergenceResult& result) {
    return MeasuredFigure(result.top1_agreement(),
                          known(result.has_top1_agreement_standard_error(), result.top1_agreement_standard_error()));
  });
  add("probability_loyalty", "mean of 1 - sqrt(Jensen-Shannon divergence)", true,
      [known](const DivergenceResult& result) {
        // Reports of earlier versions have none.
        if (!(result.probability_loyalty() > 0)) return Value();
        return MeasuredFigure(result.probability_loyalty(), known(result.has_probability_loyalty_standard_error(),
                                                                  result.probability_loyalty_standard_error()));
      });
}

int64_t WeightBytes(const ComparedRow& row) {
  if (row.baseline_model()) return BaselineModelBytes(row.report());
  return row.dense() ? row.report().size().dense_bytes() : row.report().size().artifact_bytes();
}

int64_t MemoryBytes(const ComparedRow& row) {
  if (row.baseline_model()) {
    const v1::WeightMemory* memory = FindWeightMemory(row.report(), kBaselineModelSubject);
    return memory == nullptr ? 0 : memory->computed_bytes();
  }
  return row.dense() ? row.report().size().dense_memory_bytes() : row.report().size().memory_bytes();
}

int64_t MeasuredMemoryBytes(const ComparedRow& row) {
  for (const ReportSide& side : row.sides) {
    const v1::WeightMemory* memory = FindWeightMemory(*side.report, side.subject);
    if (memory != nullptr && memory->measured_bytes() > 0) return memory->measured_bytes();
  }
  return 0;
}

Value Bytes(int64_t bytes) { return bytes > 0 ? MeasuredFigure(static_cast<double>(bytes)) : Value(); }

void AddSizes(std::vector<FigureColumn>& columns) {
  AddPlain(
      MakeColumn("bytes", "bytes of the weights", v1::FIGURE_KIND_SIZE, false),
      [](const ComparedRow& row) { return Bytes(WeightBytes(row)); }, columns);
  AddPlain(
      MakeColumn("memory_bytes", "bytes of the weights in memory", v1::FIGURE_KIND_SIZE, false),
      [](const ComparedRow& row) { return Bytes(MemoryBytes(row)); }, columns);
  AddPlain(
      MakeColumn("measured_memory_bytes", "bytes of the weights in memory, measured, mapped tables apart",
                 v1::FIGURE_KIND_SIZE, false),
      [](const ComparedRow& row) { return Bytes(MeasuredMemoryBytes(row)); }, columns);
  AddPlain(
      MakeColumn("size_ratio", "dense bytes at 16 bits / bytes", v1::FIGURE_KIND_SIZE, true),
      [](const ComparedRow& row) {
        if (!row.report().has_size()) return Value();
        if (row.dense()) return MeasuredFigure(1);
        if (!row.baseline_model()) return MeasuredFigure(row.report().size().ratio());
        const int64_t bytes = WeightBytes(row), dense = row.report().size().dense_bytes();
        return bytes > 0 ? MeasuredFigure(static_cast<double>(dense) / static_cast<double>(bytes)) : Value();
      },
      columns);
}

const v1::PerformanceResult* Performance(const ComparedRow& row, absl::string_view kind) {
  for (const ReportSide& side : row.sides) {
    for (const v1::PerformanceResult& result : side.report->performance()) {
      if (result.subject() == side.subject && result.kind() == kind && result.tokens_per_second() > 0) return &result;
    }
  }
  return nullptr;
}

void AddSpeeds(std::vector<FigureColumn>& columns) {
  AddPlain(
      MakeColumn("decode_ms_per_token", "ms a decoded token", v1::FIGURE_KIND_SPEED, false),
      [](const ComparedRow& row) {
        const v1::PerformanceResult* decode = Performance(row, "decode");
        return decode == nullptr ? Value() : MeasuredFigure(1000 / decode->tokens_per_second());
      },
      columns);
  AddPlain(
      MakeColumn("prefill_tokens_per_second", "prefill tokens/s", v1::FIGURE_KIND_SPEED, true),
      [](const ComparedRow& row) {
        const v1::PerformanceResult* prefill = Performance(row, "prefill");
        return prefill == nullptr ? Value() : MeasuredFigure(prefill->tokens_per_second());
      },
      columns);
}

// What a row was measured under, by the name of the task or text: hashes, with the first one's protocol in words.
struct Measured {
  const ComparedRow* row = nullptr;
  std::set<std::string> hashes = {};
  std::string first = {};

  void Add(const std::string& hash, const std::string& words) {
    if (hashes.empty()) first = absl::StrCat(hash.substr(0, 12), words.empty() ? "" : absl::StrCat(" (", words, ")"));
    hashes.insert(hash);
  }
};
using Protocols = std::map<std::string, Measured>;

Protocols ProtocolsOf(const ComparedRow& row) {
  Protocols protocols;
  for (const RowPerplexity& one : row.Perplexities()) {
    protocols[absl::StrCat("perplexity on ", one.form->dataset(), " (", one.convention, ")")].Add(one.form->hash(),
                                                                                                  one.form->protocol());
  }
  for (const RowTask& task : row.Tasks()) {
    protocols[absl::StrCat("task ", task.form->task())].Add(task.form->hash(), task.form->protocol());
  }
  for (auto& [name, measured] : protocols) measured.row = &row;
  return protocols;
}

bool Share(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& hash) { return b.count(hash) > 0; });
}

}  // namespace

std::vector<FigureColumn> FigureColumns(const std::vector<ComparedRow>& rows, bool merge) {
  std::vector<FigureColumn> columns;
  AddTaskColumns(rows, merge, columns);
  AddPerplexityColumns(rows, merge, columns);
  AddDivergence(columns);
  AddSizes(columns);
  AddSpeeds(columns);
  std::erase_if(columns, [&](const FigureColumn& column) {
    return std::none_of(rows.begin(), rows.end(),
                        [&](const ComparedRow& row) { return column.read(row, row, 0.95).measured(); });
  });
  return columns;
}

std::vector<std::string> ProtocolConflicts(const std::vector<ComparedRow>& rows) {
  std::vector<std::string> conflicts;
  Protocols first;
  for (const ComparedRow& row : rows) {
    // What dense originals and baseline models have comes from the very reports that the other rows stand for.
    if (row.kind != RowKind::kResult) continue;
    for (const auto& [name, measured] : ProtocolsOf(row)) {
      const auto [it, inserted] = first.try_emplace(name, measured);
      const Measured& other = it->second;
      if (inserted || Share(other.hashes, measured.hashes)) continue;
      conflicts.push_back(absl::StrCat(name, ": ", other.row->label, " has protocol ", other.first, ", ", row.label,
                                       " has ", measured.first));
    }
  }
  return conflicts;
}

}  // namespace tersor
