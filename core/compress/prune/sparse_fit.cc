#include "core/compress/prune/sparse_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "core/compress/quantize/feedback_system.h"
#include "core/kernels/parallel.h"
#include "core/linalg/eigen.h"
#include "core/linalg/products.h"

namespace tersor {
namespace {

// Rows that a task takes together, so that results do not depend on the number of threads.
constexpr int64_t kPiece = 96;
// The authors' schedule.
constexpr double kFirstPenalty = 0.1, kLargestPenalty = 1e6;
constexpr int kStepsAPenalty = 3, kLeastSteps = 30;
constexpr double kSettledShare = 0.0003;
// Of the final fit; the authors take 10.
constexpr int kGradientSteps = 20;
constexpr double kGradientTolerance = 1e-4;

// How the penalty goes on once `changed` of `kept` marks have changed; nullopt: the choice has settled.
struct Schedule {
  double penalty = kFirstPenalty;
  bool risen = false;
  // Begin again from the dense weights.
  bool restart = false;

  bool Next(int64_t changed, int64_t kept, int step) {
    const double share = static_cast<double>(changed) / static_cast<double>(std::max<int64_t>(kept, 1));
    restart = false;
    if (share > 0.005) {
      penalty *= share > 0.1 ? 1.3 : 1.2;
      risen = true;
    } else if (risen) {
      if (changed == 0 || (step >= kLeastSteps && share < kSettledShare)) return false;
      penalty *= 1.1;
    } else {
      // So small a penalty that the iterate hardly moves off, or so large a one that it never left: start lower.
      restart = changed > 0;
      penalty /= 5;
    }
    penalty = std::min(penalty, kLargestPenalty);
    return penalty > 1e-9;
  }
};

class AdmmPass {
 public:
  AdmmPass(const MomentSpectrum& spectrum, ConstMatrixView weights, const SparseFit& fit)
      : spectrum_(spectrum),
        fit_(fit),
        rows_(weights.rows),
        n_(weights.columns),
        dense_(rows_ * n_),
        target_(rows_ * n_) {
    for (int64_t row = 0; row < rows_; ++row) {
      for (int64_t i = 0; i < n_; ++i) dense_[row * n_ + i] = weights.at(row, i) * spectrum.lengths[i];
    }
    EachPiece([&](int64_t first, int64_t count) {
      AddProduct(Rows(dense_, first, count), Moment(), MutableRows(target_, first, count));
    });
    if (fit.dense_correction > 0) AimAtDenseOutputs();
  }

  absl::StatusOr<FittedMatrix> Run() {
    FittedMatrix result;
    TERSOR_RETURN_IF_ERROR(Iterate(result.steps));
    std::vector<uint8_t> free = Chosen(free_), projected = marks_;
    const std::vector<float> by_projected = Refit(projected), by_free = free == projected ? by_projected : Refit(free);
    const bool take_free = Error(by_free) < Error(by_projected);
    result.values = take_free ? by_free : by_projected;
    result.kept = take_free ? std::move(free) : std::move(projected);
    for (int64_t row = 0; row < rows_; ++row) {
      for (int64_t i = 0; i < n_; ++i) result.values[row * n_ + i] /= spectrum_.lengths[i];
    }
    return result;
  }

 private:
  // The target W (H + share (D^T X - X^T X)) in place of W H. The damping, which H holds besides, is no input's.
  void AimAtDenseOutputs() {
    std::vector<float> drift(n_ * n_);
    const ConstMatrixView dense = fit_.dense_moment;
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t j = 0; j < n_; ++j) {
        const float undamped = spectrum_.moment[i * n_ + j] - (i == j ? spectrum_.damping[i] : 0.0f);
        const float scaled = dense.at(i, j) / (spectrum_.lengths[i] * spectrum_.lengths[j]);
        drift[i * n_ + j] = static_cast<float>(fit_.dense_correction) * (scaled - undamped);
      }
    }
    EachPiece([&](int64_t first, int64_t count) {
      AddProduct(Rows(dense_, first, count), {drift.data(), n_, n_}, MutableRows(target_, first, count));
    });
  }

  template <typename Work>
  void EachPiece(const Work& work) const {
    RunTasks(fit_.threads, (rows_ + kPiece - 1) / kPiece,
             [&](int64_t piece) { work(piece * kPiece, std::min(kPiece, rows_ - piece * kPiece)); });
  }
  ConstMatrixView Rows(const std::vector<float>& matrix, int64_t first, int64_t count) const {
    return {matrix.data() + first * n_, count, n_};
  }
  MatrixView MutableRows(std::vector<float>& matrix, int64_t first, int64_t count) const {
    return {matrix.data() + first * n_, count, n_};
  }
  ConstMatrixView Moment() const { return {spectrum_.moment.data(), n_, n_}; }

