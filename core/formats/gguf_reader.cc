#include "core/formats/gguf_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/gguf_block_tensor.h"
#include "core/formats/byte_cursor.h"
#include "core/formats/gguf_metadata_reader.h"
#include "core/formats/gguf_split.h"
#include "core/tensor/mapped_file.h"

namespace tersor {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint32_t kMaxDimensions = 4;
// Some hundred times the largest file's; each costs memory beside its entry in the file.
constexpr uint64_t kMaxTensors = 1 << 18;
constexpr size_t kMaxNameBytes = 4096;
// Name length, dimension count, one dimension, type, offset.
constexpr size_t kTensorEntryBytes = 8 + 4 + 8 + 4 + 8;

struct DenseType {
  uint32_t id;
  DType dtype;
};
constexpr std::array kDenseTypes = {DenseType{0, DType::kF32}, DenseType{1, DType::kF16}, DenseType{30, DType::kBF16}};

// Names of the types that exist but are not read, for the message.
struct OtherType {
  uint32_t id;
  absl::string_view name;
};
constexpr std::array kOtherTypes = {
    OtherType{9, "Q8_1"}, OtherType{24, "I8"},  OtherType{25, "I16"},  OtherType{26, "I32"},
    OtherType{27, "I64"}, OtherType{28, "F64"}, OtherType{41, "Q1_0"},
};

struct TensorEntry {
  std::string name;
  Shape shape;
  // Exactly one of the two is set.
  const GgufBlockType* block_type = nullptr;
  const DenseType* dense_type = nullptr;
  uint64_t offset = 0;
  uint64_t bytes = 0;

