#include "core/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "core/formats/file_kind.h"
#include "core/formats/json_text.h"
#include "core/tensor/mapped_file.h"

namespace tersor {
namespace {

// The limit of the format's own library.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr absl::string_view kMetadataKey = "__metadata__";
constexpr absl::string_view kSingleName = "model.safetensors";
constexpr absl::string_view kIndexName = "model.safetensors.index.json";

// Types that safetensors has and nothing here computes with.
struct UnreadDType {
  absl::string_view name;
  absl::string_view what;
};
constexpr std::array kUnread = {
    UnreadDType{"F8_E8M0", "powers of two (scales of MX formats), is not read; store their bytes as U8"},
    UnreadDType{"F4", "4-bit floats without a byte each, is not read; store two of them in a U8"},
    UnreadDType{"F6_E2M3", "6-bit floats, is not read; convert the tensor to F8_E4M3 or F16"},
    UnreadDType{"F6_E3M2", "6-bit floats, is not read; convert the tensor to F8_E5M2 or F16"},
    UnreadDType{"F8_E4M3FNUZ", "8-bit floats without negative zero, is not read; convert the tensor to F8_E4M3 or F16"},
    UnreadDType{"F8_E5M2FNUZ", "8-bit floats without negative zero, is not read; convert the tensor to F8_E5M2 or F16"},
    UnreadDType{"C64", "complex numbers, is not read; no weight of a model that is read is complex"},
};

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  uint64_t begin;
  uint64_t end;
};

absl::Status Fault(absl::string_view file, absl::string_view tensor, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file, ": tensor \"", tensor, "\": ", what));
}

absl::StatusOr<DType> ParseDType(const nlohmann::json& value, absl::string_view file, absl::string_view tensor) {
  const auto dtype = value.find("dtype");
  if (dtype == value.end() || !dtype->is_string()) return Fault(file, tensor, "has no dtype");
  const std::string& name = dtype->get_ref<const std::string&>();
  const std::optional<DType> known = DTypeFromName(name);
  if (known.has_value()) return *known;
  for (const UnreadDType& row : kUnread) {
    if (row.name == name) return Fault(file, tensor, absl::StrCat("dtype \"", name, "\", ", row.what));
  }
  return Fault(file, tensor, absl::StrCat("unknown dtype \"", name, "\""));
}

absl::StatusOr<Shape> ParseShape(const nlohmann::json& value, absl::string_view file, absl::string_view tensor) {
  const auto list = value.find("shape");
  if (list == value.end() || !list->is_array()) return Fault(file, tensor, "has no shape");
  Shape shape;
  for (const nlohmann::json& dimension : *list) {
    if (!dimension.is_number_unsigned() || dimension.get<uint64_t>() > uint64_t{1} << 62) {
      return Fault(file, tensor, absl::StrCat("impossible dimension ", JsonText(dimension)));
    }
    shape.push_back(static_cast<int64_t>(dimension.get<uint64_t>()));
  }
  if (ElementCount(shape) < 0) return Fault(file, tensor, absl::StrCat("shape ", ShapeString(shape), " is too large"));
  return shape;
}

absl::StatusOr<Entry> ParseEntry(const std::string& name, const nlohmann::json& value, absl::string_view file,
                                 uint64_t data_bytes) {
  if (!value.is_object()) return Fault(file, name, "its header entry is not an object");
  TERSOR_ASSIGN_OR_RETURN(const DType dtype, ParseDType(value, file, name));
  TERSOR_ASSIGN_OR_RETURN(Shape shape, ParseShape(value, file, name));
  const auto offsets = value.find("data_offsets");
  if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    return Fault(file, name, "data_offsets are not two whole numbers");
  }
  Entry entry{name, dtype, std::move(shape), (*offsets)[0].get<uint64_t>(), (*offsets)[1].get<uint64_t>()};
  if (entry.begin > entry.end || entry.end > data_bytes) {
    return Fault(
        file, name,
        absl::StrCat("bytes ", entry.begin, "..", entry.end, " lie outside the file's ", data_bytes, " data bytes"));
  }
  const uint64_t elements = static_cast<uint64_t>(ElementCount(entry.shape));
  const uint64_t bytes = entry.end - entry.begin;
  if (bytes % DTypeSize(dtype) != 0 || bytes / DTypeSize(dtype) != elements) {
    return Fault(file, name,
                 absl::StrCat("has ", bytes, " bytes, but shape ", ShapeString(entry.shape), " of ", DTypeName(dtype),
                              " needs ", elements, " x ", DTypeSize(dtype)));
  }
  return entry;
}

// Tensors must cover the data bytes without overlap or hole.
absl::Status CheckCoverage(std::vector<Entry>& entries, uint64_t data_bytes, absl::string_view file) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < covered) return Fault(file, entry.name, "overlaps the tensor before it");
    if (entry.begin > covered) {
      return Fault(file, entry.name, absl::StrCat("leaves a hole of ", entry.begin - covered, " bytes before it"));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", data_bytes - covered, " bytes at the end belong to no tensor"));
  }
  return absl::OkStatus();
}

