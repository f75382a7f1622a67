#include "core/model/finite_weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/kernels/parallel.h"
#include "core/tensor/finite.h"

namespace tersor {
namespace {

constexpr int64_t kElementsATask = int64_t{1} << 18;

// The smallest index that some task found; `elements` for none.
class FirstIndex {
 public:
  explicit FirstIndex(int64_t elements) : index_(elements) {}
  bool Before(int64_t begin) const { return index_.load(std::memory_order_relaxed) <= begin; }
  void Found(int64_t index) {
    int64_t known = index_.load(std::memory_order_relaxed);
    while (index < known && !index_.compare_exchange_weak(known, index, std::memory_order_relaxed)) {
    }
  }
  int64_t value() const { return index_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> index_;
};

// Index of the first one among values in their stored type; their number where there is none.
int64_t FirstOfStored(const Tensor& values, int threads) {
  const int64_t count = values.elements();
  const int64_t size = static_cast<int64_t>(DTypeSize(values.dtype()));
  FirstIndex first(count);
  RunTasks(threads, (count + kElementsATask - 1) / kElementsATask, [&](int64_t task) {
    const int64_t begin = task * kElementsATask;
    if (first.Before(begin)) return;
    const int64_t found =
        FirstNonFinite(values.dtype(), values.bytes().data() + begin * size, std::min(kElementsATask, count - begin));
    if (found >= 0) first.Found(begin + found);
  });
  return first.value();
}

int64_t FirstOfDecoded(const EncodedTensor& tensor, int threads) {
  const int64_t columns = std::max<int64_t>(tensor.columns(), 1);
  const int64_t rows_a_task = std::max<int64_t>(1, kElementsATask / columns);
  FirstIndex first(tensor.elements());
  RunTasks(threads, (tensor.rows() + rows_a_task - 1) / rows_a_task, [&](int64_t task) {
    const int64_t begin = task * rows_a_task;
    if (first.Before(begin * columns)) return;
    const int64_t rows = std::min(rows_a_task, tensor.rows() - begin);
    std::vector<float> values(static_cast<size_t>(rows * columns));
    tensor.DecodeRows(begin, rows, values.data());
    const int64_t found =
        FirstNonFinite(DType::kF32, reinterpret_cast<const std::byte*>(values.data()), rows * columns);
    if (found >= 0) first.Found(begin * columns + found);
  });
  return first.value();
}

// Scales are finite, or the tensor would not have been made; a whole number of at most 8 bits times one of 16 bits is
// finite too. Scales of a wider range may be so large that it is not.
bool IsSound(const EncodedTensor& tensor) {
  if (tensor.encoding() == GroupIntTensor::kName) return true;
  if (tensor.encoding() != IndexedIntTensor::kName) return false;
  const std::vector<EncodedField> fields = tensor.Fields();
  return std::none_of(fields.begin(), fields.end(), [](const EncodedField& field) {
    return field.tensor.dtype() == DType::kF32 || field.tensor.dtype() == DType::kBF16;
  });
}

int64_t FirstOf(const EncodedTensor& tensor, int threads) {
  const auto* dense = dynamic_cast<const DenseTensor*>(&tensor);
  // Doubles may leave float's range when they are decoded.
  if (dense != nullptr && dense->values().dtype() != DType::kF64) return FirstOfStored(dense->values(), threads);
  return IsSound(tensor) ? tensor.elements() : FirstOfDecoded(tensor, threads);
}

}  // namespace

std::vector<NonFiniteWeight> NonFiniteWeights(const Model& model, int threads) {
  std::vector<NonFiniteWeight> found;
  for (const auto& [name, parameter] : model.parameters) {
    const EncodedTensor& tensor = parameter->weight();
    const int64_t first = FirstOf(tensor, threads);
    if (first < tensor.elements()) {
      NonFiniteWeight weight = {name, tensor.shape(), first / tensor.columns(), first % tensor.columns()};
      std::vector<float> row(static_cast<size_t>(tensor.columns()));
      tensor.DecodeRows(weight.row, 1, row.data());
      weight.value = row[weight.column];
      found.push_back(std::move(weight));
    }
    tensor.ReleasePages();
  }
  return found;
}

std::string Describe(const NonFiniteWeight& weight) {
  const std::string value = std::isnan(weight.value) ? "NaN" : weight.value < 0 ? "-infinity" : "infinity";
  const std::string row = weight.shape.size() < 2 ? "" : absl::StrCat(weight.row, ", ");
  return absl::StrCat("\"", weight.parameter, "\" holds ", value, " at element [", row, weight.column, "]");
}

}  // namespace tersor