  std::string Label() const { return absl::StrCat("tensor \"", absl::CHexEscape(name.substr(0, 200)), "\""); }
};

absl::Status UnreadType(const TensorEntry& entry, uint32_t type) {
  for (const OtherType& other : kOtherTypes) {
    if (other.id == type) {
      return absl::UnimplementedError(absl::StrCat(
          entry.Label(), " is of type ", other.name, "; Tersor reads F32, F16, BF16, ",
          absl::StrJoin(GgufBlockTypes(), ", ",
                        [](std::string* out, const GgufBlockType& type) { absl::StrAppend(out, type.name); })));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(entry.Label(), " is of the unknown type ", type));
}

// Sets the entry's type and byte count.
absl::Status ResolveType(TensorEntry& entry, uint32_t type) {
  entry.block_type = FindGgufBlockType(type);
  for (const DenseType& dense : kDenseTypes) {
    if (dense.id == type) entry.dense_type = &dense;
  }
  if (entry.block_type == nullptr && entry.dense_type == nullptr) return UnreadType(entry, type);
  const int64_t block_values = entry.block_type ? entry.block_type->values : 1;
  const uint64_t block_bytes = entry.block_type ? entry.block_type->bytes : DTypeSize(entry.dense_type->dtype);
  const int64_t elements = ElementCount(entry.shape);
  if (elements < 0 || elements > std::numeric_limits<int64_t>::max() / 8) {
    return absl::InvalidArgumentError(
        absl::StrCat(entry.Label(), " has the impossible shape ", ShapeString(entry.shape)));
  }
  if (entry.shape.back() % block_values != 0) {
    return absl::InvalidArgumentError(absl::StrCat(entry.Label(), " has rows of ", entry.shape.back(),
                                                   " values, no multiple of the ", block_values, " of a ",
                                                   entry.block_type->name, " block"));
  }
  entry.bytes = static_cast<uint64_t>(elements / block_values) * block_bytes;
  return absl::OkStatus();
}

absl::StatusOr<TensorEntry> ReadEntry(ByteCursor& cursor, uint64_t index) {
  TensorEntry entry;
  TERSOR_ASSIGN_OR_RETURN(entry.name, cursor.ReadString(absl::StrCat("name of tensor ", index), kMaxNameBytes));
  const std::string label = entry.Label();
  TERSOR_ASSIGN_OR_RETURN(const uint32_t dimensions, cursor.Read<uint32_t>(label));
  if (dimensions < 1 || dimensions > kMaxDimensions) {
    return absl::InvalidArgumentError(
        absl::StrCat(label, " has ", dimensions, " dimensions; 1 to ", kMaxDimensions, " are possible"));
  }
  for (uint32_t i = 0; i < dimensions; ++i) {
    TERSOR_ASSIGN_OR_RETURN(const uint64_t dimension, cursor.Read<uint64_t>(label));
    if (dimension == 0 || dimension > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(absl::StrCat(label, " has a dimension of ", dimension));
    }
    entry.shape.insert(entry.shape.begin(), static_cast<int64_t>(dimension));
  }
  TERSOR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(label));
  TERSOR_ASSIGN_OR_RETURN(entry.offset, cursor.Read<uint64_t>(label));
  TERSOR_RETURN_IF_ERROR(ResolveType(entry, type));
  return entry;
}

absl::StatusOr<std::vector<TensorEntry>> ReadTable(ByteCursor& cursor, uint64_t count) {
  TERSOR_RETURN_IF_ERROR(cursor.NeedItems(count, kTensorEntryBytes, "the tensor table"));
  if (count > kMaxTensors) {
    return absl::InvalidArgumentError(absl::StrCat("the tensor table has ", count, " tensors; at most ", kMaxTensors));
  }
  std::vector<TensorEntry> entries;
  std::set<std::string> names;
  for (uint64_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(TensorEntry entry, ReadEntry(cursor, i));
    if (!names.insert(entry.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(entry.Label(), " stands twice"));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<uint64_t> Alignment(const GgufMetadata& metadata) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t alignment, metadata.IntegerOr("general.alignment", kDefaultAlignment));
  if (alignment < 1 || alignment > (1 << 20) || (alignment & (alignment - 1)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("general.alignment is ", alignment, ", not a power of two up to 2^20"));
  }
  return static_cast<uint64_t>(alignment);
}

// That every tensor lies aligned within `data_bytes` and shares no byte with another.
absl::Status CheckPlaces(const std::vector<TensorEntry>& entries, uint64_t alignment, uint64_t data_bytes) {
  std::vector<const TensorEntry*> ordered;
  for (const TensorEntry& entry : entries) {
    if (entry.offset % alignment != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(entry.Label(), " has offset ", entry.offset, ", no multiple of the alignment ", alignment));
    }
    if (entry.offset > data_bytes || entry.bytes > data_bytes - entry.offset) {
      return absl::InvalidArgumentError(absl::StrCat(entry.Label(), " takes ", entry.bytes, " bytes at offset ",
                                                     entry.offset, " of ", data_bytes,
                                                     " bytes of tensor data: past the end (is the file truncated?)"));
    }
    ordered.push_back(&entry);
  }
  std::sort(ordered.begin(), ordered.end(),
            [](const TensorEntry* a, const TensorEntry* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < ordered.size(); ++i) {
    if (ordered[i - 1]->offset + ordered[i - 1]->bytes > ordered[i]->offset) {
      return absl::InvalidArgumentError(absl::StrCat(ordered[i]->Label(), " overlaps ", ordered[i - 1]->Label()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<EncodedTensorPtr> MakeTensor(const TensorEntry& entry, std::span<const std::byte> bytes,
                                            std::shared_ptr<const void> owner) {
  Shape shape = entry.shape;
  // Third and fourth dimensions of 1 say nothing.
  while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
  if (entry.dense_type != nullptr) {
    TERSOR_ASSIGN_OR_RETURN(Tensor values, Tensor::View(entry.dense_type->dtype, shape, bytes, std::move(owner)));
    return DenseTensor::Create(std::move(values));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor blocks,
                          Tensor::View(DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes, std::move(owner)));
  return GgufBlockTensor::Create(*entry.block_type, std::move(shape), std::move(blocks));
}

struct Header {
  uint64_t tensor_count = 0;
  uint64_t metadata_count = 0;
};

absl::StatusOr<Header> ReadHeader(ByteCursor& cursor) {
  TERSOR_ASSIGN_OR_RETURN(const uint32_t magic, cursor.Read<uint32_t>("the header"));
  if (magic != kMagic) return absl::InvalidArgumentError("not a GGUF file: it does not begin with \"GGUF\"");
  TERSOR_ASSIGN_OR_RETURN(const uint32_t version, cursor.Read<uint32_t>("the header"));
  if (version != 2 && version != 3) {
    const bool swapped = (version & 0xffff) == 0;
    return absl::UnimplementedError(absl::StrCat("GGUF version ", version, swapped ? " (a big-endian file?)" : "",
                                                 " is not read; versions 2 and 3 are"));
  }
  Header header;
  TERSOR_ASSIGN_OR_RETURN(header.tensor_count, cursor.Read<uint64_t>("the header"));
  TERSOR_ASSIGN_OR_RETURN(header.metadata_count, cursor.Read<uint64_t>("the header"));
  return header;
}

absl::StatusOr<GgufFile> Parse(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  ByteCursor cursor(bytes);
  GgufFile file;
  file.metadata.KeepAlive(owner);
  TERSOR_ASSIGN_OR_RETURN(const Header header, ReadHeader(cursor));
  TERSOR_RETURN_IF_ERROR(ReadGgufMetadata(cursor, header.metadata_count, file.metadata));
  TERSOR_ASSIGN_OR_RETURN(const uint64_t alignment, Alignment(file.metadata));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<TensorEntry> entries, ReadTable(cursor, header.tensor_count));
  const uint64_t data_begin = (cursor.position() + alignment - 1) / alignment * alignment;
  const uint64_t data_bytes = data_begin < bytes.size() ? bytes.size() - data_begin : 0;
  TERSOR_RETURN_IF_ERROR(CheckPlaces(entries, alignment, data_bytes));
  for (const TensorEntry& entry : entries) {
    absl::StatusOr<EncodedTensorPtr> tensor =
        MakeTensor(entry, bytes.subspan(data_begin + entry.offset, entry.bytes), owner);
    if (!tensor.ok()) return Annotate(tensor.status(), entry.Label());
    file.tensors.emplace(entry.name, *std::move(tensor));
  }
  return file;
}

absl::StatusOr<GgufFile> ReadOneFile(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> bytes, MappedFile::Open(path));
  TERSOR_ASSIGN_OR_RETURN(GgufFile file, ParseGguf(bytes->bytes(), bytes, path.string()));
  file.paths = {path};
  return file;
}

// Part `number` of the model, checked to be that.
absl::StatusOr<GgufFile> ReadPart(const std::filesystem::path& path, int64_t number, const GgufPart& first) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat("part ", number + 1, " of ", first.count, " is missing: ",
                                                   path.string(), ". Put all parts of the model into one folder"));
  }
  TERSOR_ASSIGN_OR_RETURN(GgufFile file, ReadOneFile(path));
  TERSOR_ASSIGN_OR_RETURN(const GgufPart part, ReadGgufPart(file.metadata));
  if (part.number == number && part.count == first.count) return file;
  return absl::InvalidArgumentError(absl::StrCat(path.string(), " says that it is part ", part.number + 1, " of ",
                                                 part.count, ", its name says part ", number + 1, " of ", first.count));
}

// Adds the tensors of the other parts to those of the first one.
absl::Status JoinParts(const GgufPart& first, GgufFile& file) {
  const std::vector<std::filesystem::path> paths = GgufPartPaths(file.paths.front());
  if (first.number != 0) {
    return absl::InvalidArgumentError(absl::StrCat("this is part ", first.number + 1, " of ", first.count,
                                                   " of a split model: name its first part, ...-00001-of-",
                                                   absl::Dec(first.count, absl::kZeroPad5), ".gguf"));
  }
  if (static_cast<int64_t>(paths.size()) != first.count) {
    return absl::InvalidArgumentError(absl::StrCat("this is the first of ", first.count,
                                                   " parts (split.count), and its name does not end in -00001-of-",
                                                   absl::Dec(first.count, absl::kZeroPad5),
                                                   ".gguf, by which the others are found. Give all parts the names "
                                                   "they had"));
  }
  for (size_t i = 1; i < paths.size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(GgufFile part, ReadPart(paths[i], static_cast<int64_t>(i), first));
    for (auto& [name, tensor] : part.tensors) {
      if (file.tensors.emplace(name, std::move(tensor)).second) continue;
      return absl::InvalidArgumentError(absl::StrCat("tensor \"", absl::CHexEscape(name.substr(0, 200)), "\" of ",
                                                     paths[i].string(), " stands in another part too"));
    }
  }
  if (first.tensors >= 0 && static_cast<int64_t>(file.tensors.size()) != first.tensors) {
    return absl::InvalidArgumentError(absl::StrCat("the ", first.count, " parts hold ", file.tensors.size(),
                                                   " tensors, split.tensors.count is ", first.tensors));
  }
  file.paths = paths;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GgufFile> ParseGguf(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                   absl::string_view name) {
  absl::StatusOr<GgufFile> file = Parse(bytes, std::move(owner));
  if (!file.ok()) return Annotate(file.status(), name);
  return file;
}

absl::StatusOr<GgufFile> ReadGguf(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(GgufFile file, ReadOneFile(path));
  absl::StatusOr<GgufPart> first = ReadGgufPart(file.metadata);
  if (!first.ok()) return Annotate(first.status(), path.string());
  if (first->count > 1) {
    const absl::Status joined = JoinParts(*first, file);
    if (!joined.ok()) return Annotate(joined, path.string());
  }
  return file;
}

}  // namespace tersor
