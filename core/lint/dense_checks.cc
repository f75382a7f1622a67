#include "core/lint/dense_checks.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "core/formats/json_text.h"
#include "core/formats/safetensors.h"
#include "core/lint/raw_matrix.h"
#include "core/model/container.h"
#include "core/tensor/finite.h"

namespace tersor {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMostManifest = uint64_t{256} << 20;
constexpr int64_t kSampledRows = 16;
// Readers compute in float and add up in orders of their own: this share of a row's largest value.
constexpr double kRounding = 1e-5;
constexpr absl::string_view kReport =
    "Report this with the file: one of Tersor's two readers is wrong, or the file is ambiguous";

void CompareMatrix(const std::string& name, const RawMatrix& raw, const EncodedTensor& loaded, Findings& findings) {
  std::vector<float> row(static_cast<size_t>(raw.columns));
  for (int64_t r = 0; r < raw.rows; r += std::max<int64_t>(1, raw.rows / kSampledRows)) {
    loaded.DecodeRows(r, 1, row.data());
    double largest = 0;
    for (const float value : row) largest = std::max(largest, std::abs(static_cast<double>(value)));
    for (int64_t i = 0; i < raw.columns; ++i) {
      const double value = raw.value(r, i);
      if (std::abs(value - row[i]) <= kRounding * largest || (std::isnan(value) && std::isnan(row[i]))) continue;
      return findings.Error(
          "DECODERS_DISAGREE", name,
          absl::StrCat("element [", r, ", ", i, "] is ", value, " by one reader and ", row[i], " by another"), kReport);
    }
  }
}

// Compares one parameter where both readers have it.
void CompareParameter(const std::string& name, const RawMatrix& raw, const Model& model, Findings& findings,
                      int64_t& compared) {
  const absl::StatusOr<EncodedTensorPtr> loaded = model.Find(name);
  if (!loaded.ok() || raw.value == nullptr || (*loaded)->columns() != raw.columns ||
      (*loaded)->elements() != raw.rows * raw.columns) {
    return;
  }
  ++compared;
  CompareMatrix(name, raw, **loaded, findings);
}

// A vector is a row; false where there are other than one or two dimensions.
bool RowsAndColumns(const Json& shape, int64_t& rows, int64_t& columns) {
  if (!shape.is_array() || shape.empty() || shape.size() > 2) return false;
  for (const Json& dimension : shape) {
    if (!dimension.is_number_unsigned() || dimension.get<uint64_t>() > uint64_t{1} << 31) return false;
  }
  rows = shape.size() == 2 ? shape[0].get<int64_t>() : 1;
  columns = shape.back().get<int64_t>();
  return true;
}

}  // namespace

void CompareContainer(const std::filesystem::path& folder, const Model& model, Findings& findings, int64_t& compared) {
  const absl::StatusOr<std::string> text = ReadInputFile(folder / std::string(kContainerManifestName), kMostManifest);
  const absl::StatusOr<Json> manifest =
      text.ok() ? ParseJsonObject(*text, kContainerManifestName) : absl::StatusOr<Json>(text.status());
  // Loading the model has said what is wrong with it.
  if (!manifest.ok() || !manifest->contains("parameters") || !(*manifest)["parameters"].is_object()) return;
  RawFolder raw;
  ReadRawFile(folder / std::string(kContainerWeightsName), raw, findings);
  for (const auto& [name, described] : (*manifest)["parameters"].items()) {
    int64_t rows = 0, columns = 0;
    if (!described.is_object() || !RowsAndColumns(described.value("shape", Json()), rows, columns)) continue;
    CompareParameter(name, DecodeRawMatrix(raw, absl::StrCat(name, "/"), described, rows, columns), model, findings,
                     compared);
  }
}

void CompareFloats(const RawFolder& folder, const Model& model, Findings& findings, int64_t& compared) {
  for (const auto& [name, tensor] : folder.tensors) {
    if (!RawIsFloat(tensor.dtype) || tensor.shape.empty() || tensor.shape.size() > 2) continue;
    RawMatrix raw = {tensor.shape.size() == 2 ? tensor.shape[0] : 1, tensor.shape.back()};
    const double bytes =
        static_cast<double>(raw.rows) * static_cast<double>(raw.columns) * static_cast<double>(RawSize(tensor.dtype));
    if (bytes != static_cast<double>(tensor.bytes.size())) continue;
    raw.value = [&tensor = tensor, columns = raw.columns](int64_t row, int64_t column) {
      return tensor.Number(row * columns + column);
    };
    CompareParameter(name, raw, model, findings, compared);
  }
}

void CheckSafetensorsFile(const std::filesystem::path& path, Findings& findings, int64_t& compared) {
  RawFolder raw;
  ReadRawFile(path, raw, findings);
  const absl::StatusOr<Safetensors> file = ReadSafetensors(path);
  if (!file.ok()) {
    if (findings.empty()) findings.Error("UNREADABLE", "", file.status().message(), "Copy or write the file again");
    return;
  }
  for (const auto& [name, tensor] : file->tensors) {
    const RawTensor* other = raw.Find(name);
    ++compared;
    if (const int64_t at = FirstNonFinite(tensor.dtype(), tensor.bytes().data(), tensor.elements()); at >= 0) {
      findings.Error("NON_FINITE", name,
                     absl::StrCat("holds NaN or infinity at element ", at, " of ", tensor.elements()),
                     "Write the file again from sound values");
    }
    if (other != nullptr && DTypeName(tensor.dtype()) == other->dtype && tensor.shape() == other->shape &&
        std::equal(tensor.bytes().begin(), tensor.bytes().end(), other->bytes.begin(), other->bytes.end())) {
      continue;
    }
    findings.Error("DECODERS_DISAGREE", name, "type, shape or bytes are others by one reader than by another", kReport);
  }
}

bool IsSafetensorsFile(const std::filesystem::path& path) {
  if (path.extension() == ".safetensors") return true;
  const std::string head = ReadInputHead(path, 9).value_or("");
  // Eight bytes of the header's length, then a JSON object.
  return head.size() == 9 && head.substr(0, 4) != "GGUF" && head[7] == 0 && head[8] == '{';
}

}  // namespace tersor
