#include "core/formats/tensor_shard.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/encoding/encoding_registry.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

constexpr int kShardVersion = 1;
constexpr const char* kShardKey = "tersor.shard";

std::string FieldName(absl::string_view parameter, absl::string_view field) {
  return absl::StrCat(parameter, "/", field);
}

absl::Status Fault(absl::string_view where, absl::string_view parameter, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": parameter \"", parameter, "\": ", what));
}

absl::StatusOr<Shape> ParseShape(const nlohmann::json& row, absl::string_view where, absl::string_view parameter) {
  const auto list = row.find("shape");
  if (list == row.end() || !list->is_array() || list->empty() || list->size() > 2) {
    return Fault(where, parameter, "its shape is not a list of 1 or 2 dimensions");
  }
  Shape shape;
  for (const nlohmann::json& dimension : *list) {
    if (!dimension.is_number_unsigned() || dimension.get<uint64_t>() > uint64_t{1} << 62) {
      return Fault(where, parameter, absl::StrCat("impossible dimension ", JsonText(dimension)));
    }
    shape.push_back(static_cast<int64_t>(dimension.get<uint64_t>()));
  }
  if (ElementCount(shape) < 0) return Fault(where, parameter, "its shape is too large");
  return shape;
}

// The fields of one parameter; takes their names out of `unclaimed`.
absl::StatusOr<std::vector<EncodedField>> ClaimFields(const Safetensors& file, const nlohmann::json& row,
                                                      absl::string_view where, absl::string_view parameter,
                                                      std::set<std::string>& unclaimed) {
  const auto names = row.find("fields");
  if (names == row.end() || !names->is_array()) return Fault(where, parameter, "has no list of fields");
  std::vector<EncodedField> fields;
  for (const nlohmann::json& name : *names) {
    if (!name.is_string()) return Fault(where, parameter, "a field's name is not a string");
    const std::string& field = name.get_ref<const std::string&>();
    const std::string stored = FieldName(parameter, field);
    if (unclaimed.erase(stored) == 0) {
      return Fault(where, parameter, absl::StrCat("field \"", field, "\" is missing or taken twice"));
    }
    fields.push_back({field, file.tensors.at(stored)});
  }
  return fields;
}

absl::StatusOr<EncodedTensorPtr> RebuildOne(const Safetensors& file, const std::string& parameter,
                                            const nlohmann::json& row, absl::string_view where,
                                            std::set<std::string>& unclaimed) {
  if (!row.is_object()) return Fault(where, parameter, "its description is not an object");
  const auto encoding = row.find("encoding");
  if (encoding == row.end() || !encoding->is_string()) return Fault(where, parameter, "has no encoding");
  const auto parameters = row.find("parameters");
  if (parameters == row.end() || !parameters->is_object()) return Fault(where, parameter, "has no parameters");
  TERSOR_ASSIGN_OR_RETURN(const Shape shape, ParseShape(row, where, parameter));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<EncodedField> fields, ClaimFields(file, row, where, parameter, unclaimed));
  absl::StatusOr<EncodedTensorPtr> tensor =
      DecodeFields(encoding->get_ref<const std::string&>(), shape, fields, *parameters);
  if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat(where, ": parameter \"", parameter, "\""));
  return tensor;
}

bool SameField(const EncodedField& a, const EncodedField& b) {
  return a.name == b.name && a.tensor.dtype() == b.tensor.dtype() && a.tensor.shape() == b.tensor.shape() &&
         std::equal(a.tensor.bytes().begin(), a.tensor.bytes().end(), b.tensor.bytes().begin(), b.tensor.bytes().end());
}

bool SameTensor(const EncodedTensor& a, const EncodedTensor& b) {
  const std::vector<EncodedField> left = a.Fields(), right = b.Fields();
  return a.encoding() == b.encoding() && a.shape() == b.shape() && a.Parameters() == b.Parameters() &&
         std::equal(left.begin(), left.end(), right.begin(), right.end(), SameField);
}

