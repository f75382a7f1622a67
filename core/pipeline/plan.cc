#include "core/pipeline/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/mapped_inputs.h"
#include "core/base/nearest_name.h"
#include "core/base/sha256.h"
#include "core/base/warning.h"
#include "core/compress/method_registry.h"
#include "core/encoding/sum_tensor.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/kv_cache_cost.h"
#include "core/evaluate/performance.h"
#include "core/exports/export_registry.h"
#include "core/kernels/cpu_info.h"
#include "core/pipeline/advice.h"
#include "core/pipeline/baseline_model.h"
#include "core/pipeline/cost_model.h"
#include "core/pipeline/disk_space.h"
#include "core/pipeline/loss_split.h"
#include "core/pipeline/plan_evaluation.h"
#include "core/pipeline/plan_gates.h"
#include "core/pipeline/planned_actual.h"
#include "core/pipeline/speed_forecast.h"
#include "core/pipeline/stage_list.h"
#include "core/pipeline/stage_warnings.h"
#include "core/pipeline/statistics_export.h"
#include "core/pipeline/sweep_run.h"
#include "core/pipeline/weight_warnings.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace tersor {
namespace {

using Violations = std::vector<FieldViolation>;

std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// The recipe without words and paths.
v1::Recipe Essence(const v1::Recipe& recipe) {
  v1::Recipe essence = recipe;
  essence.clear_description();
  essence.clear_model();
  if (essence.has_evaluate()) {
    essence.mutable_evaluate()->clear_original();
    essence.mutable_evaluate()->clear_baseline_model();
  }
  // What an inconclusive verdict means to whoever waits for it changes none of the figures; going on with more items
  // does.
  if (!ExtendsOnInconclusive(recipe)) essence.mutable_gating()->clear_on_inconclusive();
  if (essence.gating().ByteSizeLong() == 0) essence.clear_gating();
  return essence;
}

// Equal jobs have equal fingerprints: the same contents of model and texts, the same recipe but for words and paths,
// the same program.
std::string Fingerprint(const v1::Recipe& recipe, const JobInputs& inputs) {
  Sha256 digest;
  digest.UpdateField(ProgramVersion());
  digest.UpdateField(DeterministicBytes(Essence(recipe)));
  digest.UpdateField(inputs.model_sha256);
  if (inputs.given) digest.UpdateField(inputs.given_sha256);
  digest.UpdateField(inputs.calibration.text);
  for (const PerplexityInput& perplexity : inputs.perplexities) digest.UpdateField(perplexity.protocol.Hash());
  for (const auto* tasks : {&inputs.tasks, &inputs.whole_tasks}) {
    if (inputs.tokenizer == nullptr || tasks->empty()) continue;
    const auto text = DescribeTaskText(inputs.model, *inputs.tokenizer, inputs.chat_date);
    // Without one the plan has a violation.
    if (!text.ok()) continue;
    for (const LoadedTask& task : *tasks) digest.UpdateField(TaskProtocolHash(task, *text));
  }
  if (inputs.baseline_model) digest.UpdateField(inputs.baseline_model->model.source.sha256);
  return digest.HexDigest();
}

ComputeOptions ResolveCompute(const v1::Recipe& recipe, const PipelineContext& context, Violations& violations) {
  ComputeOptions compute;
  compute.threads = std::max(context.threads, 1);
  if (recipe.precision() == "f32") {
    compute.precision = Precision::kF32;
  } else if (recipe.precision() == "bf16") {
    compute.precision = Precision::kBF16;
    if (const absl::Status supported = CheckBF16Support(); !supported.ok()) {
      violations.push_back({"precision", std::string(supported.message())});
    }
  } else if (!recipe.precision().empty()) {
    violations.push_back(
        {"precision", absl::StrCat("unknown precision \"", recipe.precision(), "\"; known: f32, bf16")});
  }
  return compute;
}

CalibrationSize CalibrationSizeOf(const v1::Recipe& recipe) {
  const v1::Calibration& calibration = recipe.calibration();
  const int64_t tokens = calibration.has_tokens() ? calibration.tokens() : 512;
  return {.tokens = tokens * (calibration.has_samples() ? calibration.samples() : 16), .longest = tokens};
}

// What can be said of exports while it is not known what the layers become.
void CheckExportNames(const v1::Recipe& recipe, Violations& violations) {
  std::vector<std::string> formats = ExportNames();
  formats.emplace_back(kStatisticsExport);
  for (int i = 0; i < recipe.export__size(); ++i) {
    if (std::find(formats.begin(), formats.end(), recipe.export_(i)) != formats.end()) continue;
    violations.push_back({absl::StrCat("export[", i, "]"), UnknownName("format", recipe.export_(i), formats)});
  }
}

void PlanExports(const v1::Recipe& recipe, const JobInputs& inputs, const PlannedEncodings& encodings, int threads,
                 v1::Plan& plan, Violations& violations) {
  for (int i = 0; i < recipe.export__size(); ++i) {
    const std::string& format = recipe.export_(i);
    const bool statistics = format == kStatisticsExport;
    absl::StatusOr<ExportPlan> planned =
        statistics ? PlanStatisticsExport(inputs.model.spec) : PlanExport(format, inputs.source(), encodings);
    if (!planned.ok()) {
      violations.push_back({absl::StrCat("export[", i, "]"), std::string(planned.status().message())});
      continue;
    }
    v1::PlannedArtifact* artifact = plan.add_artifacts();
    artifact->set_name(format);
    artifact->set_bytes(planned->bytes);
    artifact->set_detail(planned->detail);
    StageCost cost = WritingCost(inputs.source(), planned->bytes);
    if (statistics) cost = StatisticsCost(inputs.model.spec, CalibrationSizeOf(recipe).tokens, threads);
    AddPlannedStage(plan, ExportStageName(format), cost, planned->detail);
  }
}

// What a stage after the container's writing keeps beside its own: the two models' mapped files, as far as they have
// been read, and with the inputs rounded alone the weights as floats, which folding makes.
void AddResident(const JobInputs& inputs, int64_t container_bytes, size_t first, v1::Plan& plan) {
  for (size_t i = first; i < static_cast<size_t>(plan.stages_size()); ++i) {
    v1::PlannedStage& stage = *plan.mutable_stages(static_cast<int>(i));
    int64_t bytes = container_bytes + inputs.model.source.weight_bytes;
    if (PartOfStage(stage.name()) == kActivationsPart) bytes += inputs.model.ParameterCount() * int64_t{sizeof(float)};
    stage.set_peak_memory_bytes(stage.peak_memory_bytes() + bytes);
  }
}

void Total(v1::Plan& plan) {
  double seconds = 0;
  int64_t memory = 0, disk = 0;
  for (const v1::PlannedStage& stage : plan.stages()) {
    seconds += stage.seconds();
    memory = std::max(memory, stage.peak_memory_bytes());
    disk += stage.scratch_bytes();
  }
  for (const v1::PlannedArtifact& artifact : plan.artifacts()) disk += artifact.bytes();
  plan.set_seconds(seconds);
  plan.set_peak_memory_bytes(memory);
  plan.set_disk_bytes(disk);
}

// What the container holds beside the weights: the assets' texts, and for each parameter an entry in the manifest and
// in the weights' header; encodings that are made of others have many fields.
int64_t ContainerTextBytes(const Model& model, const PlannedEncodings& encodings) {
  const ModelAssets& assets = model.assets;
  const size_t texts = assets.tokenizer_json.size() + assets.tokenizer_config_json.size() +
                       assets.chat_template.size() + assets.generation_config_json.size() + assets.licence_text.size();
  int64_t entries = static_cast<int64_t>(model.parameters.size() + model.spec.layers.size());
  for (const auto& [name, encoding] : encodings) {
    entries += (encoding.encoding == SumTensor::kName ? 3 : 0) + (encoding.input_format.empty() ? 0 : 1);
  }
  return static_cast<int64_t>(texts) + 1024 * entries;
}

void AddSourceWarnings(const Model& model, v1::Plan& plan) {
  for (const SourceWarning& warning : model.source.warnings) {
    *plan.add_warnings() = MakeWarning(warning.code, warning.text, model.source.path.string());
  }
}

// What is wrong whatever the model is.
void CheckRecipe(const v1::Recipe& recipe, Violations& violations) {
  const Violations gates = CheckGates(recipe);
  violations.insert(violations.end(), gates.begin(), gates.end());
  for (int i = 0; i < recipe.export__size(); ++i) {
    for (int j = 0; j < i; ++j) {
      if (recipe.export_(i) == recipe.export_(j))
        violations.push_back({absl::StrCat("export[", i, "]"), "named twice"});
    }
  }
}

void AddAll(const std::vector<v1::Warning>& warnings, v1::Plan& plan) {
  for (const v1::Warning& warning : warnings) *plan.add_warnings() = warning;
}

// The stages, and whether it is known what they make of the layers.
struct PlannedCompression {
  CompressionPlan plan;
  bool complete = false;
};

PlannedCompression PlanStages(const v1::Recipe& recipe, const PlannedJob& job, v1::Plan& plan, Violations& violations) {
  const size_t faults_before = violations.size();
  PlannedCompression planned;
  planned.plan = PlanCompression(job.inputs.source(), recipe, CalibrationSizeOf(recipe), job.compute, violations);
  planned.complete = violations.size() == faults_before;
  for (const v1::PlannedStage& stage : planned.plan.stages) {
    v1::PlannedStage& added = *plan.add_stages();
    added = stage;
    added.set_peak_memory_bytes(ProcessBytes(job.inputs.source()) + stage.peak_memory_bytes());
  }
  return planned;
}

// A model without a tokenizer is compressed and exported all the same; what needs text is refused.
void CheckTextNeeds(const v1::Recipe& recipe, bool calibrates, const JobInputs& inputs, Violations& violations) {
  if (inputs.tokenizer != nullptr) return;
  const std::string why = absl::StrCat("needs text, and ", WhyNoTokenizer(inputs.source()));
  if (calibrates) violations.push_back({"calibration", why});
  const v1::Evaluation& evaluate = recipe.evaluate();
  if (evaluate.perplexity_size() > 0) violations.push_back({"evaluate.perplexity", why});
  if (evaluate.tasks_size() > 0) violations.push_back({"evaluate.tasks", why});
  if (evaluate.has_suite()) violations.push_back({"evaluate.suite", why});
  if (!evaluate.baseline_model().empty()) violations.push_back({"evaluate.baseline_model", why});
}

void ReadInputs(const v1::Recipe& recipe, const PipelineContext& context, bool calibrates, JobInputs& inputs,
                Violations& violations) {
  CheckTextNeeds(recipe, calibrates, inputs, violations);
  if (calibrates) ReadCalibration(recipe, context, inputs, violations);
  ReadPerplexities(recipe, context, inputs, violations);
  ReadTasks(recipe, context, inputs, violations);
  ReadBaselineModel(recipe, context, inputs, violations);
  if (!recipe.evaluate().has_performance()) return;
  const Violations faults =
      CheckPerformance(recipe.evaluate().performance(), inputs.model.spec.context_length, "evaluate.performance");
  violations.insert(violations.end(), faults.begin(), faults.end());
}

// Of all parameters, as they will be stored.
int64_t WeightBytes(const Model& source, const CompressionPlan& compression) {
  return static_cast<int64_t>(compression.parameter_bytes > 0 ? compression.parameter_bytes : source.ByteSize());
}

// Tersor's own container.
void PlanContainer(const Model& source, const CompressionPlan& compression, v1::Plan& plan) {
  const int64_t bytes = WeightBytes(source, compression) + ContainerTextBytes(source, compression.encodings);
  v1::PlannedArtifact* container = plan.add_artifacts();
  container->set_name("tersor");
  container->set_bytes(bytes);
  AddPlannedStage(plan, kWriteStage, ContainerCost(source, bytes), "container, reopened and compared");
}

void PlanWork(const v1::Recipe& recipe, const PipelineContext& context, PlannedJob& job) {
  v1::Plan& plan = job.result.plan;
  Violations& violations = job.result.violations;
  JobInputs& inputs = job.inputs;
  *plan.mutable_model() = DescribeModel(inputs.source());
  const PlannedCompression planned = PlanStages(recipe, job, plan, violations);
  const CompressionPlan& compression = planned.plan;
  // A faulty stage has no say in whether the text is needed: what is wrong with the text is told all the same.
  const bool calibrates =
      compression.needs_calibration || ExportsStatistics(recipe) || (!violations.empty() && recipe.has_calibration());
  ReadInputs(recipe, context, calibrates, inputs, violations);
  PlanContainer(inputs.source(), compression, plan);
  const v1::KvCacheResult cache =
      DescribeKvCache(inputs.model.spec, ReadKvFormat(recipe, violations), WeightBytes(inputs.source(), compression));
  const SpeedForecast forecast = ForecastSpeed(inputs.source(), compression.encodings);
  plan.mutable_artifacts(0)->set_detail(absl::StrCat("Tersor's own container",
                                                     Compresses(recipe) ? "; " + ForecastText(forecast) : "",
                                                     "; cache in ", KvCacheText(cache)));
  if (violations.empty()) {
    const bool foreign = inputs.given && recipe.stages_size() == 0;
    PlanEvaluation(recipe, inputs, job.compute, cache,
                   SplitParts(recipe, inputs.source(), foreign, compression.encodings), plan);
  }
  if (planned.complete) {
    PlanExports(recipe, inputs, compression.encodings, job.compute.threads, plan, violations);
  } else {
    CheckExportNames(recipe, violations);
  }
  AddResident(inputs, plan.artifacts(0).bytes(), compression.stages.size() + 1, plan);
  AddSourceWarnings(inputs.source(), plan);
  AddAll(NonFiniteWarnings(inputs.source(), context), plan);
  if (inputs.given) AddAll(NonFiniteWarnings(inputs.model, context), plan);
  AddAll(GateWarnings(recipe), plan);
  if (violations.empty()) {
    AddAll(StageWarnings(recipe, inputs.source(), CalibrationSizeOf(recipe).tokens), plan);
    AddAll(ForecastWarnings(recipe, forecast, cache, inputs.model.spec.context_length), plan);
    AddAll(AdviceWarnings(recipe, inputs.source(), compression.encodings), plan);
  }
  const bool evaluation_planned = violations.empty();
  CheckGateSubjects(recipe, inputs, violations);
  if (evaluation_planned) PlanGatePower(recipe, inputs, plan);
  for (const std::string& reference : GateBaselines(recipe)) plan.add_baselines()->set_reference(reference);
  plan.mutable_warnings()->Add(inputs.warnings.begin(), inputs.warnings.end());
  Total(plan);
  plan.set_fingerprint(Fingerprint(recipe, inputs));
}

// What can be said while the model is not here.
void CheckWithoutModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                       Violations& violations) {
  for (int i = 0; i < recipe.stages_size(); ++i) {
    MakeMethod(recipe.stages(i), absl::StrCat("stages[", i, "]"), violations);
  }
  ReadKvFormat(recipe, violations);
  if (recipe.has_calibration()) ReadCalibration(recipe, context, inputs, violations);
  ReadPerplexities(recipe, context, inputs, violations);
  ReadTasks(recipe, context, inputs, violations);
  CheckGateSubjects(recipe, inputs, violations);
  ReadBaselineModel(recipe, context, inputs, violations);
  CheckExportNames(recipe, violations);
}

}  // namespace

