// Stands in for core/pipeline in tests of the service: no model is computed, but plans, checkpoints, events, artifacts
// and reports have the real forms. The recipe's description says what happens, words KEY=VALUE:
//   blocks=N           steps of the walk, each with a checkpoint, a progress and a layer event (default 4)
//   wait_at=K gate=F   before block K waits until file F exists (or the job is cancelled)
//   deaf_at=K          before block K waits for ever and does not look at the cancellation
//   freeze_at=K        stops its own process (SIGSTOP) before block K, in the first attempt only
//   die_at=K           kills its own process (SIGKILL) before block K, in every attempt that gets there anew
//   grow_at=K          takes memory without end before block K, in the first attempt only
//   fail=CODE          fails with this absl::StatusCode number at the end
//   faults=N           N violations when it is planned
//   plan=dies          planning kills its own process (SIGKILL)
//   plan=grows         planning takes memory without end
//   plan=hangs         planning never ends
//   plan=bytes         planning fails with a message that is not UTF-8
//   report=huge        a report of 65 MiB
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/calibration/dataset.h"
#include "core/pipeline/pipeline.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class Script {
 public:
  explicit Script(const std::string& description) {
    for (const absl::string_view word : absl::StrSplit(description, ' ', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(word, absl::MaxSplits('=', 1));
      values_[std::string(pair.first)] = std::string(pair.second);
    }
  }
  int Int(const std::string& key, int missing) const {
    const auto found = values_.find(key);
    int value = missing;
    return found != values_.end() && absl::SimpleAtoi(found->second, &value) ? value : missing;
  }
  std::string Text(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : found->second;
  }

 private:
  std::map<std::string, std::string> values_;
};

void Pause() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

// True the first time it is asked in this workspace.
bool FirstTime(const fs::path& workspace, absl::string_view what) {
  const fs::path marker = workspace / "checkpoint" / absl::StrCat("did-", what);
  std::error_code error;
  if (fs::exists(marker, error)) return false;
  WriteFileAtomically(marker, "").IgnoreError();
  return true;
}

void GrowWithoutEnd() {
  constexpr size_t kStep = 8 << 20;
  for (int i = 0; i < 1024; ++i) {
    std::memset(new char[kStep], 1, kStep);
    Pause();
  }
}

absl::Status Misbehave(const Script& script, int block, const RunOptions& options) {
  std::error_code error;
  while (block == script.Int("wait_at", -1) && !fs::exists(script.Text("gate"), error)) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options.cancellation));
    Pause();
  }
  while (block == script.Int("deaf_at", -1)) Pause();
  if (block == script.Int("freeze_at", -1) && FirstTime(options.workspace, "freeze")) raise(SIGSTOP);
  if (block == script.Int("die_at", -1)) raise(SIGKILL);
  if (block == script.Int("grow_at", -1) && FirstTime(options.workspace, "grow")) GrowWithoutEnd();
  return absl::OkStatus();
}

void EmitBlock(int block, int blocks, EventSink& events) {
  v1::Event layer;
  layer.mutable_layer()->set_name(absl::StrCat("model.layers.", block, ".mlp.down_proj"));
  events.Emit(layer);
  v1::Event progress;
  progress.mutable_progress()->set_stage("quantize:fake");
  progress.mutable_progress()->set_unit("blocks");
  progress.mutable_progress()->set_done(block + 1);
  progress.mutable_progress()->set_total(blocks);
  progress.mutable_progress()->set_tokens_per_second(100);
  events.Emit(progress);
}

