// What methods want to know of a linear layer's inputs, gathered once however many ask.
#ifndef TERSOR_CORE_CALIBRATION_INPUT_STATISTICS_H_
#define TERSOR_CORE_CALIBRATION_INPUT_STATISTICS_H_

#include <cstdint>
#include <set>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

enum class Statistic {
  // X^T X: sum over tokens of the products of each two inputs.
  kSecondMoment,
  // Largest magnitude of each input.
  kAbsMax,
  // Euclidean norm of each input over all tokens.
  kNorm,
  // D^T X, where D are the inputs that the dense model has in the layer's place.
  kDenseMoment,
};
// "second_moment", "absmax", "norm", "dense_moment".
absl::string_view StatisticName(Statistic statistic);

// Of the same tokens, [tokens, width] each.
struct StatisticsSource {
  ConstMatrixView inputs;
  // Where kDenseMoment is asked for.
  ConstMatrixView dense_inputs;
};

// Sums over the rows that Add sees. Results depend on the calls to Add and their order, not on threads.
class InputStatistics {
 public:
  InputStatistics(int64_t width, std::set<Statistic> wanted);

  // CANCELLED leaves the statistics half-done.
  absl::Status Add(const StatisticsSource& source, int threads, const CancellationToken* cancellation);

  int64_t width() const { return width_; }
  int64_t tokens() const { return tokens_; }
  // The lower triangle of X^T X; the rest is undefined. Each only where it was wanted.
  ConstMatrixView second_moment() const { return {second_moment_.data(), width_, width_}; }
  ConstMatrixView dense_moment() const { return {dense_moment_.data(), width_, width_}; }
  const std::vector<float>& absmax() const { return absmax_; }
  std::vector<float> Norms() const;

 private:
  absl::Status AddSecondMoment(ConstMatrixView inputs, int threads, const CancellationToken* cancellation);
  void AddMagnitudes(ConstMatrixView inputs);

  int64_t width_;
  std::set<Statistic> wanted_;
  int64_t tokens_ = 0;
  std::vector<float> second_moment_, dense_moment_;
  std::vector<float> absmax_;
  std::vector<double> squares_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_INPUT_STATISTICS_H_
