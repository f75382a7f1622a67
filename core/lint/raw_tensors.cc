#include "core/lint/raw_tensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "core/formats/file_kind.h"
#include "core/formats/json_text.h"
#include "core/formats/quantization_settings.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr uint64_t kMaxHeader = uint64_t{100} << 20;
constexpr std::array<absl::string_view, 7> kUnreadTypes = {"F8_E8M0",     "F4",          "F6_E2M3", "F6_E3M2",
                                                           "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64"};
constexpr absl::string_view kCopyAgain = "Copy or write the file again; it is cut off or was changed after writing";

// One entry of a header; false where it says nothing that can be used.
bool ReadEntry(const Json& entry, RawTensor& tensor, uint64_t& begin, uint64_t& end) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets")) {
    return false;
  }
  const Json& offsets = entry["data_offsets"];
  if (!entry["dtype"].is_string() || !entry["shape"].is_array() || !offsets.is_array() || offsets.size() != 2 ||
      !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
    return false;
  }
  tensor.dtype = entry["dtype"].get<std::string>();
  for (const Json& dimension : entry["shape"]) {
    if (!dimension.is_number_unsigned() || dimension.get<uint64_t>() > uint64_t{1} << 40) return false;
    tensor.shape.push_back(dimension.get<int64_t>());
  }
  begin = offsets[0].get<uint64_t>();
  end = offsets[1].get<uint64_t>();
  return true;
}

class ShardReader {
 public:
  ShardReader(RawFolder& folder, Findings& findings) : folder_(folder), findings_(findings) {}

  void Read(const fs::path& path) {
    const std::string file = path.filename().string();
    absl::StatusOr<std::shared_ptr<const MappedFile>> mapped = MappedFile::Open(path);
    if (!mapped.ok()) return findings_.Error("UNREADABLE", file, mapped.status().message(), kCopyAgain);
    const std::span<const std::byte> bytes = (*mapped)->bytes();
    uint64_t length = 0;
    if (bytes.size() >= 8) std::memcpy(&length, bytes.data(), 8);
    if (bytes.size() < 8 || length > kMaxHeader || length > bytes.size() - 8) {
      const absl::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      const std::string kind = WhatItIs(whole);
      return findings_.Error("SIZE_MISMATCH", file,
                             absl::StrCat("the header is said to have ", length, " bytes, the file has ", bytes.size(),
                                          kind.empty() ? "" : "; ", kind),
                             kCopyAgain);
    }
    const absl::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, length);
    absl::StatusOr<Json> header = ParseJsonObject(text, file);
    if (!header.ok()) {
      const bool doubled = header.status().message().find("twice") != std::string::npos;
      return findings_.Error(doubled ? "TENSOR_DOUBLED" : "UNREADABLE", file, header.status().message(),
                             "Write the file again with every tensor once");
    }
    folder_.files.push_back(*mapped);
    ReadEntries(file, *header, bytes.subspan(8 + length));
  }

 private:
  void ReadEntries(const std::string& file, const Json& header, std::span<const std::byte> data) {
    std::vector<std::pair<uint64_t, uint64_t>> spans;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      RawTensor tensor;
      uint64_t begin = 0, end = 0;
      if (!ReadEntry(entry, tensor, begin, end)) {
        findings_.Error("UNREADABLE", name, absl::StrCat("its entry in ", file, " is no tensor"), "Write it again");
        continue;
      }
      if (begin > end || end > data.size()) {
        findings_.Error("SIZE_MISMATCH", name,
                        absl::StrCat("lies at bytes ", begin, "..", end, " of ", data.size(), " in ", file),
                        kCopyAgain);
        continue;
      }
      tensor.bytes = data.subspan(begin, end - begin);
      spans.emplace_back(begin, end);
      CheckBytes(name, tensor);
      if (!folder_.tensors.emplace(name, tensor).second) {
        findings_.Error("TENSOR_DOUBLED", name, absl::StrCat("stands in ", file, " and in another file"),
                        "Keep one of them; readers take the one that they see last");
      }
    }
    CheckSpans(file, std::move(spans), data.size());
  }

  void CheckBytes(const std::string& name, const RawTensor& tensor) {
    double bytes = static_cast<double>(RawSize(tensor.dtype));
    for (const int64_t dimension : tensor.shape) bytes *= static_cast<double>(dimension);
    if (RawSize(tensor.dtype) == 0) {
      const bool of_format = std::find(kUnreadTypes.begin(), kUnreadTypes.end(), tensor.dtype) != kUnreadTypes.end();
      findings_.Error(
          "UNREADABLE", name,
          absl::StrCat("has type \"", tensor.dtype, "\", ",
                       of_format ? "which safetensors has and Tersor does not read" : "which safetensors lacks"),
          of_format ? "Convert the tensor; scales of F8_E8M0 are bytes of U8" : "Write it in a type that readers know");
    } else if (bytes != static_cast<double>(tensor.bytes.size())) {
      findings_.Error("SIZE_MISMATCH", name,
                      absl::StrCat("has ", tensor.bytes.size(), " bytes; its type and shape make ", bytes), kCopyAgain);
    }
  }

  void CheckSpans(const std::string& file, std::vector<std::pair<uint64_t, uint64_t>> spans, size_t size) {
    std::sort(spans.begin(), spans.end());
    uint64_t at = 0;
    for (const auto& [begin, end] : spans) {
      if (begin != at) {
        findings_.Error("SIZE_MISMATCH", file,
                        absl::StrCat("bytes ", std::min(begin, at), "..", std::max(begin, at), " belong to ",
                                     begin > at ? "no tensor" : "two tensors"),
                        kCopyAgain);
        return;
      }
      at = end;
    }
    if (at != size) {
      findings_.Error("SIZE_MISMATCH", file, absl::StrCat("tensors end at byte ", at, ", the file's data at ", size),
                      kCopyAgain);
    }
  }

  RawFolder& folder_;
  Findings& findings_;
};

