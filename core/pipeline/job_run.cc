#include "core/pipeline/job_run.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/mapped_inputs.h"
#include "core/base/peak_memory.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/kv_cache_cost.h"
#include "core/evaluate/performance.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/size.h"
#include "core/evaluate/tasks/abilities.h"
#include "core/evaluate/weight_memory.h"
#include "core/exports/export_registry.h"
#include "core/exports/load_commands.h"
#include "core/formats/artifact_info.h"
#include "core/kernels/cpu_info.h"
#include "core/model/container.h"
#include "core/pipeline/baseline_model.h"
#include "core/pipeline/cache_key.h"
#include "core/pipeline/checkpoint.h"
#include "core/pipeline/disk_space.h"
#include "core/pipeline/overlap_check.h"
#include "core/pipeline/performance_evaluation.h"
#include "core/pipeline/planned_actual.h"
#include "core/pipeline/stage_clock.h"
#include "core/pipeline/stage_list.h"
#include "core/pipeline/statistics_cache.h"
#include "core/pipeline/sweep_run.h"
#include "core/pipeline/task_evaluation.h"
#include "core/pipeline/task_extension.h"
#include "core/pipeline/text_evaluation.h"
#include "core/pipeline/text_extension.h"
#include "core/report/report_files.h"
#include "core/report/verdict_sentence.h"

