#include "core/formats/gguf_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

constexpr uint64_t kAlignment = 32;
constexpr uint32_t kVersion = 3;
constexpr size_t kMaxNameBytes = 63;

// Types of metadata values.
constexpr uint32_t kUint32 = 4;
constexpr uint32_t kInt32 = 5;
constexpr uint32_t kFloat32 = 6;
constexpr uint32_t kBool = 7;
constexpr uint32_t kString = 8;
constexpr uint32_t kArray = 9;

// Tersor runs on little-endian machines only, so a value's bytes are the file's.
template <typename T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void PutString(std::string& out, absl::string_view text) {
  Put<uint64_t>(out, text.size());
  out.append(text.data(), text.size());
}

uint64_t Padding(uint64_t position) { return (kAlignment - position % kAlignment) % kAlignment; }

absl::StatusOr<std::string> TensorTable(const std::vector<GgufTensorDeclaration>& tensors,
                                        const std::filesystem::path& path) {
  std::string table;
  std::set<absl::string_view> names;
  uint64_t offset = 0;
  for (const GgufTensorDeclaration& tensor : tensors) {
    const auto fault = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(path.string(), ": tensor \"", tensor.name, "\": ", what));
    };
    if (tensor.name.empty() || tensor.name.size() > kMaxNameBytes) return fault("its name is not 1 to 63 bytes long");
    if (!names.insert(tensor.name).second) return fault("stands twice");
    if (tensor.shape.empty() || tensor.shape.size() > 4 || ElementCount(tensor.shape) < 1) {
      return fault(absl::StrCat("shape ", ShapeString(tensor.shape), " cannot be written"));
    }
    PutString(table, tensor.name);
    Put<uint32_t>(table, static_cast<uint32_t>(tensor.shape.size()));
    for (auto dimension = tensor.shape.rbegin(); dimension != tensor.shape.rend(); ++dimension) {
      Put<uint64_t>(table, static_cast<uint64_t>(*dimension));
    }
    Put<uint32_t>(table, tensor.type);
    Put<uint64_t>(table, offset);
    offset += tensor.bytes + Padding(tensor.bytes);
  }
  return table;
}

}  // namespace

void GgufMetadataBuilder::Key(absl::string_view key, uint32_t type) {
  if (!keys_.insert(std::string(key)).second && status_.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrCat("metadata key \"", key, "\" is given twice"));
  }
  PutString(bytes_, key);
  Put(bytes_, type);
}

void GgufMetadataBuilder::ArrayKey(absl::string_view key, uint32_t type, uint64_t count) {
  Key(key, kArray);
  Put(bytes_, type);
  Put(bytes_, count);
}

void GgufMetadataBuilder::Uint32(absl::string_view key, uint32_t value) {
  Key(key, kUint32);
  Put(bytes_, value);
}

void GgufMetadataBuilder::Float32(absl::string_view key, float value) {
  Key(key, kFloat32);
  Put(bytes_, value);
}

void GgufMetadataBuilder::Bool(absl::string_view key, bool value) {
  Key(key, kBool);
  Put<uint8_t>(bytes_, value ? 1 : 0);
}

void GgufMetadataBuilder::String(absl::string_view key, absl::string_view value) {
  Key(key, kString);
  PutString(bytes_, value);
}

void GgufMetadataBuilder::Strings(absl::string_view key, std::span<const std::string> values) {
  ArrayKey(key, kString, values.size());
  for (const std::string& value : values) PutString(bytes_, value);
}

void GgufMetadataBuilder::Int32s(absl::string_view key, std::span<const int32_t> values) {
  ArrayKey(key, kInt32, values.size());
  for (const int32_t value : values) Put(bytes_, value);
}

void GgufMetadataBuilder::Float32s(absl::string_view key, std::span<const float> values) {
  ArrayKey(key, kFloat32, values.size());
  for (const float value : values) Put(bytes_, value);
}

struct GgufWriter::State {
  AtomicFile file;
  std::vector<GgufTensorDeclaration> tensors;
  std::filesystem::path path;
  // The tensor that takes the next byte, and how many bytes it has.
  size_t next = 0;
  uint64_t written = 0;
  bool sealed = false;
};

GgufWriter::GgufWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
GgufWriter::GgufWriter(GgufWriter&&) noexcept = default;
GgufWriter& GgufWriter::operator=(GgufWriter&&) noexcept = default;
GgufWriter::~GgufWriter() = default;

const std::filesystem::path& GgufWriter::temporary_path() const { return state_->file.temporary_path(); }

absl::StatusOr<GgufWriter> GgufWriter::Create(const std::filesystem::path& path, const GgufMetadataBuilder& metadata,
                                              std::vector<GgufTensorDeclaration> tensors) {
  TERSOR_RETURN_IF_ERROR(metadata.status());
  TERSOR_ASSIGN_OR_RETURN(const std::string table, TensorTable(tensors, path));
  std::string header = "GGUF";
  Put(header, kVersion);
  Put<uint64_t>(header, tensors.size());
  Put<uint64_t>(header, metadata.count());
  header += metadata.bytes();
  header += table;
  header.append(Padding(header.size()), '\0');
  TERSOR_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  TERSOR_RETURN_IF_ERROR(file.Append(header));
  GgufWriter writer(std::make_unique<State>(State{std::move(file), std::move(tensors), path}));
  TERSOR_RETURN_IF_ERROR(writer.FinishTensors());
  return writer;
}

// Pads the tensors that are complete and goes to the next one.
absl::Status GgufWriter::FinishTensors() {
  State& state = *state_;
  while (state.next < state.tensors.size() && state.written == state.tensors[state.next].bytes) {
    TERSOR_RETURN_IF_ERROR(state.file.Append(std::string(Padding(state.written), '\0')));
    ++state.next;
    state.written = 0;
  }
  return absl::OkStatus();
}

absl::Status GgufWriter::Append(std::span<const std::byte> bytes) {
  State& state = *state_;
  const uint64_t wanted = state.next < state.tensors.size() ? state.tensors[state.next].bytes - state.written : 0;
  if (bytes.size() > wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat(state.path.string(), ": ", bytes.size(), " bytes for tensor \"",
                     state.next < state.tensors.size() ? state.tensors[state.next].name : "(none)", "\", which takes ",
                     wanted, " more"));
  }
  TERSOR_RETURN_IF_ERROR(state.file.Append(bytes.data(), bytes.size()));
  state.written += bytes.size();
  return FinishTensors();
}

absl::Status GgufWriter::Seal() {
  const State& state = *state_;
  if (state.next < state.tensors.size()) {
    const GgufTensorDeclaration& tensor = state.tensors[state.next];
    return absl::FailedPreconditionError(absl::StrCat(state.path.string(), ": tensor \"", tensor.name, "\" misses ",
                                                      tensor.bytes - state.written, " bytes"));
  }
  state_->sealed = true;
  return absl::OkStatus();
}

absl::Status GgufWriter::Commit() {
  if (!state_->sealed) return absl::FailedPreconditionError(absl::StrCat(state_->path.string(), ": is not complete"));
  return state_->file.Commit();
}

}  // namespace tersor