absl::StatusOr<nlohmann::json> ShardHeader(const Safetensors& file, const std::string& where) {
  const auto text = file.metadata.find(kShardKey);
  if (text == file.metadata.end()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": not a shard of Tersor (no \"", kShardKey, "\")"));
  }
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json header, ParseJsonObject(text->second, where));
  const auto version = header.find("version");
  if (version == header.end() || !version->is_number_unsigned()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": shard without a version"));
  }
  if (version->get<uint64_t>() > kShardVersion) {
    return absl::UnimplementedError(absl::StrCat(where, ": shard of version ", version->get<uint64_t>(),
                                                 "; this program reads up to ", kShardVersion));
  }
  if (!header.contains("tensors") || !header.contains("extra")) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": shard without tensors or extra"));
  }
  return header;
}

}  // namespace

nlohmann::json DescribeTensors(const EncodedTensors& tensors) {
  nlohmann::json description = nlohmann::json::object();
  for (const auto& [name, tensor] : tensors) {
    nlohmann::json fields = nlohmann::json::array();
    for (const EncodedField& field : tensor->Fields()) fields.push_back(field.name);
    description[name] = {{"encoding", tensor->encoding()},
                         {"shape", tensor->shape()},
                         {"parameters", tensor->Parameters()},
                         {"fields", std::move(fields)}};
  }
  return description;
}

absl::Status WriteEncodedTensors(const std::filesystem::path& path, const EncodedTensors& tensors,
                                 const std::map<std::string, std::string>& metadata) {
  struct Source {
    const EncodedTensor* tensor;
    size_t field;
  };
  std::vector<TensorDeclaration> declarations;
  std::map<std::string, Source> sources;
  for (const auto& [name, tensor] : tensors) {
    const std::vector<EncodedField> fields = tensor->Fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      std::string field_name = FieldName(name, fields[i].name);
      declarations.push_back({field_name, fields[i].tensor.dtype(), fields[i].tensor.shape()});
      sources.emplace(std::move(field_name), Source{tensor.get(), i});
    }
  }
  TERSOR_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(declarations), metadata));
  for (const TensorDeclaration& next : writer.order()) {
    const Source& source = sources.at(next.name);
    // Asked for again rather than kept: some encodings compose their fields on demand.
    TERSOR_RETURN_IF_ERROR(writer.AppendTensor(next.name, source.tensor->Fields()[source.field].tensor));
  }
  return writer.Finish();
}

absl::StatusOr<EncodedTensors> RebuildTensors(const Safetensors& file, const nlohmann::json& description,
                                              absl::string_view where) {
  if (!description.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": the table of parameters is not an object"));
  }
  std::set<std::string> unclaimed;
  for (const auto& [name, tensor] : file.tensors) unclaimed.insert(name);
  EncodedTensors tensors;
  for (const auto& [parameter, row] : description.items()) {
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor, RebuildOne(file, parameter, row, where, unclaimed));
    tensors.emplace(parameter, std::move(tensor));
  }
  if (!unclaimed.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": tensor \"", *unclaimed.begin(), "\" belongs to no parameter"));
  }
  return tensors;
}

absl::Status CompareEncodedTensors(const EncodedTensors& expected, const EncodedTensors& found) {
  for (const auto& [name, tensor] : expected) {
    const auto it = found.find(name);
    if (it == found.end()) return absl::DataLossError(absl::StrCat("parameter \"", name, "\" was not written"));
    if (!SameTensor(*tensor, *it->second)) {
      return absl::DataLossError(absl::StrCat("parameter \"", name, "\" reads back differently than it was written"));
    }
  }
  for (const auto& [name, tensor] : found) {
    if (expected.count(name) == 0) return absl::DataLossError(absl::StrCat("parameter \"", name, "\" is too many"));
  }
  return absl::OkStatus();
}

absl::Status WriteTensorShard(const std::filesystem::path& path, const EncodedTensors& tensors,
                              const nlohmann::json& extra) {
  const nlohmann::json header = {{"version", kShardVersion}, {"tensors", DescribeTensors(tensors)}, {"extra", extra}};
  return WriteEncodedTensors(path, tensors, {{kShardKey, JsonText(header)}});
}

absl::StatusOr<TensorShard> ReadTensorShard(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const Safetensors file, ReadSafetensors(path));
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json header, ShardHeader(file, path.string()));
  TensorShard shard;
  TERSOR_ASSIGN_OR_RETURN(shard.tensors, RebuildTensors(file, header["tensors"], path.string()));
  shard.extra = std::move(header["extra"]);
  return shard;
}

}  // namespace tersor
