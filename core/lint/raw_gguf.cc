#include "core/lint/raw_gguf.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/formats/byte_cursor.h"
#include "core/formats/gguf_metadata_reader.h"
#include "core/lint/raw_gguf_blocks.h"

namespace tersor {
namespace {

constexpr absl::string_view kCopyAgain = "Copy or convert the file again; it is cut off or was changed after writing";

struct TableEntry {
  std::string name;
  std::vector<uint64_t> dimensions;
  uint32_t type = 0;
  uint64_t offset = 0;
};

absl::StatusOr<TableEntry> ReadTableEntry(ByteCursor& cursor) {
  TableEntry entry;
  TERSOR_ASSIGN_OR_RETURN(entry.name, cursor.ReadString("a tensor's name"));
  TERSOR_ASSIGN_OR_RETURN(const uint32_t count, cursor.Read<uint32_t>(entry.name));
  if (count > 4) return absl::InvalidArgumentError(absl::StrCat(entry.name, " has ", count, " dimensions"));
  for (uint32_t i = 0; i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(const uint64_t dimension, cursor.Read<uint64_t>(entry.name));
    if (dimension < 1 || dimension > uint64_t{1} << 40) {
      return absl::InvalidArgumentError(absl::StrCat(entry.name, " has a dimension of ", dimension));
    }
    entry.dimensions.push_back(dimension);
  }
  TERSOR_ASSIGN_OR_RETURN(entry.type, cursor.Read<uint32_t>(entry.name));
  TERSOR_ASSIGN_OR_RETURN(entry.offset, cursor.Read<uint64_t>(entry.name));
  return entry;
}

void Place(const TableEntry& entry, std::span<const std::byte> data, RawGguf& raw, Findings& findings, uint64_t& end) {
  RawGgufTensor tensor;
  tensor.type = entry.type;
  if (!entry.dimensions.empty()) tensor.columns = static_cast<int64_t>(entry.dimensions[0]);
  double rows = 1;
  for (size_t i = 1; i < entry.dimensions.size(); ++i) rows *= static_cast<double>(entry.dimensions[i]);
  const RawGgufBlock* block = FindRawGgufBlock(entry.type);
  if (block == nullptr) {
    return findings.Warning("TYPE_NOT_CHECKED", entry.name,
                            absl::StrCat("has GGUF type ", entry.type, ", which is not decoded here"),
                            "Convert it to a type that Tersor reads to have it checked");
  }
  const double bytes = rows * static_cast<double>(tensor.columns / block->values * block->bytes);
  if (tensor.columns % block->values != 0) {
    return findings.Error(
        "SIZE_MISMATCH", entry.name,
        absl::StrCat("rows of ", tensor.columns, " values are no multiple of the block's ", block->values),
        "Store it in a type whose blocks divide its rows");
  }
  if (bytes > static_cast<double>(data.size()) || entry.offset > data.size() - static_cast<uint64_t>(bytes)) {
    return findings.Error(
        "SIZE_MISMATCH", entry.name,
        absl::StrCat("has ", bytes, " bytes from ", entry.offset, " on, the file's data ends at ", data.size()),
        kCopyAgain);
  }
  tensor.rows = static_cast<int64_t>(rows);
  tensor.bytes = data.subspan(entry.offset, static_cast<size_t>(bytes));
  end = std::max(end, entry.offset + static_cast<uint64_t>(bytes));
  if (!raw.tensors.emplace(entry.name, tensor).second) {
    findings.Error("TENSOR_DOUBLED", entry.name, "stands twice in the tensor table", "Convert the model again");
  }
}

absl::Status ReadTable(std::span<const std::byte> bytes, RawGguf& raw, Findings& findings) {
  ByteCursor cursor(bytes);
  TERSOR_RETURN_IF_ERROR(cursor.Read<uint32_t>("magic").status());
  TERSOR_RETURN_IF_ERROR(cursor.Read<uint32_t>("version").status());
  TERSOR_ASSIGN_OR_RETURN(const uint64_t tensors, cursor.Read<uint64_t>("number of tensors"));
  TERSOR_ASSIGN_OR_RETURN(const uint64_t keys, cursor.Read<uint64_t>("number of keys"));
  TERSOR_RETURN_IF_ERROR(ReadGgufMetadata(cursor, keys, raw.metadata));
  std::vector<TableEntry> entries;
  for (uint64_t i = 0; i < tensors; ++i) {
    TERSOR_ASSIGN_OR_RETURN(TableEntry entry, ReadTableEntry(cursor));
    entries.push_back(std::move(entry));
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t alignment, raw.metadata.IntegerOr("general.alignment", 32));
  if (alignment < 1 || alignment > 1 << 20) return absl::InvalidArgumentError("general.alignment is out of range");
  const uint64_t start = (cursor.position() + alignment - 1) / alignment * alignment;
  if (start > bytes.size()) return absl::InvalidArgumentError("the file ends before its tensors");
  uint64_t end = 0;
  for (const TableEntry& entry : entries) {
    if (entry.offset % alignment != 0) {
      findings.Error("SIZE_MISMATCH", entry.name,
                     absl::StrCat("begins at ", entry.offset, ", no multiple of the alignment ", alignment),
                     kCopyAgain);
    }
    Place(entry, bytes.subspan(start), raw, findings, end);
  }
  const uint64_t left = bytes.size() - start - std::min<uint64_t>(end, bytes.size() - start);
  if (left >= static_cast<uint64_t>(alignment) && findings.empty()) {
    findings.Warning("SIZE_MISMATCH", "", absl::StrCat(left, " bytes after the last tensor belong to none"),
                     "Convert the model again if the file should not hold more");
  }
  return absl::OkStatus();
}

// Row of the file that holds row `row` of Hugging Face's order, if the file is in GGUF's.
int64_t GgufRow(int64_t row, int64_t head_size) {
  const int64_t within = row % head_size;
  return row - within + 2 * (within % (head_size / 2)) + within / (head_size / 2);
}

struct RopeEvidence {
  // Sums of differences of norms between rows that are turned together, in GGUF's order and in Hugging Face's.
  double gguf = 0, huggingface = 0;
  // Of rows that neither order turns together; norms only.
  double apart = 0;
};

void AddNorms(const RawGgufTensor& tensor, int64_t head_size, RopeEvidence& evidence) {
  std::vector<double> norms(static_cast<size_t>(tensor.rows));
  const int64_t step = std::max<int64_t>(1, tensor.columns / 4096);
  for (int64_t row = 0; row < tensor.rows; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < tensor.columns; i += step) sum += tensor.Value(row, i) * tensor.Value(row, i);
    norms[row] = std::sqrt(sum);
  }
  for (int64_t head = 0; head + head_size <= tensor.rows; head += head_size) {
    for (int64_t i = 0; i < head_size / 2; ++i) {
      evidence.gguf += std::abs(norms[head + 2 * i] - norms[head + 2 * i + 1]);
      evidence.huggingface += std::abs(norms[head + i] - norms[head + head_size / 2 + i]);
      evidence.apart += std::abs(norms[head + i] - norms[head + head_size / 4 + i]);
    }
  }
}

// Errors of a few rows against the reference, in GGUF's order and as they stand.
void AddErrors(const RawGgufTensor& tensor, const EncodedTensor& original, int64_t head_size, RopeEvidence& evidence) {
  std::vector<float> row(static_cast<size_t>(tensor.columns));
  for (int64_t r = 0; r < tensor.rows; r += std::max<int64_t>(1, tensor.rows / 48)) {
    original.DecodeRows(r, 1, row.data());
    for (int64_t i = 0; i < tensor.columns; ++i) {
      const double permuted = tensor.Value(GgufRow(r, head_size), i) - row[i];
      const double plain = tensor.Value(r, i) - row[i];
      evidence.gguf += permuted * permuted;
      evidence.huggingface += plain * plain;
    }
  }
}

// Rows that are turned together have like norms in trained models, much more so than other rows of a head. Neighbours
// in Hugging Face's order are alike too, as their frequencies are.
bool LooksUnpermuted(const RopeEvidence& evidence, bool by_reference) {
  if (by_reference) return evidence.huggingface < 0.5 * evidence.gguf;
  return evidence.huggingface < 0.6 * evidence.apart && evidence.huggingface < 1.5 * evidence.gguf;
}

}  // namespace