v1::ModelInfo DescribeModel(const Model& model) {
  v1::ModelInfo info;
  info.set_path(model.source.path.string());
  info.set_name(model.spec.name);
  info.set_architecture(model.spec.architecture);
  info.set_parameters(model.ParameterCount());
  info.set_sha256(model.source.sha256);
  info.set_source_bytes(model.source.weight_bytes);
  info.set_format(model.source.quantization.empty() ? model.source.format : model.source.quantization);
  return info;
}

std::string RecipeSha256(const v1::Recipe& recipe) { return Sha256Hex(DeterministicBytes(Essence(recipe))); }

absl::StatusOr<PlannedJob> PlanJob(const v1::Recipe& recipe, const PipelineContext& context) {
  PlannedJob job;
  Violations& violations = job.result.violations;
  CheckRecipe(recipe, violations);
  job.compute = ResolveCompute(recipe, context, violations);
  const size_t before = violations.size();
  ReadModel(recipe, context, job.inputs, violations);
  if (violations.size() == before) {
    PlanWork(recipe, context, job);
  } else {
    CheckWithoutModel(recipe, context, job.inputs, violations);
  }
  return job;
}

absl::StatusOr<PlanResult> MakePlan(const v1::Recipe& recipe, const PipelineContext& context) {
  PlanResult result;
  if (recipe.has_sweep()) {
    TERSOR_ASSIGN_OR_RETURN(result, PlanSweep(recipe, context));
  } else {
    TERSOR_ASSIGN_OR_RETURN(PlannedJob job, PlanJob(recipe, context));
    TERSOR_RETURN_IF_ERROR(CheckMappedInputs());
    result = std::move(job.result);
  }
  AddAll(DiskSpaceWarnings(result.plan, context.output_dir), result.plan);
  return result;
}

absl::Status ViolationsToStatus(const std::vector<FieldViolation>& violations) {
  if (violations.empty()) return absl::OkStatus();
  std::string message = "the recipe cannot be run:";
  for (const FieldViolation& violation : violations) {
    absl::StrAppend(&message, "\n  ", violation.field, ": ", violation.description);
  }
  return absl::InvalidArgumentError(message);
}

std::vector<MethodDescription> ListMethods() { return CompressionMethods(); }

}  // namespace tersor
