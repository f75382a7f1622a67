#include "core/evaluate/window_store.h"

#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

// One tensor: the dense blocks' NLLs, the compressed ones', and where divergence was measured a token's KL,
// Jensen-Shannon divergence and whether the top-1 ids agree, all tokens of each in turn.
constexpr absl::string_view kScores = "scores";
constexpr absl::string_view kKeyField = "key";
constexpr absl::string_view kSha256 = "scores_sha256";

std::string HashOf(std::span<const std::byte> bytes) {
  return Sha256Hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

template <typename To>
std::vector<To> Take(std::span<const double>& values, size_t count) {
  const std::span<const double> taken = values.first(count);
  values = values.subspan(count);
  return {taken.begin(), taken.end()};
}

std::string Field(const Safetensors& file, absl::string_view name) {
  const auto it = file.metadata.find(std::string(name));
  return it == file.metadata.end() ? "" : it->second;
}

}  // namespace

absl::StatusOr<WindowStore> WindowStore::Open(const std::filesystem::path& folder, const std::string& key) {
  const std::filesystem::path own = folder / key;
  std::error_code error;
  std::filesystem::create_directories(own, error);
  if (error) return ErrnoStatus(error.value(), "creating folder", own);
  return WindowStore(own, key);
}

std::filesystem::path WindowStore::PathOf(size_t index) const {
  return folder_ / absl::StrCat("window-", absl::Dec(index, absl::kZeroPad6), ".safetensors");
}

std::optional<PairedWindow> WindowStore::Read(size_t index, const ScoredWindow& window, bool divergence) const {
  const absl::StatusOr<Safetensors> file = ReadSafetensors(PathOf(index));
  if (!file.ok() || Field(*file, kKeyField) != key_) return std::nullopt;
  const absl::StatusOr<Tensor> tensor = file->Find(kScores);
  if (!tensor.ok() || tensor->dtype() != DType::kF64 || !tensor->aligned()) return std::nullopt;
  const auto blocks = static_cast<size_t>(window.blocks()), scored = static_cast<size_t>(window.scored());
  std::span<const double> values = tensor->as<double>();
  const bool has_divergence = values.size() == 2 * blocks + 3 * scored;
  if (!has_divergence && (divergence || values.size() != 2 * blocks)) return std::nullopt;
  if (HashOf(tensor->bytes()) != Field(*file, kSha256)) return std::nullopt;
  PairedWindow pair;
  pair.dense_nlls = Take<double>(values, blocks);
  pair.nlls = Take<double>(values, blocks);
  if (!divergence) return pair;
  pair.tokens.kl = Take<double>(values, scored);
  pair.tokens.jensen_shannon = Take<double>(values, scored);
  pair.tokens.same_top1 = Take<uint8_t>(values, scored);
  return pair;
}

absl::Status WindowStore::Write(size_t index, const PairedWindow& pair) const {
  std::vector<double> values = pair.dense_nlls;
  for (const std::vector<double>* part : {&pair.nlls, &pair.tokens.kl, &pair.tokens.jensen_shannon}) {
    values.insert(values.end(), part->begin(), part->end());
  }
  values.insert(values.end(), pair.tokens.same_top1.begin(), pair.tokens.same_top1.end());
  const Shape shape = {static_cast<int64_t>(values.size())};
  TERSOR_ASSIGN_OR_RETURN(const Tensor tensor, Tensor::Own(DType::kF64, shape, std::move(values)));
  TERSOR_ASSIGN_OR_RETURN(
      SafetensorsWriter writer,
      SafetensorsWriter::Create(PathOf(index), {{std::string(kScores), DType::kF64, shape}},
                                {{std::string(kKeyField), key_}, {std::string(kSha256), HashOf(tensor.bytes())}}));
  TERSOR_RETURN_IF_ERROR(writer.AppendTensor(kScores, tensor));
  return writer.Finish();
}

}  // namespace tersor
