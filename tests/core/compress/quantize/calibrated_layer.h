// A small layer with the statistics of correlated inputs, for tests of methods that use the second moment.
#ifndef TERSOR_TESTS_CORE_COMPRESS_QUANTIZE_CALIBRATED_LAYER_H_
#define TERSOR_TESTS_CORE_COMPRESS_QUANTIZE_CALIBRATED_LAYER_H_

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/compress/method_registry.h"
#include "core/compress/quantize/layer_rounding.h"
#include "core/encoding/dense_tensor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor::testing {

struct CalibratedLayer {
  int64_t rows, columns;
  std::vector<float> weights;
  InputStatistics statistics;

  CalibratedLayer(int64_t rows, int64_t columns)
      : rows(rows),
        columns(columns),
        weights(rows * columns),
        statistics(columns, {Statistic::kSecondMoment, Statistic::kNorm}) {
    std::mt19937 random(static_cast<unsigned>(rows + columns));
    std::normal_distribution<float> normal;
    for (float& weight : weights) weight = normal(random) * 0.05f;
    const int64_t tokens = 3 * columns;
    std::vector<float> inputs(tokens * columns);
    for (int64_t t = 0; t < tokens; ++t) {
      const float common = normal(random);
      for (int64_t i = 0; i < columns; ++i) {
        // A few inputs are much larger than the others.
        const float size = i % 29 == 3 ? 12.0f : 1.0f;
        inputs[t * columns + i] = (normal(random) + common) * size;
      }
    }
    EXPECT_TRUE(statistics.Add({.inputs = {inputs.data(), tokens, columns}, .dense_inputs = {}}, 1, nullptr).ok());
  }
  ConstMatrixView view() const { return {weights.data(), rows, columns}; }

  SegmentTask Task() const {
    SegmentTask task;
    task.layers.push_back({{"layer", rows, columns}, *DenseTensor::FromFloats({rows, columns}, weights)});
    task.statistics = &statistics;
    return task;
  }
  absl::StatusOr<SegmentOutcome> Apply(const std::string& stage_text) const {
    v1::QuantizeStage stage;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(stage_text, &stage)) << stage_text;
    std::vector<FieldViolation> violations;
    const std::unique_ptr<const Method> method = MakeMethod(stage, "stage", violations);
    EXPECT_TRUE(violations.empty()) << violations[0].field << ": " << violations[0].description;
    return method->Apply(Task());
  }
  double OutputError(const EncodedTensor& weight) const {
    const MomentForm form(statistics.second_moment());
    return RelativeError(**DenseTensor::FromFloats({rows, columns}, weights), weight, &form, 1);
  }
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_COMPRESS_QUANTIZE_CALIBRATED_LAYER_H_
