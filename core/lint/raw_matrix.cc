#include "core/lint/raw_matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/lint/raw_gguf.h"
#include "core/lint/raw_layers.h"
#include "core/lint/raw_scales.h"

namespace tersor {
namespace {

using Json = nlohmann::json;
using Value = std::function<double(int64_t row, int64_t column)>;

// Terms within terms end somewhere.
constexpr int kDeepest = 4;

// What one matrix is made of.
struct Source {
  const RawFolder& folder;
  std::string prefix;
  Json parameters;
  int64_t rows;
  int64_t columns;
  int depth;

  const RawTensor* Field(const char* name) const { return folder.Find(prefix + name); }
  // Of `dtype` and so many elements; null otherwise.
  const RawTensor* Field(const char* name, const char* dtype, double elements) const {
    const RawTensor* tensor = Field(name);
    return RawFits(tensor, dtype, elements) ? tensor : nullptr;
  }
  // Rows of `count` integers of `bits` bits, packed.
  const RawTensor* Packed(const char* name, int64_t count, int64_t bits) const {
    return Field(name, "U8", static_cast<double>(rows) * static_cast<double>((count * bits + 7) / 8));
  }
  // A whole number of the parameters; -1 where it is missing or below `least`.
  int64_t Parameter(const char* name, int64_t least) const {
    const int64_t value = IntegerOr(parameters, name, -1);
    return value < least ? -1 : value;
  }
  int64_t Bits(const char* name = "bits") const {
    const int64_t bits = Parameter(name, 1);
    return bits > 8 ? -1 : bits;
  }
  // Groups of a row, 0 where the parameter is none.
  int64_t Groups(int64_t group_size) const {
    return group_size < 1 || group_size > columns ? 0 : (columns + group_size - 1) / group_size;
  }
  std::string Text(const char* name) const {
    return parameters.is_object() && parameters.contains(name) && parameters[name].is_string()
               ? parameters[name].get<std::string>()
               : "";
  }
  double Elements() const { return static_cast<double>(rows) * static_cast<double>(columns); }
};

// Integer `i` of row `row` of a packed field whose rows have `count` of them.
int PackedInt(const RawTensor& tensor, int64_t row, int64_t count, int64_t bits, int64_t i) {
  const int64_t row_bytes = (count * bits + 7) / 8, bit = i * bits, at = row * row_bytes + bit / 8;
  int word = tensor.Byte(at);
  if (bit % 8 + bits > 8) word |= tensor.Byte(at + 1) << 8;
  return word >> (bit % 8) & ((1 << bits) - 1);
}

Value Dense(const Source& s) {
  const RawTensor* values = s.Field("values");
  if (values == nullptr || !RawIsFloat(values->dtype) || !RawFits(values, values->dtype, s.Elements())) return nullptr;
  return [=, columns = s.columns](int64_t row, int64_t column) { return values->Number(row * columns + column); };
}

// "group-int" and, with an index or scales of another type, "indexed-int".
Value Integers(const Source& s, bool indexed) {
  const int64_t bits = s.Bits();
  const RawTensor *codes = bits < 0 ? nullptr : s.Packed("codes", s.columns, bits), *scales = s.Field("scales");
  if (codes == nullptr || scales == nullptr || !RawIsFloat(scales->dtype)) return nullptr;
  const int64_t groups = indexed ? scales->dimension(1) : s.Groups(s.Parameter("group_size", 1));
  if (groups < 1 || !RawFits(scales, scales->dtype, static_cast<double>(s.rows) * static_cast<double>(groups))) {
    return nullptr;
  }
  const RawTensor* zeros = s.Field("zero_points");
  if (zeros != nullptr) zeros = s.Packed("zero_points", groups, bits);
  if (zeros == nullptr && s.Field("zero_points") != nullptr) return nullptr;
  std::vector<int64_t> group_of;
  const int64_t width = indexed ? s.columns / groups : s.Parameter("group_size", 1);
  const RawTensor* index = indexed ? s.Field("group_index") : nullptr;
  if (index != nullptr && !RawFits(index, "I32", static_cast<double>(s.columns))) return nullptr;
  for (int64_t i = 0; i < s.columns; ++i) {
    group_of.push_back(index != nullptr ? static_cast<int64_t>(index->Word(i)) : i / std::max<int64_t>(width, 1));
    if (group_of.back() >= groups) return nullptr;
  }
  return [=, columns = s.columns, group_of = std::move(group_of)](int64_t row, int64_t column) {
    const int64_t group = group_of[column];
    const int zero = zeros == nullptr ? 1 << (bits - 1) : PackedInt(*zeros, row, groups, bits, group);
    return (PackedInt(*codes, row, columns, bits, column) - zero) * scales->Number(row * groups + group);
  };
}

Value Float8(const Source& s) {
  const int64_t height = s.Parameter("block_rows", 1), width = s.Parameter("block_columns", 1);
  const RawTensor *values = s.Field("values"), *scales = s.Field("scales");
  if (height < 0 || width < 0 || values == nullptr || scales == nullptr || RawSize(values->dtype) != 1) return nullptr;
  const int64_t across = (s.columns + width - 1) / width, down = (s.rows + height - 1) / height;
  if (!RawIsFloat(values->dtype) || !RawFits(values, values->dtype, s.Elements()) || !RawIsFloat(scales->dtype) ||
      !RawFits(scales, scales->dtype, static_cast<double>(across) * static_cast<double>(down))) {
    return nullptr;
  }
  return [=, columns = s.columns](int64_t row, int64_t column) {
    return values->Number(row * columns + column) * scales->Number(row / height * across + column / width);
  };
}

Value GgufBlocks(const Source& s) {
  const RawTensor* blocks = s.Field("blocks");
  RawGgufTensor tensor;
  tensor.type = RawGgufType(s.Text("type"));
  tensor.rows = s.rows;
  tensor.columns = s.columns;
  const int64_t row_bytes = RawGgufRowBytes(tensor.type, s.columns);
  if (row_bytes < 1 || !RawFits(blocks, "U8", static_cast<double>(s.rows) * static_cast<double>(row_bytes))) {
    return nullptr;
  }
  tensor.bytes = blocks->bytes;
  return [tensor](int64_t row, int64_t column) { return tensor.Value(row, column); };
}

Value CodeBookValues(const Source& s) {
  const std::vector<double> book = RawBook(s.Text("book"));
  const int64_t group_size = s.Parameter("group_size", 1), groups = s.Groups(group_size),
                bits = book.size() == 16 ? 4 : 8;
  const RawTensor* codes = s.Packed("codes", s.columns, bits);
  if (book.empty() || groups < 1 || codes == nullptr) return nullptr;
  const auto scale = RawScales(s.folder, s.prefix, s.Text("scales"), s.rows, groups);
  if (scale == nullptr) return nullptr;
  return [=, columns = s.columns](int64_t row, int64_t column) {
    return book[PackedInt(*codes, row, columns, bits, column)] * scale(row, column / group_size);
  };
}

Value BitPlanes(const Source& s) {
  const int64_t planes = s.Bits("planes"), group_size = s.Parameter("group_size", 1), groups = s.Groups(group_size);
  if (planes < 1 || groups < 1) return nullptr;
  const int64_t row_bytes = (s.columns + 7) / 8;
  const double rows = static_cast<double>(s.rows) * static_cast<double>(planes);
  const RawTensor *signs = s.Field("signs", "U8", rows * static_cast<double>(row_bytes)),
                  *scales = s.Field("scales", "F16", rows * static_cast<double>(groups));
  if (signs == nullptr || scales == nullptr) return nullptr;
  return [=, height = s.rows](int64_t row, int64_t column) {
    double sum = 0;
    for (int64_t plane = 0; plane < planes; ++plane) {
      const bool set = signs->Byte((plane * height + row) * row_bytes + column / 8) >> (column % 8) & 1;
      const double scale = scales->Number((row * groups + column / group_size) * planes + plane);
      sum += set ? scale : -scale;
    }
    return sum;
  };
}

Value Bilevel(const Source& s) {
  const int64_t bits = s.Bits(), scale_bits = s.Bits("scale_bits"), tile_rows = s.Parameter("tile_rows", 1);
  const int64_t group_size = s.Parameter("group_size", 1), groups = s.Groups(group_size);
  if (bits < 0 || scale_bits < 0 || tile_rows < 0 || groups < 1) return nullptr;
  const double grids = 2.0 * static_cast<double>(groups) * static_cast<double>((s.rows + tile_rows - 1) / tile_rows);
  const RawTensor *codes = s.Packed("codes", s.columns, bits), *scales = s.Packed("scale_codes", groups, scale_bits),
                  *zeros = s.Packed("zero_codes", groups, scale_bits);
  const RawTensor *scale_grids = s.Field("scale_grids", "F16", grids), *zero_grids = s.Field("zero_grids", "U8", grids);
  for (const RawTensor* field : {codes, scales, zeros, scale_grids, zero_grids}) {
    if (field == nullptr) return nullptr;
  }
  return [=, columns = s.columns](int64_t row, int64_t column) {
    const int64_t group = column / group_size, grid = 2 * (row / tile_rows * groups + group);
    const double scale =
        scale_grids->Number(grid) + PackedInt(*scales, row, groups, scale_bits, group) * scale_grids->Number(grid + 1);
    const int zero =
        zero_grids->Byte(grid) + PackedInt(*zeros, row, groups, scale_bits, group) * zero_grids->Byte(grid + 1);
    return (PackedInt(*codes, row, columns, bits, column) - zero) * scale;
  };
}

// A value of a pair whose other one is its sign that it is an outlier.
double PairOutlier(int code, int64_t bits) {
  const int mantissa_bits = bits == 4 ? 1 : 3, bias = bits == 4 ? 2 : 4;
  const int magnitude = code & ((1 << (bits - 1)) - 1), mantissa = magnitude & ((1 << mantissa_bits) - 1);
  const double size = std::ldexp((1 << mantissa_bits) + mantissa, (magnitude >> mantissa_bits) + bias);
  return code >> (bits - 1) ? -size : size;
}

Value OutlierPairs(const Source& s) {
  const int64_t bits = s.Bits(), group_size = s.Parameter("group_size", 1), groups = s.Groups(group_size);
  if ((bits != 4 && bits != 8) || groups < 1 || s.columns % 2 != 0) return nullptr;
  const RawTensor *codes = s.Packed("codes", s.columns, bits),
                  *scales = s.Field("scales", "F16", static_cast<double>(s.rows) * static_cast<double>(groups));
  if (codes == nullptr || scales == nullptr) return nullptr;
  return [=, columns = s.columns](int64_t row, int64_t column) {
    const int identifier = 1 << (bits - 1), code = PackedInt(*codes, row, columns, bits, column);
    const int other = PackedInt(*codes, row, columns, bits, column ^ 1);
    const double scale = scales->Number(row * groups + column / group_size);
    if (code == identifier) return 0.0;
    if (other == identifier) return PairOutlier(code, bits) * scale;
    return (code >= identifier ? code - 2 * identifier : code) * scale;
  };
}

Value Columns(const Source& s) {
  const RawTensor* indices = s.Field("indices");
  if (indices == nullptr) return nullptr;
  const int64_t count = indices->dimension(0);
  const RawTensor* values = s.Field("values", "F16", static_cast<double>(s.rows) * static_cast<double>(count));
  if (!RawFits(indices, "U32", static_cast<double>(count)) || values == nullptr) return nullptr;
  return [=](int64_t row, int64_t column) {
    for (int64_t k = 0; k < count; ++k) {
      if (indices->Word(k) == column) return values->Number(row * count + k);
    }
    return 0.0;
  };
}

Value Sparse(const Source& s) {
  const RawTensor *starts = s.Field("row_starts", "U32", static_cast<double>(s.rows) + 1),
                  *columns = s.Field("columns"), *values = s.Field("values");
  if (starts == nullptr || columns == nullptr || values == nullptr) return nullptr;
  const double count = static_cast<double>(values->dimension(0));
  const bool wide = columns->dtype == "U32";
  if (!RawFits(values, "F16", count) || !RawFits(columns, wide ? "U32" : "U16", count)) return nullptr;
  for (int64_t row = 0; row < s.rows; ++row) {
    if (starts->Word(row) > starts->Word(row + 1) || starts->Word(row + 1) > count) return nullptr;
  }
  return [=](int64_t row, int64_t column) {
    for (int64_t at = starts->Word(row); at < starts->Word(row + 1); ++at) {
      const int64_t here =
          wide ? static_cast<int64_t>(columns->Word(at)) : columns->Byte(2 * at) | columns->Byte(2 * at + 1) << 8;
      if (here == column) return values->Number(at);
    }
    return 0.0;
  };
}

// Where a kept weight stands among those of its row; -1 of a weight that is left out.
using Place = std::function<int64_t(int64_t row, int64_t column)>;

struct Mask {
  Place place;
  // Kept weights of each row.
  std::vector<int64_t> counts;
};

// The numbers of `of` bits with `kept` ones, in rising order.
std::vector<int> RunPatterns(int64_t kept, int64_t of) {
  std::vector<int> patterns;
  for (int bits = 0; bits < 1 << of; ++bits) {
    if (std::popcount(static_cast<unsigned>(bits)) == kept) patterns.push_back(bits);
  }
  return patterns;
}

// By a bit for each column, or by numbers of patterns of runs.
Mask MaskOf(const Source& s) {
  std::function<bool(int64_t, int64_t)> kept;
  if (const RawTensor* bits = s.Packed("mask", s.columns, 1); bits != nullptr) {
    const int64_t row_bytes = (s.columns + 7) / 8;
    kept = [=](int64_t row, int64_t column) {
      return (bits->Byte(row * row_bytes + column / 8) >> column % 8 & 1) != 0;
    };
  } else {
    const int64_t of = s.Parameter("of", 1), ones = s.Parameter("kept", 1);
    if (of < 2 || of > 8 || ones < 1 || ones >= of || s.columns % of != 0) return {};
    const std::vector<int> patterns = RunPatterns(ones, of);
    const int64_t width = std::max<int64_t>(2, std::bit_width(patterns.size() - 1)), runs = s.columns / of;
    const RawTensor* numbers = s.Packed("patterns", runs, width);
    if (numbers == nullptr) return {};
    for (int64_t i = 0; i < s.rows * runs; ++i) {
      if (PackedInt(*numbers, i / runs, runs, width, i % runs) >= static_cast<int>(patterns.size())) return {};
    }
    kept = [=](int64_t row, int64_t column) {
      return (patterns[PackedInt(*numbers, row, runs, width, column / of)] >> column % of & 1) != 0;
    };
  }
  Mask mask;
  mask.counts.resize(s.rows);
  std::vector<int32_t> places(s.rows * s.columns, -1);
  for (int64_t i = 0; i < s.rows * s.columns; ++i) {
    const int64_t row = i / s.columns;
    if (kept(row, i % s.columns)) places[i] = static_cast<int32_t>(mask.counts[row]++);
  }
  mask.place = [places = std::move(places), columns = s.columns](int64_t row, int64_t column) {
    return static_cast<int64_t>(places[row * columns + column]);
  };
  return mask;
}

Value Masked(const Source& s) {
  const RawTensor* values = s.Field("values");
  const Mask mask = MaskOf(s);
  if (mask.place == nullptr || values == nullptr || !RawIsFloat(values->dtype)) return nullptr;
  std::vector<int64_t> starts = {0};
  for (const int64_t count : mask.counts) starts.push_back(starts.back() + count);
  if (!RawFits(values, values->dtype, static_cast<double>(starts.back()))) return nullptr;
  return [=](int64_t row, int64_t column) {
    const int64_t place = mask.place(row, column);
    return place < 0 ? 0.0 : values->Number(starts[row] + place);
  };
}

Value MaskedIntegers(const Source& s) {
  const int64_t bits = s.Bits(), group_size = s.Parameter("group_size", 1), groups = s.Groups(group_size);
  const Mask mask = MaskOf(s);
  if (mask.place == nullptr || bits < 2 || groups < 1) return nullptr;
  std::vector<int64_t> starts = {0};
  for (const int64_t count : mask.counts) starts.push_back(starts.back() + (count * bits + 7) / 8);
  const RawTensor* codes = s.Field("codes", "U8", static_cast<double>(starts.back()));
  const RawTensor* scales = s.Field("scales", "F16", static_cast<double>(s.rows) * static_cast<double>(groups));
  const RawTensor* zeros = s.Field("zero_points") == nullptr ? nullptr : s.Packed("zero_points", groups, bits);
  if (codes == nullptr || scales == nullptr || (s.Field("zero_points") != nullptr && zeros == nullptr)) return nullptr;
  return [=](int64_t row, int64_t column) {
    const int64_t place = mask.place(row, column), group = column / group_size;
    if (place < 0) return 0.0;
    const int64_t bit = place * bits, at = starts[row] + bit / 8;
    int word = codes->Byte(at);
    if (bit % 8 + bits > 8) word |= codes->Byte(at + 1) << 8;
    const int code = word >> (bit % 8) & ((1 << bits) - 1);
    const int zero = zeros == nullptr ? 1 << (bits - 1) : PackedInt(*zeros, row, groups, bits, group);
    return (code - zero) * scales->Number(row * groups + group);
  };
}

Value Decode(const Source& s, const std::string& encoding);

// The matrix that `described` makes of the fields after `part`.
Value Part(const Source& s, const std::string& part, const Json& described, int64_t rows, int64_t columns) {
  if (s.depth >= kDeepest || !described.is_object() || !described.contains("encoding") ||
      !described["encoding"].is_string()) {
    return nullptr;
  }
  const Source inner = {s.folder, s.prefix + part, described.value("parameters", Json::object()),
                        rows,     columns,         s.depth + 1};
  return Decode(inner, described["encoding"].get<std::string>());
}

Value LowRank(const Source& s) {
  const int64_t rank = s.Parameter("rank", 1);
  if (rank < 0 || rank > s.columns) return nullptr;
  const Value left = Part(s, "left.", s.parameters.value("left", Json()), s.rows, rank);
  const Value right = Part(s, "right.", s.parameters.value("right", Json()), rank, s.columns);
  if (left == nullptr || right == nullptr) return nullptr;
  return [=](int64_t row, int64_t column) {
    double sum = 0;
    for (int64_t k = 0; k < rank; ++k) sum += left(row, k) * right(k, column);
    return sum;
  };
}

Value Sum(const Source& s) {
  const Json terms = s.parameters.value("terms", Json());
  std::vector<Value> values;
  for (size_t i = 0; terms.is_array() && i < terms.size(); ++i) {
    values.push_back(Part(s, absl::StrCat("term", i, "."), terms[i], s.rows, s.columns));
    if (values.back() == nullptr) return nullptr;
  }
  if (values.empty()) return nullptr;
  return [=](int64_t row, int64_t column) {
    double sum = 0;
    for (const Value& value : values) sum += value(row, column);
    return sum;
  };
}

Value Decode(const Source& s, const std::string& encoding) {
  if (!s.parameters.is_object()) return nullptr;
  if (encoding == "dense") return Dense(s);
  if (encoding == "group-int") return Integers(s, false);
  if (encoding == "indexed-int") return Integers(s, true);
  if (encoding == "float8") return Float8(s);
  if (encoding == "gguf-block") return GgufBlocks(s);
  if (encoding == "codebook") return CodeBookValues(s);
  if (encoding == "bit-planes") return BitPlanes(s);
  if (encoding == "bilevel-int") return Bilevel(s);
  if (encoding == "outlier-pairs") return OutlierPairs(s);
  if (encoding == "columns") return Columns(s);
  if (encoding == "sparse") return Sparse(s);
  if (encoding == "masked") return Masked(s);
  if (encoding == "masked-int") return MaskedIntegers(s);
  if (encoding == "low-rank") return LowRank(s);
  if (encoding == "sum") return Sum(s);
  if (encoding == "quantized-input") {
    return Part(s, "weight.", s.parameters.value("weight", Json()), s.rows, s.columns);
  }
  return nullptr;
}

}  // namespace

RawMatrix DecodeRawMatrix(const RawFolder& folder, const std::string& prefix, const Json& described, int64_t rows,
                          int64_t columns) {
  constexpr int64_t kMost = int64_t{1} << 31;
  RawMatrix matrix = {rows, columns};
  if (rows < 1 || columns < 1 || rows > kMost || columns > kMost) return matrix;
  matrix.value = Part({folder, prefix, Json::object(), rows, columns, 0}, "", described, rows, columns);
  return matrix;
}

}  // namespace tersor