absl::Status ParseMetadata(const nlohmann::json& value, absl::string_view file,
                           std::map<std::string, std::string>& metadata) {
  // The format's own library takes a null for none.
  if (value.is_null()) return absl::OkStatus();
  if (!value.is_object()) return absl::InvalidArgumentError(absl::StrCat(file, ": __metadata__ is not an object"));
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": __metadata__ \"", key, "\" is not a string"));
    }
    metadata[key] = text.get_ref<const std::string&>();
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> HeaderBytes(std::span<const std::byte> bytes, absl::string_view file) {
  const absl::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < sizeof(uint64_t)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", bytes.size(), " bytes are too few for safetensors", WhatItIsHint(text)));
  }
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | std::to_integer<uint64_t>(bytes[i]);
  if (header_bytes > kMaxHeaderBytes || header_bytes == 0) {
    if (const std::string kind = WhatItIs(text); !kind.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": not a safetensors file: ", kind));
    }
    return absl::InvalidArgumentError(absl::StrCat(file, ": header of ", header_bytes, " bytes; the limit is ",
                                                   kMaxHeaderBytes, " (is this a safetensors file?)"));
  }
  if (header_bytes > bytes.size() - sizeof(uint64_t)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": header of ", header_bytes, " bytes in a file of ", bytes.size(), " (truncated?)"));
  }
  return header_bytes;
}

// "shard.safetensors", not "../shard", "/shard" or "a/shard".
bool IsPlainFileName(absl::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == absl::string_view::npos &&
         name.find('\0') == absl::string_view::npos;
}

// Shard name -> the tensors that the index gives it.
absl::StatusOr<std::map<std::string, std::vector<std::string>>> ReadIndex(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(path, kMaxHeaderBytes));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json index, ParseJsonObject(text, path.string()));
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": has no weight_map"));
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !IsPlainFileName(shard.get_ref<const std::string&>())) {
      return Fault(path.string(), tensor, absl::StrCat("shard ", JsonText(shard), " is not a plain file name"));
    }
    shards[shard.get_ref<const std::string&>()].push_back(tensor);
  }
  return shards;
}

// Weights of other kinds, or shards without their index, that the folder holds instead: the end of a message.
std::string InsteadOf(const std::filesystem::path& folder) {
  constexpr std::array<absl::string_view, 7> kEndings = {".safetensors", ".bin", ".pt",  ".pth",
                                                         ".gguf",        ".h5",  ".onnx"};
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension().string();
    if (std::find(kEndings.begin(), kEndings.end(), extension) != kEndings.end()) {
      names.push_back(it->path().filename().string());
    }
  }
  if (names.empty()) return "; it holds no weights at all";
  std::sort(names.begin(), names.end());
  absl::string_view what = "save the model as safetensors (save_pretrained)";
  if (absl::StartsWith(names.front(), "adapter_model")) what = "this is an adapter: merge it into its model";
  if (absl::EndsWith(names.front(), ".gguf")) what = "give the path of the GGUF file itself";
  if (absl::StartsWith(names.front(), "model-0"))
    what = "the index is missing: copy it from where the shards came from";
  return absl::StrCat("; it holds ", names.front(), names.size() > 1 ? " and others" : "", ": ", what);
}

}  // namespace

absl::StatusOr<Tensor> Safetensors::Find(absl::string_view name) const {
  const auto it = tensors.find(name);
  if (it != tensors.end()) return it->second;
  return absl::NotFoundError(
      absl::StrCat(files.empty() ? "safetensors" : files.front().string(), ": has no tensor \"", name, "\""));
}

absl::StatusOr<Safetensors> ParseSafetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                             absl::string_view name) {
  TERSOR_ASSIGN_OR_RETURN(const uint64_t header_bytes, HeaderBytes(bytes, name));
  const absl::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(uint64_t), header_bytes);
  const std::span<const std::byte> data = bytes.subspan(sizeof(uint64_t) + header_bytes);
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json header, ParseJsonObject(text, absl::StrCat(name, ": header")));

  Safetensors result;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == kMetadataKey) {
      TERSOR_RETURN_IF_ERROR(ParseMetadata(value, name, result.metadata));
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(Entry entry, ParseEntry(key, value, name, data.size()));
    entries.push_back(std::move(entry));
  }
  TERSOR_RETURN_IF_ERROR(CheckCoverage(entries, data.size(), name));
  for (Entry& entry : entries) {
    absl::StatusOr<Tensor> tensor =
        Tensor::View(entry.dtype, std::move(entry.shape), data.subspan(entry.begin, entry.end - entry.begin), owner);
    if (!tensor.ok()) return Fault(name, entry.name, tensor.status().message());
    result.tensors.emplace(std::move(entry.name), *std::move(tensor));
  }
  return result;
}

absl::StatusOr<Safetensors> ReadSafetensors(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  TERSOR_ASSIGN_OR_RETURN(Safetensors result, ParseSafetensors(file->bytes(), file, path.string()));
  result.files.push_back(path);
  return result;
}

absl::StatusOr<Safetensors> ReadSafetensorsFolder(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path single = folder / std::string(kSingleName);
  if (std::filesystem::exists(single, error)) return ReadSafetensors(single);
  const std::filesystem::path index = folder / std::string(kIndexName);
  if (!std::filesystem::exists(index, error)) {
    return absl::NotFoundError(
        absl::StrCat(folder.string(), ": holds neither ", kSingleName, " nor ", kIndexName, InsteadOf(folder)));
  }
  TERSOR_ASSIGN_OR_RETURN(const auto shards, ReadIndex(index));
  Safetensors result;
  for (const auto& [shard, names] : shards) {
    TERSOR_ASSIGN_OR_RETURN(Safetensors part, ReadSafetensors(folder / shard));
    for (const std::string& name : names) {
      TERSOR_ASSIGN_OR_RETURN(Tensor tensor, part.Find(name));
      result.tensors.emplace(name, std::move(tensor));
    }
    if (result.files.empty()) result.metadata = std::move(part.metadata);
    result.files.push_back(folder / shard);
  }
  return result;
}

}  // namespace tersor