namespace tersor {
namespace {

constexpr char kContainerName[] = "tersor";

std::vector<std::string> CompressedLayerNames(const v1::Report& report) {
  std::vector<std::string> names;
  for (const v1::LayerResult& layer : report.layers()) {
    if (layer.name().find(".layers.") != std::string::npos) names.push_back(layer.name());
  }
  return names;
}

}  // namespace

JobRun::JobRun(const v1::Recipe& recipe, const RunOptions& options, PlannedJob& job, const Workspace& workspace,
               EventSink& events)
    : recipe_(recipe), options_(options), job_(job), workspace_(workspace), tracker_(job.result.plan, events) {}

absl::StatusOr<v1::Report> JobRun::Run() {
  TERSOR_ASSIGN_OR_RETURN(report_, workspace_.LoadPartialReport());
  DescribeJob();
  TERSOR_RETURN_IF_ERROR(CompressAndWrite());
  TERSOR_RETURN_IF_ERROR(CheckOverlap(Parts()));
  TERSOR_RETURN_IF_ERROR(EvaluatePerplexities());
  TERSOR_RETURN_IF_ERROR(SplitLoss());
  TERSOR_RETURN_IF_ERROR(EvaluateTasks(Parts()));
  TERSOR_RETURN_IF_ERROR(ExtendTasks(Parts()));
  TERSOR_RETURN_IF_ERROR(ExtendTexts(Parts()));
  TERSOR_RETURN_IF_ERROR(EvaluateBaselineModel(Parts()));
  TERSOR_RETURN_IF_ERROR(EvaluatePerformance(Parts()));
  TERSOR_RETURN_IF_ERROR(Export());
  TERSOR_RETURN_IF_ERROR(Conclude());
  return report_;
}

void JobRun::DescribeJob() {
  report_.set_job_id(options_.job_id);
  report_.mutable_labels()->clear();
  report_.mutable_labels()->insert(options_.labels.begin(), options_.labels.end());
  report_.set_tersor_version(std::string(ProgramVersion()));
  *report_.mutable_model() = job_.result.plan.model();
  *report_.mutable_recipe() = recipe_;
  if (report_.stages_size() == 0) {
    for (const v1::Warning& warning : job_.result.plan.warnings()) {
      *report_.add_warnings() = warning;
      v1::Event event;
      *event.mutable_warning() = warning;
      tracker_.Emit(event);
    }
  }
  const CpuInfo& cpu = GetCpuInfo();
  v1::Environment* environment = report_.mutable_environment();
  environment->set_isa(cpu.onednn_isa);
  environment->set_onednn(cpu.onednn_version);
  environment->set_threads(job_.compute.threads);
  environment->set_cpu(cpu.model);
}

bool JobRun::IsDone(const std::string& name) const {
  return std::any_of(report_.stages().begin(), report_.stages().end(),
                     [&](const v1::StageReport& stage) { return stage.name() == name; });
}

void JobRun::Reuse(v1::StageReport& stage) {
  stage.set_reused(true);
  tracker_.EndStage(stage);
}

bool JobRun::FilesStand(absl::string_view artifact) const {
  return std::any_of(report_.artifacts().begin(), report_.artifacts().end(), [&](const v1::ArtifactInfo& info) {
    return info.name() == artifact && tersor::FilesStand(info, workspace_.artifacts_dir());
  });
}

absl::Status JobRun::FinishStage(const v1::StageReport& stage) {
  *report_.add_stages() = stage;
  tracker_.EndStage(stage);
  return workspace_.SavePartialReport(report_);
}

absl::Status JobRun::RunStage(const std::string& name, const StageBody& body) {
  TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
  for (v1::StageReport& stage : *report_.mutable_stages()) {
    if (stage.name() != name) continue;
    Reuse(stage);
    return absl::OkStatus();
  }
  tracker_.BeginStage(name);
  // What the stage before freed is not this one's.
  ReturnFreeMemory();
  const StageClock clock(name);
  v1::StageReport changes;
  TERSOR_RETURN_IF_ERROR(body(changes));
  v1::StageReport stage = clock.Report();
  if (changes.reused()) {
    stage.set_reused(true);
    stage.set_seconds(changes.seconds());
  }
  return FinishStage(stage);
}

EvaluateContext JobRun::MakeEvaluateContext(const char* unit) {
  const double start = ProgressTracker::SteadySeconds();
  const auto progress = [this, unit, start](int64_t done, int64_t total) {
    v1::Event event;
    v1::Progress* step = event.mutable_progress();
    step->set_done(done);
    step->set_total(total);
    step->set_unit(unit);
    const double seconds = ProgressTracker::SteadySeconds() - start;
    if (absl::string_view(unit) == "tokens" && seconds > 0) step->set_tokens_per_second(done / seconds);
    tracker_.Emit(event);
  };
  return {.cancellation = options_.cancellation, .progress = progress};
}

JobParts JobRun::Parts() {
  return {.recipe = recipe_,
          .options = options_,
          .job = job_,
          .workspace = workspace_,
          .compressed = *compressed_,
          .report = report_,
          .run_stage = [this](const std::string& name, const StageBody& body) { return RunStage(name, body); },
          .context = [this](const char* unit) { return MakeEvaluateContext(unit); },
          .emit = [this](const v1::Event& event) { tracker_.Emit(event); }};
}

absl::Status JobRun::CompressAndWrite() {
  const bool written = IsDone(kWriteStage) && FilesStand(kContainerName);
  if (!written) {
    // Nothing that came after the container can be believed without it.
    if (IsDone(kWriteStage)) {
      report_.Clear();
      DescribeJob();
    }
    Model model = job_.inputs.source();
    TERSOR_RETURN_IF_ERROR(Compress(model));
    TERSOR_RETURN_IF_ERROR(RunStage(kWriteStage, [&](v1::StageReport&) { return Write(model); }));
  } else {
    for (v1::StageReport& stage : *report_.mutable_stages()) {
      Reuse(stage);
      if (stage.name() == kWriteStage) break;
    }
  }
  workspace_.DropBlocks();
  return LoadCompressed();
}

absl::Status JobRun::Compress(Model& model) {
  std::vector<FieldViolation> violations;
  // Without, a container that rounds its cache goes on to do so.
  if (recipe_.has_kv()) model.kv_format = ReadKvFormat(recipe_, violations);
  TERSOR_RETURN_IF_ERROR(ViolationsToStatus(violations));
  if (recipe_.stages().empty()) return absl::OkStatus();
  TERSOR_ASSIGN_OR_RETURN(const CalibrationTokens calibration, TakeCalibration());
  tracker_.BeginStage(job_.result.plan.stages(0).name());
  const std::unique_ptr<BlockCheckpoint> checkpoint = MakeDiskCheckpoint(workspace_.blocks_dir());
  const std::unique_ptr<StatisticsStore> statistics =
      OpenStatisticsCache(options_.context.cache_dir, job_.inputs.source_sha256(), calibration, job_.compute.precision);
  TERSOR_ASSIGN_OR_RETURN(CompressionResult result,
                          CompressModel(model, recipe_, calibration, job_.compute, checkpoint.get(), tracker_,
                                        options_.cancellation, statistics.get()));
  report_.mutable_layers()->Assign(result.layers.begin(), result.layers.end());
  report_.mutable_warnings()->Add(result.warnings.begin(), result.warnings.end());
  for (const v1::StageReport& stage : result.stages) *report_.add_stages() = stage;
  return absl::OkStatus();
}

absl::Status JobRun::Write(const Model& model) {
  const ModelSource& source = job_.inputs.source().source;
  const ContainerOrigin origin = {.program_version = std::string(ProgramVersion()),
                                  .recipe_sha256 = RecipeSha256(recipe_),
                                  .source_format = source.format,
                                  .source_sha256 = job_.inputs.source_sha256(),
                                  .source_weight_bytes = source.weight_bytes};
  TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo artifact,
                          WriteContainer(model, origin, workspace_.artifacts_dir() / kContainerName));
  report_.mutable_artifacts()->Clear();
  *report_.add_artifacts() = RelativeToArtifacts(std::move(artifact));
  return absl::OkStatus();
}