  // (H + penalty I)^-1, all of it.
  std::vector<float> Inverse(double penalty) const {
    std::vector<float> scaled(n_ * n_), inverse(n_ * n_);
    for (int64_t k = 0; k < n_; ++k) {
      // Rounding may leave an eigenvalue a little below zero.
      const double value = std::max(spectrum_.values[k], 0.0) + penalty;
      const float factor = static_cast<float>(1 / std::sqrt(value));
      for (int64_t i = 0; i < n_; ++i) scaled[k * n_ + i] = spectrum_.vectors[k * n_ + i] * factor;
    }
    const ConstMatrixView all(scaled.data(), n_, n_);
    RunTasks(fit_.threads, (n_ + kPiece - 1) / kPiece, [&](int64_t piece) {
      const int64_t first = piece * kPiece, count = std::min(kPiece, n_ - first);
      AddTransposedProduct(all.Columns(first, count), all, {inverse.data() + first * n_, count, n_});
    });
    return inverse;
  }

  // The weights of largest square that may stay.
  std::vector<uint8_t> Chosen(const std::vector<float>& values) const {
    std::vector<float> scores(values.size());
    std::transform(values.begin(), values.end(), scores.begin(), [](float value) { return value * value; });
    for (size_t i = 0; i < fit_.given.size(); ++i) {
      if (fit_.given[i] == 0) scores[i] = -1;
    }
    std::vector<uint8_t> kept(values.size());
    fit_.choose({scores.data(), rows_, n_}, kept);
    for (size_t i = 0; i < fit_.given.size(); ++i) kept[i] = std::min(kept[i], fit_.given[i]);
    return kept;
  }

  absl::Status Iterate(int& steps) {
    Schedule schedule;
    std::vector<float> multipliers(rows_ * n_), projected = dense_, before(rows_ * n_);
    std::vector<float> inverse = Inverse(schedule.penalty);
    free_.assign(rows_ * n_, 0);
    std::vector<uint8_t> last(rows_ * n_, 1);
    for (steps = 0; steps < fit_.steps; ++steps) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(fit_.cancellation));
      const float penalty = static_cast<float>(schedule.penalty);
      EachPiece([&](int64_t first, int64_t count) {
        const int64_t begin = first * n_, end = begin + count * n_;
        for (int64_t i = begin; i < end; ++i) before[i] = target_[i] - multipliers[i] + penalty * projected[i];
        std::fill(free_.begin() + begin, free_.begin() + end, 0.0f);
        AddProduct(Rows(before, first, count), {inverse.data(), n_, n_}, MutableRows(free_, first, count));
        for (int64_t i = begin; i < end; ++i) projected[i] = free_[i] + multipliers[i] / penalty;
      });
      marks_ = Chosen(projected);
      EachPiece([&](int64_t first, int64_t count) {
        for (int64_t i = first * n_; i < (first + count) * n_; ++i) {
          if (marks_[i] == 0) projected[i] = 0;
          multipliers[i] += penalty * (free_[i] - projected[i]);
        }
      });
      if ((steps + 1) % kStepsAPenalty != 0) continue;
      int64_t changed = 0, kept = 0;
      for (size_t i = 0; i < last.size(); ++i) {
        changed += marks_[i] != last[i];
        kept += marks_[i];
      }
      last = marks_;
      if (!schedule.Next(changed, kept, steps + 1)) break;
      if (schedule.restart) {
        projected = dense_;
        std::fill(multipliers.begin(), multipliers.end(), 0.0f);
      }
      inverse = Inverse(schedule.penalty);
    }
    return absl::OkStatus();
  }

  // The values of the kept weights with the least error of each row.
  std::vector<float> Refit(const std::vector<uint8_t>& kept) const {
    std::vector<float> values(rows_ * n_);
    for (size_t i = 0; i < values.size(); ++i) values[i] = kept[i] != 0 ? free_[i] : 0.0f;
    EachPiece([&](int64_t first, int64_t count) { RefitRows(kept, first, count, values); });
    return values;
  }

  void RefitRows(const std::vector<uint8_t>& kept, int64_t first, int64_t count, std::vector<float>& values) const {
    const int64_t size = count * n_, begin = first * n_;
    std::vector<float> residual(target_.begin() + begin, target_.begin() + begin + size), product(size), direction;
    const auto multiply = [&](const float* rows) {
      std::fill(product.begin(), product.end(), 0.0f);
      AddProduct({rows, count, n_}, Moment(), {product.data(), count, n_});
    };
    multiply(values.data() + begin);
    for (int64_t i = 0; i < size; ++i) residual[i] = kept[begin + i] != 0 ? residual[i] - product[i] : 0.0f;
    direction = residual;
    std::vector<double> squares(count), first_squares(count);
    for (int64_t row = 0; row < count; ++row) squares[row] = Dot(residual, residual, row);
    for (int64_t row = 0; row < count; ++row) first_squares[row] = Dot(target_, target_, row, first);
    for (int step = 0; step < kGradientSteps; ++step) {
      multiply(direction.data());
      for (int64_t i = 0; i < size; ++i) product[i] = kept[begin + i] != 0 ? product[i] : 0.0f;
      for (int64_t row = 0; row < count; ++row) {
        const double curvature = Dot(direction, product, row);
        const bool done =
            squares[row] <= kGradientTolerance * kGradientTolerance * first_squares[row] || curvature <= 0;
        const float length = done ? 0.0f : static_cast<float>(squares[row] / curvature);
        for (int64_t i = row * n_; i < (row + 1) * n_; ++i) {
          values[begin + i] += length * direction[i];
          residual[i] -= length * product[i];
        }
        const double next = Dot(residual, residual, row);
        const float share = done || squares[row] == 0 ? 0.0f : static_cast<float>(next / squares[row]);
        for (int64_t i = row * n_; i < (row + 1) * n_; ++i) direction[i] = residual[i] + share * direction[i];
        squares[row] = next;
      }
    }
  }

  // Of row `row` of `a` and row `row` of `b`; of both from row `first` on.
  double Dot(const std::vector<float>& a, const std::vector<float>& b, int64_t row, int64_t first = 0) const {
    const auto begin = (first + row) * n_;
    return std::inner_product(a.begin() + begin, a.begin() + begin + n_, b.begin() + begin, 0.0);
  }

  // Sum over rows of v H v^T - 2 v t^T: what the outputs differ by from those aimed at, less what is the same for all
  // v.
  double Error(const std::vector<float>& values) const {
    std::vector<double> sums((rows_ + kPiece - 1) / kPiece);
    EachPiece([&](int64_t first, int64_t count) {
      std::vector<float> product(count * n_);
      AddProduct(Rows(values, first, count), Moment(), {product.data(), count, n_});
      double sum = 0;
      for (int64_t i = 0; i < count * n_; ++i) {
        sum += static_cast<double>(values[first * n_ + i]) * (product[i] - 2.0 * target_[first * n_ + i]);
      }
      sums[first / kPiece] = sum;
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }

  const MomentSpectrum& spectrum_;
  const SparseFit& fit_;
  const int64_t rows_, n_;
  // Scaled weights W, and W H.
  std::vector<float> dense_, target_;
  // The last free iterate, and the projected one's marks.
  std::vector<float> free_;
  std::vector<uint8_t> marks_;
};

}  // namespace

