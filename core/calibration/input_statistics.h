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
#include "core/tensor/tensor.h"

namespace tersor {

enum class Statistic {
  // X^T X: sum over tokens of the products of each two inputs.
  kSecondMoment,
  // Largest magnitude of each input.
  kAbsMax,
  // Euclidean norm of each input over all tokens.
  kNorm,
  // Smallest and largest value of each input.
  kRange,
  // Mean magnitude of each input.
  kMeanMagnitude,
  // Evenly spaced tokens' inputs.
  kSample,
  // D^T X, where D are the inputs that the dense model has in the layer's place.
  kDenseMoment,
};
// "second_moment", "absmax", "norm", "range", "mean_magnitude", "sample", "dense_moment".
absl::string_view StatisticName(Statistic statistic);
// Those that depend on the model and the text alone, and can be kept (statistics_store.h).
inline constexpr Statistic kStoredStatistics[] = {Statistic::kSecondMoment,  Statistic::kAbsMax,
                                                  Statistic::kNorm,          Statistic::kRange,
                                                  Statistic::kMeanMagnitude, Statistic::kSample};

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

  // CANCELLED leaves the statistics half-done. INVALID_ARGUMENT names the first token and input that is not a finite
  // number.
  absl::Status Add(const StatisticsSource& source, int threads, const CancellationToken* cancellation);

  // What they become where each input is divided by its scale; `scales` [width] are above 0. kDenseMoment is not kept.
  InputStatistics DividedBy(const std::vector<float>& scales) const;

  // One statistic as it is kept: kSecondMoment's lower triangle row by row, kRange's minima and maxima, sums in F64.
  // For a statistic that was wanted and is one of kStoredStatistics.
  Tensor Values(Statistic statistic) const;
  // Puts back what Values gave, of statistics of the same width; INVALID_ARGUMENT where it does not fit.
  absl::Status Restore(Statistic statistic, const Tensor& values);
  void SetTokens(int64_t tokens) { tokens_ = tokens; }

  bool wants(Statistic statistic) const { return wanted_.contains(statistic); }
  int64_t width() const { return width_; }
  int64_t tokens() const { return tokens_; }
  // The lower triangle of X^T X; the rest is undefined. Each only where it was wanted.
  ConstMatrixView second_moment() const;
  ConstMatrixView dense_moment() const;
  const std::vector<float>& absmax() const { return absmax_; }
  std::vector<float> Norms() const;
  const std::vector<float>& minima() const { return minima_; }
  const std::vector<float>& maxima() const { return maxima_; }
  std::vector<float> MeanMagnitudes() const;
  // Inputs that were 0 on all tokens, by whatever was gathered; 0 where nothing that tells was.
  int64_t DeadInputs() const;
  // About kSampleRows rows of the inputs, all of them where there are fewer.
  static constexpr int64_t kSampleRows = 256;
  ConstMatrixView sample() const { return {sample_.data(), static_cast<int64_t>(sample_.size()) / width_, width_}; }

 private:
  void AddMagnitudes(ConstMatrixView inputs, int threads);
  void AddSample(ConstMatrixView inputs);
  // The values of a statistic that is one list.
  template <typename Self>
  static auto* Floats(Self& self, Statistic statistic);
  template <typename Self>
  static auto* Doubles(Self& self, Statistic statistic);

  int64_t width_;
  std::set<Statistic> wanted_;
  int64_t tokens_ = 0;
  // Padded to whole panels of columns.
  std::vector<float> second_moment_, dense_moment_;
  std::vector<float> absmax_, minima_, maxima_;
  std::vector<double> squares_, magnitudes_;
  std::vector<float> sample_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_CALIBRATION_INPUT_STATISTICS_H_