absl::Status JobRun::LoadCompressed() {
  const std::filesystem::path folder = workspace_.artifacts_dir() / kContainerName;
  TERSOR_ASSIGN_OR_RETURN(compressed_, LoadModel(folder));
  TERSOR_ASSIGN_OR_RETURN(const uint64_t container_bytes, ContainerBytes(folder));
  // What another tool compressed is as large as that tool's files.
  const bool foreign = job_.inputs.given && recipe_.stages_size() == 0;
  const int64_t bytes = foreign ? job_.inputs.given->source.weight_bytes : static_cast<int64_t>(container_bytes);
  TERSOR_ASSIGN_OR_RETURN(*report_.mutable_size(),
                          MeasureSize(job_.inputs.model, *compressed_, bytes, CompressedLayerNames(report_)));
  ComputeOptions compute = job_.compute;
  compute.linears = ResolvePerformance(recipe_.evaluate().performance(), compute.threads).linears;
  TERSOR_RETURN_IF_ERROR(AddMemory(job_.inputs.model, *compressed_, compute, *report_.mutable_size()));
  *report_.mutable_kv_cache() = DescribeKvCache(compressed_->spec, compressed_->kv_format, compressed_->ByteSize());
  return absl::OkStatus();
}

absl::StatusOr<DenseBaseline> JobRun::Baseline(int index, const ScoredWindows& windows) {
  return MeasureDense(Parts(), job_.inputs.model, job_.inputs.perplexities[index].protocol, windows,
                      index == 0 && MeasuresDivergence(recipe_));
}

absl::Status JobRun::EvaluateDense(int index, const ScoredWindows& windows, v1::StageReport& stage) {
  TERSOR_ASSIGN_OR_RETURN(const DenseBaseline baseline, Baseline(index, windows));
  stage.set_reused(baseline.reused);
  stage.set_seconds(baseline.seconds);
  *report_.add_perplexity() = MakePerplexityResult("dense", job_.inputs.perplexities[index].protocol, windows,
                                                   baseline.block_nlls, baseline.seconds);
  return absl::OkStatus();
}

