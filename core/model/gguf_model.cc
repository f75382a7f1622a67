#include <utility>

#include "core/formats/gguf_reader.h"
#include "core/model/gguf_assets.h"
#include "core/model/gguf_spec.h"
#include "core/model/model_source.h"
#include "core/model/parameter_table.h"

namespace tersor {
namespace {

absl::Status FillModel(GgufFile file, Model& model) {
  TERSOR_ASSIGN_OR_RETURN(model.spec, SpecFromGguf(file));
  TERSOR_ASSIGN_OR_RETURN(model.assets, AssetsFromGguf(file.metadata, model.spec, model.source.warnings));
  // Their factors are in the spec by now.
  for (const absl::string_view name : {kGgufRopeFactorsName, kGgufShortFactorsName, kGgufLongFactorsName}) {
    if (const auto factors = file.tensors.find(name); factors != file.tensors.end()) file.tensors.erase(factors);
  }
  TERSOR_ASSIGN_OR_RETURN(model.parameters, TakeGgufParameters(model.spec, std::move(file.tensors)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Model> LoadGguf(const std::filesystem::path& path, bool hash_content) {
  TERSOR_ASSIGN_OR_RETURN(GgufFile file, ReadGguf(path));
  const std::vector<std::filesystem::path> paths = file.paths;
  Model model;
  absl::Status status = FillModel(std::move(file), model);
  if (!status.ok()) return Annotate(status, path.string());
  if (model.spec.name.empty()) model.spec.name = path.stem().string();
  model.source.path = path;
  model.source.format = "gguf";
  TERSOR_ASSIGN_OR_RETURN(model.source.weight_bytes, FileBytes(paths));
  if (!hash_content) return model;
  TERSOR_ASSIGN_OR_RETURN(model.source.sha256, HashFiles(paths));
  return model;
}

}  // namespace tersor
