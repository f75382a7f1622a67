#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/formats/json_text.h"
#include "core/formats/safetensors.h"

namespace tersor {
namespace {

// Where the data starts in the file: aligned for any dtype and for a vector load.
constexpr uint64_t kDataAlignment = 64;
constexpr int64_t kMaxElements = int64_t{1} << 56;
constexpr absl::string_view kMetadataKey = "__metadata__";

uint64_t TensorBytes(const TensorDeclaration& tensor) {
  return static_cast<uint64_t>(ElementCount(tensor.shape)) * DTypeSize(tensor.dtype);
}

absl::Status Fault(const std::filesystem::path& path, absl::string_view tensor, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": tensor \"", tensor, "\": ", what));
}

// Length, JSON and the spaces that align the data.
absl::StatusOr<std::string> HeaderBytes(const std::vector<TensorDeclaration>& tensors,
                                        const std::map<std::string, std::string>& metadata,
                                        const std::filesystem::path& path) {
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  uint64_t offset = 0;
  for (const TensorDeclaration& tensor : tensors) {
    if (tensor.name.empty() || tensor.name == kMetadataKey) return Fault(path, tensor.name, "is not a possible name");
    if (header.contains(tensor.name)) return Fault(path, tensor.name, "stands twice");
    const int64_t elements = ElementCount(tensor.shape);
    if (elements < 0 || elements > kMaxElements) return Fault(path, tensor.name, "its shape is too large");
    const uint64_t end = offset + TensorBytes(tensor);
    header[tensor.name] = {
        {"dtype", DTypeName(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = JsonText(header);
  const uint64_t unpadded = sizeof(uint64_t) + text.size();
  text.append((kDataAlignment - unpadded % kDataAlignment) % kDataAlignment, ' ');
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(text.size() >> (8 * i) & 0xff));
  return bytes + text;
}

}  // namespace

struct SafetensorsWriter::State {
  AtomicFile file;
  std::filesystem::path path;
  // The tensor that takes the next byte, and how many bytes it still wants.
  size_t next = 0;
  uint64_t wanted = 0;
};

SafetensorsWriter::SafetensorsWriter(std::unique_ptr<State> state, std::vector<TensorDeclaration> order)
    : state_(std::move(state)), order_(std::move(order)) {}
SafetensorsWriter::SafetensorsWriter(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter& SafetensorsWriter::operator=(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter::~SafetensorsWriter() = default;

const std::filesystem::path& SafetensorsWriter::temporary_path() const { return state_->file.temporary_path(); }

absl::StatusOr<SafetensorsWriter> SafetensorsWriter::Create(const std::filesystem::path& path,
                                                            std::vector<TensorDeclaration> tensors,
                                                            const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorDeclaration& a, const TensorDeclaration& b) {
    if (DTypeSize(a.dtype) != DTypeSize(b.dtype)) return DTypeSize(a.dtype) > DTypeSize(b.dtype);
    return a.name < b.name;
  });
  TERSOR_ASSIGN_OR_RETURN(const std::string header, HeaderBytes(tensors, metadata, path));
  TERSOR_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  TERSOR_RETURN_IF_ERROR(file.Append(header));
  auto state = std::make_unique<State>(State{std::move(file), path});
  if (!tensors.empty()) state->wanted = TensorBytes(tensors[0]);
  SafetensorsWriter writer(std::move(state), std::move(tensors));
  writer.PassOverComplete();
  return writer;
}

void SafetensorsWriter::PassOverComplete() {
  while (state_->next < order_.size() && state_->wanted == 0) {
    if (++state_->next < order_.size()) state_->wanted = TensorBytes(order_[state_->next]);
  }
}

absl::Status SafetensorsWriter::Append(std::span<const std::byte> bytes) {
  if (bytes.size() > state_->wanted) {
    return Fault(state_->path, state_->next < order_.size() ? order_[state_->next].name : "(none)",
                 absl::StrCat("takes ", state_->wanted, " more bytes, not ", bytes.size()));
  }
  TERSOR_RETURN_IF_ERROR(state_->file.Append(bytes.data(), bytes.size()));
  state_->wanted -= bytes.size();
  PassOverComplete();
  return absl::OkStatus();
}

absl::Status SafetensorsWriter::AppendTensor(absl::string_view name, const Tensor& tensor) {
  if (tensor.bytes().empty()) return absl::OkStatus();
  const TensorDeclaration* next = state_->next < order_.size() ? &order_[state_->next] : nullptr;
  if (next == nullptr || next->name != name || next->dtype != tensor.dtype() || next->shape != tensor.shape()) {
    return Fault(state_->path, name,
                 absl::StrCat(DTypeName(tensor.dtype()), " ", ShapeString(tensor.shape()),
                              " comes out of turn or is not what was declared"));
  }
  return Append(tensor.bytes());
}

absl::Status SafetensorsWriter::Finish() {
  if (state_->next < order_.size()) {
    return absl::FailedPreconditionError(absl::StrCat(state_->path.string(), ": tensor \"", order_[state_->next].name,
                                                      "\" misses ", state_->wanted, " bytes"));
  }
  return state_->file.Commit();
}

}  // namespace tersor