absl::Status JobRun::EvaluatePerplexities() {
  for (int i = 0; i < static_cast<int>(job_.inputs.perplexities.size()); ++i) {
    const PerplexityInput& input = job_.inputs.perplexities[i];
    TERSOR_ASSIGN_OR_RETURN(const ScoredWindows windows,
                            CutWindows(input.protocol, *job_.inputs.tokenizer, input.data.text));
    TERSOR_RETURN_IF_ERROR(
        RunStage(DenseStageName(i), [&](v1::StageReport& stage) { return EvaluateDense(i, windows, stage); }));
    if (!Compresses(recipe_)) continue;
    TERSOR_RETURN_IF_ERROR(
        RunStage(CompressedStageName(i), [&](v1::StageReport&) { return EvaluateCompressed(Parts(), i, windows); }));
  }
  return absl::OkStatus();
}

void JobRun::ForgetExport(const std::string& format) {
  const auto forget = [](auto& entries, const std::string& name) {
    entries.erase(
        std::remove_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name() == name; }),
        entries.end());
  };
  forget(*report_.mutable_stages(), ExportStageName(format));
  forget(*report_.mutable_artifacts(), format);
}

absl::Status JobRun::Export() {
  for (const std::string& format : recipe_.export_()) {
    if (!FilesStand(format)) ForgetExport(format);
    TERSOR_RETURN_IF_ERROR(RunStage(ExportStageName(format), [&](v1::StageReport&) -> absl::Status {
      TERSOR_ASSIGN_OR_RETURN(v1::ArtifactInfo artifact, WriteNamedExport(format));
      *report_.add_artifacts() = RelativeToArtifacts(std::move(artifact));
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

void JobRun::JudgeAbilities() {
  const std::vector<v1::AbilityResult> abilities = SummarizeAbilities(report_, GateConfidence(recipe_));
  report_.mutable_abilities()->Assign(abilities.begin(), abilities.end());
  for (const v1::Warning& warning : AbilityWarnings(report_)) {
    const bool told = std::any_of(report_.warnings().begin(), report_.warnings().end(), [&](const v1::Warning& other) {
      return other.code() == warning.code() && other.where() == warning.where();
    });
    if (!told) *report_.add_warnings() = warning;
  }
}

absl::Status JobRun::Conclude() {
  JudgeAbilities();
  AddPlannedFigures(job_.result.plan, report_);
  if (options_.downloaded) {
    SetDownloadLoadCommands(report_);
  } else {
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::absolute(workspace_.artifacts_dir(), error);
    SetLocalLoadCommands(folder.lexically_normal(), report_);
  }
  TERSOR_RETURN_IF_ERROR(JudgeReport(recipe_, options_.baselines, report_));
  report_.set_summary(VerdictSentence(report_));
  TERSOR_RETURN_IF_ERROR(WriteReportFiles(report_, workspace_.artifacts_dir()));
  return workspace_.SavePartialReport(report_);
}

absl::StatusOr<v1::Report> RunRecipe(const v1::Recipe& recipe, const RunOptions& options, EventSink& events) {
  if (recipe.has_sweep()) return RunSweep(recipe, options, events);
  TERSOR_ASSIGN_OR_RETURN(PlannedJob job, PlanJob(recipe, options.context));
  TERSOR_RETURN_IF_ERROR(ViolationsToStatus(job.result.violations));
  TERSOR_ASSIGN_OR_RETURN(
      const std::unique_ptr<Workspace> workspace,
      Workspace::Open(options.workspace, job.result.plan.fingerprint(), InstructionSets(), options.fresh));
  TERSOR_RETURN_IF_ERROR(CheckDiskSpace(job.result.plan, options.workspace));
  absl::StatusOr<v1::Report> report = JobRun(recipe, options, job, *workspace, events).Run();
  // A file that changed under the run explains whatever else went wrong.
  TERSOR_RETURN_IF_ERROR(CheckMappedInputs());
  return report;
}

}  // namespace tersor
