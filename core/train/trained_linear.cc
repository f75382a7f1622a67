#include "core/train/trained_linear.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kernels/gradient_product.h"
#include "core/kernels/scratch.h"

namespace tersor {
namespace {

void AddColumnSums(const float* x, int64_t rows, int64_t columns, float* sums) {
  for (int64_t row = 0; row < rows; ++row, x += columns) {
    for (int64_t i = 0; i < columns; ++i) sums[i] += x[i];
  }
}

void Scale(float* x, int64_t count, float factor) {
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

}  // namespace

absl::StatusOr<TrainedLinear> TrainedLinear::Create(TrainedLinearSource source, const ComputeOptions& options) {
  TrainedLinear linear;
  linear.source_ = std::move(source);
  const TrainedLinearSource& s = linear.source_;
  linear.outputs_ = s.weight != nullptr ? s.weight->rows : s.frozen->rows();
  linear.inputs_ = s.weight != nullptr ? s.weight->columns : s.frozen->columns();
  if (s.term && (s.term->down->columns != linear.inputs_ || s.term->up->rows != linear.outputs_ ||
                 s.term->up->columns != s.term->rank())) {
    return absl::InvalidArgumentError(absl::StrCat("factors ", s.term->down->name, " and ", s.term->up->name,
                                                   " do not fit a layer of ", linear.outputs_, " x ", linear.inputs_));
  }
  if (s.weight == nullptr) {
    const std::vector<float> bias = s.bias == nullptr ? std::vector<float>() : s.bias->values;
    TERSOR_ASSIGN_OR_RETURN(linear.frozen_, Linear::Create({s.frozen.get(), 0, linear.outputs_}, bias, options));
    TERSOR_ASSIGN_OR_RETURN(linear.transposed_, PackedMatrix::PackTransposed(s.frozen->Decode(), linear.outputs_,
                                                                             linear.inputs_, options.precision));
  }
  TERSOR_RETURN_IF_ERROR(linear.Refresh(options));
  return linear;
}

absl::Status TrainedLinear::Refresh(const ComputeOptions& options) {
  const auto pack = [&](const Parameter& p, PackedMatrix& plain, PackedMatrix& transposed) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(plain, PackedMatrix::Pack(p.values, p.rows, p.columns, options.precision));
    TERSOR_ASSIGN_OR_RETURN(transposed, PackedMatrix::PackTransposed(p.values, p.rows, p.columns, options.precision));
    return absl::OkStatus();
  };
  if (!source_.term) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(pack(*source_.term->down, down_, down_transposed_));
  return pack(*source_.term->up, up_, up_transposed_);
}

absl::StatusOr<std::shared_ptr<const void>> TrainedLinear::Hold(Direction direction, const ComputeOptions& options) {
  const bool forward = direction == Direction::kForward;
  if (!weight_trained()) {
    if (forward) return frozen_.Hold(options.threads);
    return std::shared_ptr<const void>();
  }
  const Parameter& weight = *source_.weight;
  PackedMatrix& packed = forward ? packed_ : transposed_;
  const auto pack = forward ? PackedMatrix::Pack : PackedMatrix::PackTransposed;
  TERSOR_ASSIGN_OR_RETURN(packed,
                          pack(weight.values, weight.rows, weight.columns, options.precision, /*lasting=*/false));
  return std::shared_ptr<const void>(&packed, [&packed](const void*) { packed = PackedMatrix(); });
}

absl::Status TrainedLinear::Forward(const float* x, int64_t rows, bool accumulate, float* y) const {
  if (source_.weight != nullptr) {
    const float* bias = source_.bias == nullptr ? nullptr : source_.bias->values.data();
    TERSOR_RETURN_IF_ERROR(packed_.Multiply(x, inputs_, rows, bias, accumulate, y, outputs_));
  } else {
    TERSOR_RETURN_IF_ERROR(frozen_.Multiply(x, inputs_, rows, accumulate, y, outputs_));
  }
  if (!source_.term) return absl::OkStatus();
  ScratchBuffer inner(rows * rank());
  TERSOR_RETURN_IF_ERROR(Inner(x, rows, inner.data()));
  return up_.Multiply(inner.data(), rank(), rows, nullptr, true, y, outputs_);
}

absl::Status TrainedLinear::Inner(const float* x, int64_t rows, float* inner) const {
  if (!source_.term) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(down_.Multiply(x, inputs_, rows, nullptr, false, inner, rank()));
  Scale(inner, rows * rank(), source_.term->scale);
  return absl::OkStatus();
}

absl::Status TrainedLinear::Backward(const float* gradient, int64_t rows, bool accumulate, float* x_gradient,
                                     float* inner_gradient) const {
  TERSOR_RETURN_IF_ERROR(transposed_.Multiply(gradient, outputs_, rows, nullptr, accumulate, x_gradient, inputs_));
  if (!source_.term) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(up_transposed_.Multiply(gradient, outputs_, rows, nullptr, false, inner_gradient, rank()));
  Scale(inner_gradient, rows * rank(), source_.term->scale);
  return down_transposed_.Multiply(inner_gradient, rank(), rows, nullptr, true, x_gradient, inputs_);
}

void TrainedLinear::AddGradients(const Pass& pass, int threads, GradientTasks& tasks) const {
  if (source_.weight != nullptr) AddWeightGradients(pass, threads, tasks);
  if (source_.term) AddTermGradients(pass, tasks);
}

void TrainedLinear::AddWeightGradients(const Pass& pass, int threads, GradientTasks& tasks) const {
  const auto left = std::make_shared<ColumnPanels>(MakeColumnPanels(pass.gradient, pass.rows, outputs_, threads));
  for (int64_t panel = 0; panel < left->panels(); ++panel) {
    tasks.Add([=, this, x = pass.x] {
      AddGradientPanel(*left, outputs_, panel, *x, inputs_, source_.weight->gradient.data());
    });
  }
  if (source_.bias == nullptr) return;
  tasks.Add([=, this] { AddColumnSums(pass.gradient, pass.rows, outputs_, source_.bias->gradient.data()); });
}

void TrainedLinear::AddTermGradients(const Pass& pass, GradientTasks& tasks) const {
  tasks.Add([=, this] {
    const ColumnPanels left = MakeColumnPanels(pass.gradient, pass.rows, outputs_, 1);
    const ColumnPanels right = MakeColumnPanels(pass.inner, pass.rows, rank(), 1);
    for (int64_t panel = 0; panel < left.panels(); ++panel) {
      AddGradientPanel(left, outputs_, panel, right, rank(), source_.term->up->gradient.data());
    }
  });
  tasks.AddTo(source_.term->down, [=, this] {
    const ColumnPanels left = MakeColumnPanels(pass.inner_gradient, pass.rows, rank(), 1);
    for (int64_t panel = 0; panel < left.panels(); ++panel) {
      AddGradientPanel(left, rank(), panel, *pass.x, inputs_, source_.term->down->gradient.data());
    }
  });
}

}  // namespace tersor