double RawGgufTensor::Value(int64_t row, int64_t column) const {
  const RawGgufBlock& block = *FindRawGgufBlock(type);
  const int64_t blocks = columns / block.values;
  return block.value(bytes.data() + (row * blocks + column / block.values) * block.bytes, column % block.values);
}

uint32_t RawGgufType(absl::string_view name) {
  const RawGgufBlock* block = FindRawGgufBlock(name);
  return block == nullptr ? UINT32_MAX : block->id;
}

int64_t RawGgufRowBytes(uint32_t type, int64_t columns) {
  const RawGgufBlock* block = FindRawGgufBlock(type);
  return block == nullptr || columns % block->values != 0 ? 0 : columns / block->values * block->bytes;
}

RawGguf ReadRawGguf(const std::filesystem::path& path, Findings& findings) {
  RawGguf raw;
  absl::StatusOr<std::shared_ptr<const MappedFile>> file = MappedFile::Open(path);
  if (!file.ok()) {
    findings.Error("UNREADABLE", path.filename().string(), file.status().message(), kCopyAgain);
    return raw;
  }
  raw.files.push_back(*std::move(file));
  const absl::Status status = ReadTable(raw.files.back()->bytes(), raw, findings);
  if (!status.ok()) findings.Error("UNREADABLE", path.filename().string(), status.message(), kCopyAgain);
  return raw;
}

