#include "core/evaluate/dense_baseline.h"

#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/stopwatch.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/window_scorer.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

// Hidden states stand in a file of their own, written while the pass runs; the NLLs' file comes last, holds the other's
// hash and makes the pair valid.
constexpr absl::string_view kNlls = "block_nlls";
constexpr absl::string_view kHidden = "hidden";
constexpr absl::string_view kKeyField = "key";
constexpr absl::string_view kSecondsField = "seconds";
constexpr absl::string_view kNllsSha256 = "block_nlls_sha256";
constexpr absl::string_view kHiddenSha256 = "hidden_sha256";

absl::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::filesystem::path HiddenPath(const std::filesystem::path& cache_dir, const BaselineKey& key) {
  return cache_dir / "baselines" / absl::StrCat(key.Hash(), ".hidden.safetensors");
}

absl::Status Damaged(const std::filesystem::path& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("cached baseline ", path.string(), ": ", what));
}

std::string Field(const Safetensors& file, absl::string_view name) {
  const auto it = file.metadata.find(std::string(name));
  return it == file.metadata.end() ? "" : it->second;
}

// A file that the reader refuses was damaged; other errors (unreadable disk) stay what they are.
absl::StatusOr<Safetensors> Open(const std::filesystem::path& path) {
  absl::StatusOr<Safetensors> file = ReadSafetensors(path);
  if (absl::IsInvalidArgument(file.status())) return Damaged(path, file.status().message());
  return file;
}

absl::StatusOr<Tensor> CheckedTensor(const Safetensors& file, const std::filesystem::path& path, absl::string_view name,
                                     DType dtype, const Shape& shape, absl::string_view sha256) {
  const absl::StatusOr<Tensor> tensor = file.Find(name);
  if (!tensor.ok()) return Damaged(path, tensor.status().message());
  if (tensor->dtype() != dtype || tensor->shape() != shape || !tensor->aligned()) {
    return Damaged(path, absl::StrCat(name, " is ", ShapeString(tensor->shape()), ", not ", ShapeString(shape)));
  }
  if (Sha256Hex(AsText(tensor->bytes())) != sha256) return Damaged(path, absl::StrCat(name, " has another SHA-256"));
  return *tensor;
}

// Measures and writes; holds what the pass needs until it ends.
class BaselinePass {
 public:
  BaselinePass(const ScoredWindows& windows, const BaselineKey& key, std::filesystem::path cache_dir)
      : windows_(windows), key_(key), cache_dir_(std::move(cache_dir)) {}

  absl::Status Run(const ScoringModel& model, bool keep_hidden, const EvaluateContext& context) {
    if (keep_hidden) {
      const Shape shape = {windows_.scored(), model.width};
      TERSOR_ASSIGN_OR_RETURN(
          SafetensorsWriter writer,
          SafetensorsWriter::Create(HiddenPath(cache_dir_, key_), {{std::string(kHidden), DType::kF32, shape}}, {}));
      hidden_.emplace(std::move(writer));
    }
    const Stopwatch watch;
    TERSOR_RETURN_IF_ERROR(
        ScoreWindows(model, windows_, context, [&](const ScoredGroup& group) { return Consume(*model.head, group); }));
    return Finish(watch.Seconds());
  }

 private:
  absl::Status Consume(const Head& head, const ScoredGroup& group) {
    TERSOR_RETURN_IF_ERROR(AddBlockNlls(head, group, block_nlls_));
    if (!hidden_.has_value()) return absl::OkStatus();
    hidden_hash_.Update(AsText(std::as_bytes(group.hidden)));
    return hidden_->Append(std::as_bytes(group.hidden));
  }