absl::StatusOr<v1::Report> WriteArtifacts(const v1::Recipe& recipe, const RunOptions& options, int blocks) {
  std::string bytes;
  for (int block = 0; block < blocks; ++block) {
    TERSOR_ASSIGN_OR_RETURN(const std::string part,
                            ReadFile(options.workspace / "checkpoint" / absl::StrCat("block-", block)));
    bytes += part;
  }
  std::error_code error;
  fs::create_directories(options.workspace / "artifacts" / "tersor", error);
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(options.workspace / "artifacts" / "tersor" / "model.bin", bytes));
  v1::Report report;
  *report.mutable_recipe() = recipe;
  report.set_verdict(v1::VERDICT_PASS);
  report.set_tersor_version(std::string(ProgramVersion()));
  v1::ArtifactInfo* artifact = report.add_artifacts();
  artifact->set_name("tersor");
  artifact->set_path("tersor");
  artifact->set_bytes(static_cast<int64_t>(bytes.size()));
  artifact->set_sha256(Sha256Hex(bytes));
  auto* file = artifact->add_files();
  file->set_path("tersor/model.bin");
  file->set_bytes(static_cast<int64_t>(bytes.size()));
  file->set_sha256(Sha256Hex(bytes));
  return report;
}

}  // namespace

absl::string_view ProgramVersion() { return "fake"; }

std::vector<fs::path> DefaultDataPaths() { return {}; }

std::vector<MethodDescription> ListMethods() {
  return {{"gptq", "quantize", "a fake", "arXiv 2210.17323", {{"bits", "int", "4", "2 to 8"}}}};
}

absl::StatusOr<PlanResult> MakePlan(const v1::Recipe& recipe, const PipelineContext& context) {
  const Script script(recipe.description());
  if (script.Text("plan") == "dies") raise(SIGKILL);
  if (script.Text("plan") == "grows") GrowWithoutEnd();
  while (script.Text("plan") == "hangs") Pause();
  if (script.Text("plan") == "bytes") return absl::InvalidArgumentError("unknown pre-tokenizer \"\xff\xfe\"");
  PlanResult result;
  std::error_code error;
  if (!fs::exists(recipe.model(), error)) {
    result.violations.push_back({"model", absl::StrCat(recipe.model(), " does not exist")});
  }
  for (int i = 0; i < script.Int("faults", 0); ++i) {
    result.violations.push_back({absl::StrCat("stages[", i, "].quantize.gptq.bits"), "9: use 2 to 8"});
  }
  result.plan.mutable_model()->set_path(recipe.model());
  result.plan.mutable_model()->set_format("fake");
  result.plan.mutable_model()->set_sha256(Sha256Hex(recipe.model()));
  result.plan.set_peak_memory_bytes(int64_t{64} << 20);
  result.plan.set_fingerprint(Sha256Hex(recipe.SerializeAsString()));
  result.plan.set_seconds(context.threads);
  return result;
}

absl::StatusOr<v1::Report> RunRecipe(const v1::Recipe& recipe, const RunOptions& options, EventSink& events) {
  const Script script(recipe.description());
  const int blocks = script.Int("blocks", 4);
  for (int block = 0; block < blocks; ++block) {
    const fs::path checkpoint = options.workspace / "checkpoint" / absl::StrCat("block-", block);
    std::error_code error;
    if (fs::exists(checkpoint, error)) {
      v1::Event resumed;
      resumed.mutable_message()->set_text(absl::StrCat("block ", block, " taken from the checkpoint"));
      events.Emit(resumed);
      continue;
    }
    TERSOR_RETURN_IF_ERROR(CheckCancelled(options.cancellation));
    TERSOR_RETURN_IF_ERROR(Misbehave(script, block, options));
    TERSOR_RETURN_IF_ERROR(WriteFileAtomically(checkpoint, absl::StrCat("content of block ", block, "\n")));
    EmitBlock(block, blocks, events);
  }
  const int code = script.Int("fail", 0);
  if (code != 0) return absl::Status(static_cast<absl::StatusCode>(code), "asked to fail");
  absl::StatusOr<v1::Report> report = WriteArtifacts(recipe, options, blocks);
  if (report.ok() && script.Text("report") == "huge") report->set_summary(std::string(size_t{65} << 20, 'x'));
  return report;
}

}  // namespace tersor