void CheckIndex(const fs::path& folder, const RawFolder& raw, Findings& findings) {
  const fs::path path = folder / "model.safetensors.index.json";
  std::error_code error;
  if (!fs::exists(path, error)) return;
  const absl::StatusOr<std::string> text = ReadInputFile(path, kMaxHeader);
  const absl::StatusOr<Json> index = text.ok() ? ParseJsonObject(*text, "index") : absl::StatusOr<Json>(text.status());
  if (!index.ok() || !index->contains("weight_map") || !(*index)["weight_map"].is_object()) {
    return findings.Error("UNREADABLE", "model.safetensors.index.json", "has no weight_map", "Write it again");
  }
  for (const auto& [name, file] : (*index)["weight_map"].items()) {
    if (raw.tensors.count(name) > 0) continue;
    findings.Error("TENSOR_MISSING", name, "the index lists it, no file holds it", "Copy the missing shard");
  }
  uint64_t total = 0;
  for (const auto& [name, tensor] : raw.tensors) {
    total += tensor.bytes.size();
    if ((*index)["weight_map"].contains(name)) continue;
    findings.Error("TENSOR_UNKNOWN", name, "a file holds it, the index does not list it",
                   "Write the index again, or delete the shard that is left over");
  }
  const Json stated = index->value("metadata", Json::object()).value("total_size", Json());
  if (stated.is_number_unsigned() && stated.get<uint64_t>() != total) {
    findings.Error("SIZE_MISMATCH", "model.safetensors.index.json",
                   absl::StrCat("says ", stated.get<uint64_t>(), " bytes, the tensors have ", total), "Write it again");
  }
}

}  // namespace

double SmallFloatValue(int code, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1, sign = 1 << (exponent_bits + mantissa_bits);
  const int exponent = (code & (sign - 1)) >> mantissa_bits;
  const int mantissa = code & ((1 << mantissa_bits) - 1);
  const double fraction = static_cast<double>(mantissa) / (1 << mantissa_bits);
  const double size = exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
  return code & sign ? -size : size;
}

double HalfValue(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = (bits & 1023) / 1024.0;
  const double size = exponent == 0    ? std::ldexp(fraction, -14)
                      : exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                                       : std::ldexp(1 + fraction, exponent - 15);
  return bits & 0x8000 ? -size : size;
}

int64_t RawSize(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  return 0;
}

bool RawIsFloat(const std::string& dtype) {
  return dtype == "F16" || dtype == "BF16" || dtype == "F32" || dtype == "F8_E4M3" || dtype == "F8_E5M2";
}

uint32_t RawTensor::Word(int64_t i) const {
  uint32_t word;
  std::memcpy(&word, bytes.data() + 4 * i, 4);
  return word;
}

double RawTensor::Number(int64_t i) const {
  if (dtype == "F8_E4M3") return SmallFloatValue(Byte(i), 4, 3);
  if (dtype == "F8_E5M2") return SmallFloatValue(Byte(i), 5, 2);
  if (dtype == "F32") return std::bit_cast<float>(Word(i));
  uint16_t half;
  std::memcpy(&half, bytes.data() + 2 * i, 2);
  return dtype == "BF16" ? std::bit_cast<float>(static_cast<uint32_t>(half) << 16) : HalfValue(half);
}

const RawTensor* RawFolder::Find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

void ReadRawFile(const fs::path& path, RawFolder& folder, Findings& findings) {
  ShardReader(folder, findings).Read(path);
}

RawFolder ReadRawFolder(const fs::path& folder, Findings& findings) {
  RawFolder raw;
  std::vector<fs::path> shards;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".safetensors") shards.push_back(it->path());
  }
  std::sort(shards.begin(), shards.end());
  ShardReader reader(raw, findings);
  for (const fs::path& shard : shards) reader.Read(shard);
  CheckIndex(folder, raw, findings);
  const absl::StatusOr<std::string> text = ReadInputFile(folder / "config.json", kMaxHeader);
  absl::StatusOr<Json> config = text.ok() ? ParseJsonObject(*text, "config.json") : absl::StatusOr<Json>(text.status());
  if (config.ok()) {
    raw.config = *std::move(config);
    const auto has_ending = [&](absl::string_view ending) {
      return std::any_of(raw.tensors.begin(), raw.tensors.end(),
                         [&](const auto& entry) { return absl::EndsWith(entry.first, ending); });
    };
    absl::StatusOr<QuantizationSettings> settings = FindQuantizationSettings(raw.config, folder, has_ending);
    if (settings.ok() && !settings->config.is_null()) raw.config["quantization_config"] = std::move(settings->config);
  } else {
    findings.Error("UNREADABLE", "config.json", config.status().message(),
                   "Write a config.json that readers can parse");
  }
  return raw;
}

}  // namespace tersor
