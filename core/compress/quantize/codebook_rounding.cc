#include "core/compress/quantize/codebook_rounding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/encoding/float_token_format.h"
#include "core/kernels/parallel.h"

namespace tersor {

absl::StatusOr<EncodedTensorPtr> RoundToCodebook(ConstMatrixView weights, const CodebookOptions& options, int threads) {
  const int64_t rows = weights.rows, columns = weights.columns;
  const int64_t group = options.group_size == -1 ? columns : options.group_size, groups = columns / group;
  const CodeBook& book = *options.book;
  std::vector<float> wanted(rows * groups);
  RunTasks(threads, rows, [&](int64_t row) {
    for (int64_t g = 0; g < groups; ++g) {
      float absmax = 0;
      for (int64_t i = 0; i < group; ++i) absmax = std::max(absmax, std::abs(weights.at(row, g * group + i)));
      wanted[row * groups + g] = options.mx_scales ? MxScale(absmax, book) : absmax / book.largest();
    }
  });
  TERSOR_ASSIGN_OR_RETURN(GroupScales scales, GroupScales::Encode(options.scales, rows, groups, wanted));
  std::vector<uint8_t> codes(rows * columns);
  RunTasks(threads, rows, [&](int64_t row) {
    for (int64_t i = 0; i < columns; ++i) {
      const float scale = scales.At(row, i / group);
      codes[row * columns + i] = book.Nearest(scale == 0 ? 0 : weights.at(row, i) / scale);
    }
  });
  TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const CodebookTensor> tensor,
                          CodebookTensor::Create({rows, columns, &book, group}, codes, std::move(scales)));
  return EncodedTensorPtr(std::move(tensor));
}

// A search among the book's values, branch by branch.
double CodebookOperations(const CodebookOptions& options) { return 180.0 * options.book->bits(); }

PlannedEncoding CodebookEncoding(const CodebookOptions& options, const LinearLayer& layer) {
  const int64_t group = options.group_size == -1 ? layer.inputs : options.group_size;
  return {.encoding = std::string(CodebookTensor::kName),
          .bytes = CodebookTensor::ByteSize({layer.outputs, layer.inputs, options.book, group}, options.scales),
          .bits = options.book->bits(),
          .group_size = group,
          .book = std::string(options.book->name()),
          .scales = std::string(ScaleFormName(options.scales))};
}

}  // namespace tersor