  absl::Status Finish(double seconds) {
    std::string hidden_sha256;
    if (hidden_.has_value()) {
      TERSOR_RETURN_IF_ERROR(hidden_->Finish());
      hidden_sha256 = hidden_hash_.HexDigest();
    }
    const Shape shape = {static_cast<int64_t>(block_nlls_.size())};
    TERSOR_ASSIGN_OR_RETURN(const Tensor nlls, Tensor::Own(DType::kF64, shape, block_nlls_));
    const std::map<std::string, std::string> metadata = {{std::string(kKeyField), key_.Hash()},
                                                         {std::string(kSecondsField), absl::StrCat(seconds)},
                                                         {std::string(kNllsSha256), Sha256Hex(AsText(nlls.bytes()))},
                                                         {std::string(kHiddenSha256), hidden_sha256}};
    TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                            SafetensorsWriter::Create(BaselinePath(cache_dir_, key_),
                                                      {{std::string(kNlls), DType::kF64, shape}}, metadata));
    TERSOR_RETURN_IF_ERROR(writer.AppendTensor(kNlls, nlls));
    return writer.Finish();
  }

  const ScoredWindows& windows_;
  const BaselineKey& key_;
  const std::filesystem::path cache_dir_;
  std::vector<double> block_nlls_;
  std::optional<SafetensorsWriter> hidden_;
  Sha256 hidden_hash_;
};

}  // namespace

std::string BaselineKey::Hash() const {
  Sha256 hash;
  hash.UpdateField("tersor dense baseline 2");
  for (const std::string* field : {&protocol_hash, &model_sha256, &precision, &isa, &program_version}) {
    hash.UpdateField(*field);
  }
  return hash.HexDigest();
}

std::filesystem::path BaselinePath(const std::filesystem::path& cache_dir, const BaselineKey& key) {
  return cache_dir / "baselines" / absl::StrCat(key.Hash(), ".safetensors");
}

absl::StatusOr<DenseBaseline> ReadBaseline(const std::filesystem::path& cache_dir, const BaselineKey& key,
                                           const ScoredWindows& windows, int64_t width, bool with_hidden) {
  const std::filesystem::path path = BaselinePath(cache_dir, key);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::NotFoundError(absl::StrCat("no baseline ", path.string()));
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, Open(path));
  DenseBaseline baseline;
  if (Field(file, kKeyField) != key.Hash()) return Damaged(path, "it is of another key");
  if (!absl::SimpleAtod(Field(file, kSecondsField), &baseline.seconds)) return Damaged(path, "it has no duration");
  const Shape shape = {static_cast<int64_t>(windows.block_tokens().size())};
  TERSOR_ASSIGN_OR_RETURN(const Tensor nlls,
                          CheckedTensor(file, path, kNlls, DType::kF64, shape, Field(file, kNllsSha256)));
  const std::span<const double> values = nlls.as<double>();
  baseline.block_nlls.assign(values.begin(), values.end());
  baseline.reused = true;
  if (!with_hidden) return baseline;
  const std::string sha256 = Field(file, kHiddenSha256);
  const std::filesystem::path hidden_path = HiddenPath(cache_dir, key);
  if (sha256.empty() || !std::filesystem::exists(hidden_path, error)) {
    return absl::NotFoundError(absl::StrCat("no hidden states ", hidden_path.string()));
  }
  TERSOR_ASSIGN_OR_RETURN(const Safetensors hidden, Open(hidden_path));
  TERSOR_ASSIGN_OR_RETURN(baseline.hidden,
                          CheckedTensor(hidden, hidden_path, kHidden, DType::kF32, {windows.scored(), width}, sha256));
  return baseline;
}

absl::StatusOr<DenseBaseline> MeasureBaseline(const std::function<absl::StatusOr<ScoringModel>()>& prepare,
                                              int64_t width, const ScoredWindows& windows, const BaselineKey& key,
                                              const std::filesystem::path& cache_dir, bool keep_hidden,
                                              const EvaluateContext& context) {
  absl::StatusOr<DenseBaseline> cached = ReadBaseline(cache_dir, key, windows, width, keep_hidden);
  if (cached.ok() || !(absl::IsNotFound(cached.status()) || absl::IsDataLoss(cached.status()))) return cached;
  const std::filesystem::path folder = cache_dir / "baselines";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("making ", folder.string(), ": ", error.message()));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel model, prepare());
  TERSOR_RETURN_IF_ERROR(BaselinePass(windows, key, cache_dir).Run(model, keep_hidden, context));
  absl::StatusOr<DenseBaseline> measured = ReadBaseline(cache_dir, key, windows, width, keep_hidden);
  if (measured.ok()) measured->reused = false;
  return measured;
}

}  // namespace tersor