void CheckRopeRows(const RawGguf& raw, const Model& model, const Model* reference, Findings& findings) {
  const absl::StatusOr<std::string> architecture = raw.metadata.String("general.architecture");
  if (!architecture.ok() || *architecture != "llama") return;
  for (const char* kind : {"q", "k"}) {
    RopeEvidence evidence;
    for (size_t layer = 0; layer < model.spec.layers.size(); ++layer) {
      const auto tensor = raw.tensors.find(absl::StrCat("blk.", layer, ".attn_", kind, ".weight"));
      const int64_t head_size = model.spec.layers[layer].attention.head_size;
      if (tensor == raw.tensors.end() || tensor->second.rows % head_size != 0) continue;
      if (reference == nullptr) {
        AddNorms(tensor->second, head_size, evidence);
        continue;
      }
      const auto original = reference->Find(absl::StrCat("model.layers.", layer, ".self_attn.", kind, "_proj.weight"));
      if (original.ok() && (*original)->shape() == Shape{tensor->second.rows, tensor->second.columns}) {
        AddErrors(tensor->second, **original, head_size, evidence);
      }
    }
    if (!LooksUnpermuted(evidence, reference != nullptr)) continue;
    findings.Error(
        "ROPE_ROWS_NOT_PERMUTED", absl::StrCat("blk.*.attn_", kind, ".weight"),
        reference == nullptr
            ? "rows that would be turned together in Hugging Face's order are alike in norm, those that GGUF "
              "turns together are not"
            : "the rows match the reference in Hugging Face's order, not in GGUF's",
        "Convert again and interleave the two halves of every head of q and k, as convert_hf_to_gguf.py does "
        "for the architecture \"llama\"");
  }
}

void CompareGguf(const RawGguf& raw, const Model& model, Findings& findings, int64_t& compared) {
  for (const auto& [name, tensor] : raw.tensors) {
    if (tensor.rows < 2) continue;
    // Only what has the same name and rows on both sides: the feed-forward layers, the output of attention, the values.
    std::string ours;
    size_t layer = 0;
    for (const auto& [theirs, suffix] :
         {std::pair{"ffn_gate", "mlp.gate_proj"}, std::pair{"ffn_up", "mlp.up_proj"},
          std::pair{"ffn_down", "mlp.down_proj"}, std::pair{"attn_output", "self_attn.o_proj"},
          std::pair{"attn_v", "self_attn.v_proj"}, std::pair{"attn_q", "self_attn.q_proj"},
          std::pair{"attn_k", "self_attn.k_proj"}}) {
      for (layer = 0; layer < model.spec.layers.size() && ours.empty(); ++layer) {
        if (name == absl::StrCat("blk.", layer, ".", theirs, ".weight")) {
          ours = absl::StrCat("model.layers.", layer, ".", suffix, ".weight");
        }
      }
      if (!ours.empty()) break;
    }
    if (name == "token_embd.weight") ours = std::string(kEmbeddingName);
    const absl::StatusOr<EncodedTensorPtr> loaded = model.Find(ours);
    if (!loaded.ok() || (*loaded)->shape() != Shape{tensor.rows, tensor.columns}) continue;
    const absl::StatusOr<std::string> architecture = raw.metadata.String("general.architecture");
    const bool turned = architecture.ok() && *architecture == "llama" &&
                        (ours.find("q_proj") != std::string::npos || ours.find("k_proj") != std::string::npos);
    ++compared;
    std::vector<float> row(static_cast<size_t>(tensor.columns));
    const int64_t head_size = model.spec.layers.front().attention.head_size;
    for (int64_t r = 0; r < tensor.rows; r += std::max<int64_t>(1, tensor.rows / 16)) {
      (*loaded)->DecodeRows(r, 1, row.data());
      const int64_t source = turned ? GgufRow(r, head_size) : r;
      // Readers compute in float: a sum of two products is off by the last bits of the larger one.
      double largest = 0;
      for (const float value : row) largest = std::max(largest, std::abs(static_cast<double>(value)));
      int64_t i = 0;
      while (i < tensor.columns && std::abs(tensor.Value(source, i) - row[i]) <= 1e-6 * largest) ++i;
      if (i == tensor.columns) continue;
      findings.Error("DECODERS_DISAGREE", name,
                     absl::StrCat("element [", r, ", ", i, "] is ", tensor.Value(source, i), " by one reader and ",
                                  row[i], " by another"),
                     "Report this with the file: one of Tersor's two readers is wrong, or the file is ambiguous");
      break;
    }
  }
}

}  // namespace tersor