absl::StatusOr<MomentSpectrum> MomentSpectrum::Create(ConstMatrixView moment, double damping) {
  const int64_t n = moment.columns;
  MomentSpectrum spectrum;
  spectrum.columns = n;
  const double term = DampingTerm(moment, damping);
  std::vector<double> scaled(n * n);
  std::vector<double> lengths(n);
  for (int64_t i = 0; i < n; ++i) {
    // An input that is always zero, undamped, multiplies by nothing: any length does.
    const double diagonal = moment.at(i, i) + term;
    lengths[i] = diagonal > 0 ? std::sqrt(diagonal) : 1.0;
    spectrum.lengths.push_back(static_cast<float>(lengths[i]));
    spectrum.damping.push_back(static_cast<float>(term / (lengths[i] * lengths[i])));
    for (int64_t j = 0; j <= i; ++j) {
      scaled[i * n + j] = scaled[j * n + i] = (moment.at(i, j) + (i == j ? term : 0)) / (lengths[i] * lengths[j]);
    }
  }
  spectrum.moment.assign(scaled.begin(), scaled.end());
  TERSOR_ASSIGN_OR_RETURN(SymmetricEigen eigen, DecomposeSymmetric(n, std::move(scaled)));
  spectrum.values = std::move(eigen.values);
  spectrum.vectors.assign(eigen.vectors.begin(), eigen.vectors.end());
  return spectrum;
}

absl::StatusOr<FittedMatrix> FitSparse(const MomentSpectrum& spectrum, ConstMatrixView weights, const SparseFit& fit) {
  return AdmmPass(spectrum, weights, fit).Run();
}

double SparseFitOperations(int64_t outputs, int64_t inputs, int steps) {
  const double n = static_cast<double>(inputs), rows = static_cast<double>(outputs);
  const double refit = 2 * (kGradientSteps + 2) + 2;
  return 2 * n * n * rows * (steps + refit) + steps * (2 * n * n * n / kStepsAPenalty + 60 * n * rows);
}

}  // namespace tersor
