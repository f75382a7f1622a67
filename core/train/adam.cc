#include "core/train/adam.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/adam_step.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

// Values a task changes or sums.
constexpr int64_t kPiece = 1 << 16;

struct Piece {
  Parameter* parameter;
  int64_t first, count;
};

std::vector<Piece> PiecesOf(ParameterMap& parameters) {
  std::vector<Piece> pieces;
  for (auto& [name, parameter] : parameters) {
    const int64_t size = static_cast<int64_t>(parameter.gradient.size());
    for (int64_t first = 0; first < size; first += kPiece) {
      pieces.push_back({&parameter, first, std::min(kPiece, size - first)});
    }
  }
  return pieces;
}

// In lanes, which the compiler turns into vectors.
double SumOfSquares(const float* x, int64_t count) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) sums[lane] += static_cast<double>(x[i + lane]) * x[i + lane];
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

Adam::Adam(const AdamOptions& options, ParameterMap& parameters, int threads)
    : options_(options), parameters_(parameters), threads_(threads) {
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.trained()) continue;
    moments_[name] = {std::vector<float>(parameter.values.size()), std::vector<float>(parameter.values.size())};
  }
}

absl::StatusOr<double> Adam::GradientNorm() const {
  const std::vector<Piece> pieces = PiecesOf(parameters_);
  std::vector<double> sums(pieces.size());
  RunTasks(threads_, static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    sums[i] = SumOfSquares(pieces[i].parameter->gradient.data() + pieces[i].first, pieces[i].count);
  });
  double sum = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!std::isfinite(sums[i])) {
      return absl::InvalidArgumentError(absl::StrCat("the gradient of ", pieces[i].parameter->name,
                                                     " is not finite: the learning rate is too high, "
                                                     "or a weight or input is not finite"));
    }
    sum += sums[i];
  }
  return std::sqrt(sum);
}

absl::StatusOr<double> Adam::Step(double learning_rate) {
  TERSOR_ASSIGN_OR_RETURN(const double norm, GradientNorm());
  ++steps_;
  const double t = static_cast<double>(steps_);
  AdamStep step;
  step.rate = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, t)));
  step.second_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  step.beta1 = static_cast<float>(options_.beta1);
  step.beta2 = static_cast<float>(options_.beta2);
  step.rest1 = static_cast<float>(1 - options_.beta1);
  step.rest2 = static_cast<float>(1 - options_.beta2);
  step.epsilon = static_cast<float>(options_.epsilon);
  if (options_.clip_norm > 0 && norm > options_.clip_norm) {
    step.gradient_scale = static_cast<float>(options_.clip_norm / norm);
  }
  const std::vector<Piece> pieces = PiecesOf(parameters_);
  RunTasks(threads_, static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    Parameter& parameter = *pieces[i].parameter;
    Moments& moments = moments_.find(parameter.name)->second;
    AdamStep own = step;
    if (parameter.is_matrix()) own.decay = static_cast<float>(learning_rate * options_.weight_decay);
    const int64_t at = pieces[i].first;
    ApplyAdamStep(own, parameter.gradient.data() + at, moments.first.data() + at, moments.second.data() + at,
                  parameter.values.data() + at, pieces[i].count);
  });
  return norm;
}

absl::Status Adam::Restore(std::map<std::string, Moments> moments, int64_t steps) {
  for (const auto& [name, own] : moments_) {
    const auto found = moments.find(name);
    if (found == moments.end() || found->second.first.size() != own.first.size() ||
        found->second.second.size() != own.second.size() || moments.size() != moments_.size()) {
      return absl::InvalidArgumentError(absl::StrCat("a checkpoint's moments are not those of ", name));
    }
  }
  moments_ = std::move(moments);
  steps_ = steps;
  return absl::OkStatus();
}

}  // namespace tersor
