#include "core/compress/quantize/masked_rounding.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/compress/quantize/feedback_rounding.h"
#include "core/kernels/grid_rounding.h"
#include "core/kernels/parallel.h"

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows;

// What a panel keeps while the blocks of columns pass: panel arrays in the order of rounding.
struct PanelState {
  std::vector<float> weights;
  std::vector<float> errors;
  double loss = 0;
};

// One panel's part of a block; panel arrays of the block's columns.
struct BlockWork {
  // Weights plus the feedback of all columns before the block.
  std::vector<float> targets;
  std::vector<float> kept;
};

class MaskedPass {
 public:
  MaskedPass(const FeedbackSystem& system, ConstMatrixView weights, const MaskedRounding& rounding)
      : system_(system),
        weights_(weights),
        rounding_(rounding),
        panels_((weights.rows + kRows - 1) / kRows),
        states_(panels_),
        work_(panels_) {
    result_.kept.resize(weights.rows * weights.columns);
    result_.values.resize(weights.rows * weights.columns);
    if (rounding.grid.has_value()) result_.codes.emplace(weights.rows, weights.columns, *rounding.grid);
  }

  absl::StatusOr<MaskedMatrix> Run() {
    RunTasks(rounding_.threads, panels_, [&](int64_t p) { Load(p); });
    const int64_t n = weights_.columns, block = std::min(rounding_.block_columns, n);
    for (int64_t first = 0; first < n; first += block) {
      const int64_t count = std::min(block, n - first);
      TERSOR_RETURN_IF_ERROR(EachPanel([&](int64_t p) { Prepare(p, first, count); }));
      if (rounding_.choose && rounding_.run == 0) Choose(count);
      TERSOR_RETURN_IF_ERROR(EachPanel([&](int64_t p) { Round(p, first, count); }));
    }
    RunTasks(rounding_.threads, panels_, [&](int64_t p) { Store(p); });
    for (const PanelState& state : states_) result_.loss += state.loss;
    return std::move(result_);
  }

 private:
  template <typename Work>
  absl::Status EachPanel(const Work& work) {
    return ParallelFor(rounding_.threads, panels_, [&](int64_t p) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(rounding_.cancellation));
      work(p);
      return absl::OkStatus();
    });
  }
  int64_t RowsOf(int64_t p) const { return std::min(kRows, weights_.rows - p * kRows); }
  bool GivenOut(int64_t p, int64_t row, int64_t position) const {
    return !rounding_.given.empty() &&
           rounding_.given[(p * kRows + row) * weights_.columns + system_.order[position]] == 0;
  }

  void Load(int64_t p) {
    PanelState& state = states_[p];
    state.weights.resize(weights_.columns * kRows);
    state.errors.resize(weights_.columns * kRows);
    for (int64_t row = 0; row < RowsOf(p); ++row) {
      const float* source = weights_.row(p * kRows + row);
      for (int64_t k = 0; k < weights_.columns; ++k) state.weights[k * kRows + row] = source[system_.order[k]];
    }
  }

  // What the weights of columns first .. first + count become if all of them and those after them are free; `targets`
  // hold the feedback of the columns before.
  std::vector<float> Compensated(const PanelState& state, const float* targets, int64_t first, int64_t count) const {
    const float* weights = state.weights.data() + first * kRows;
    std::vector<float> values(count * kRows);
    for (int64_t i = 0; i < count * kRows; ++i) values[i] = targets[i] - weights[i];
    SolveFeedback(system_.feedback, first, count, values.data());
    for (int64_t i = 0; i < count * kRows; ++i) values[i] += weights[i];
    return values;
  }

  // What leaving the panel's weights out costs, -1 for those that are out.
  void Score(int64_t p, int64_t first, int64_t count, std::vector<float>& values) const {
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t row = 0; row < RowsOf(p); ++row) {
        float& value = values[k * kRows + row];
        value = GivenOut(p, row, first + k) ? -1 : value * value * system_.importance[first + k];
      }
    }
  }

  void Prepare(int64_t p, int64_t first, int64_t count) {
    PanelState& state = states_[p];
    BlockWork& work = work_[p];
    work.targets.assign(state.weights.begin() + first * kRows, state.weights.begin() + (first + count) * kRows);
    AddFeedback(system_.feedback, 0, first, first, count, state.errors.data(), work.targets.data());
    if (rounding_.choose && rounding_.run == 0) {
      work.kept = Compensated(state, work.targets.data(), first, count);
      Score(p, first, count, work.kept);
      return;
    }
    work.kept.assign(count * kRows, 1.0f);
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t row = 0; row < RowsOf(p); ++row) work.kept[k * kRows + row] = GivenOut(p, row, first + k) ? 0 : 1;
    }
  }

  // Turns all panels' scores of a block into marks.
  void Choose(int64_t count) {
    std::vector<float> scores;
    scores.reserve(weights_.rows * count);
    for (int64_t p = 0; p < panels_; ++p) {
      for (int64_t row = 0; row < RowsOf(p); ++row) {
        for (int64_t k = 0; k < count; ++k) scores.push_back(work_[p].kept[k * kRows + row]);
      }
    }
    std::vector<uint8_t> kept(scores.size());
    rounding_.choose(scores, kept.data());
    size_t i = 0;
    for (int64_t p = 0; p < panels_; ++p) {
      for (int64_t row = 0; row < RowsOf(p); ++row) {
        for (int64_t k = 0; k < count; ++k, ++i) work_[p].kept[k * kRows + row] = scores[i] < 0 ? 0 : kept[i];
      }
    }
  }

  // The marks of `size` columns from `begin` on, chosen run by run in each row.
  void ChooseRuns(int64_t p, int64_t begin, int64_t size, const float* targets, float* marks) const {
    std::vector<float> values = Compensated(states_[p], targets, begin, size);
    Score(p, begin, size, values);
    std::vector<float> scores;
    std::vector<uint8_t> kept(rounding_.run);
    for (int64_t row = 0; row < RowsOf(p); ++row) {
      for (int64_t at = 0; at < size; at += rounding_.run) {
        scores.clear();
        for (int64_t k = at; k < std::min(size, at + rounding_.run); ++k) scores.push_back(values[k * kRows + row]);
        rounding_.choose(scores, kept.data());
        for (size_t i = 0; i < scores.size(); ++i) marks[(at + i) * kRows + row] = scores[i] < 0 ? 0 : kept[i];
      }
    }
  }

  // Columns that share a grid go together, or those of a run.
  int64_t Step(int64_t count) const {
    if (rounding_.grid.has_value()) return std::min(rounding_.grid->GroupColumns(weights_.columns), count);
    return rounding_.choose && rounding_.run > 0 ? rounding_.run : count;
  }

  void Round(int64_t p, int64_t first, int64_t count) {
    BlockWork& work = work_[p];
    const int64_t step = Step(count), end = first + count;
    for (int64_t begin = first; begin < end; begin += step) {
      const int64_t size = std::min(step, end - begin), at = (begin - first) * kRows;
      if (begin > first) {
        AddFeedback(system_.feedback, first, begin, begin, size, states_[p].errors.data() + first * kRows,
                    work.targets.data() + at);
      }
      if (rounding_.choose && rounding_.run > 0) {
        ChooseRuns(p, begin, size, work.targets.data() + at, work.kept.data() + at);
      }
      if (rounding_.grid.has_value()) {
        RoundGroup(p, first, begin, size, work);
      } else {
        RoundColumns(p, first, begin, size, nullptr, work);
      }
    }
  }

  void RoundGroup(int64_t p, int64_t first, int64_t begin, int64_t size, BlockWork& work) {
    const float* targets = work.targets.data() + (begin - first) * kRows;
    const float* kept = work.kept.data() + (begin - first) * kRows;
    std::vector<float> values = Compensated(states_[p], targets, begin, size);
    for (int64_t i = 0; i < size * kRows; ++i) values[i] *= kept[i];
    const bool weighted = rounding_.grid->search == v1::SCALE_SEARCH_HESSIAN;
    const PanelGrids grids =
        FitGrids(values.data(), size, weighted ? system_.importance.data() + begin : nullptr, *rounding_.grid);
    QuantizedMatrix& codes = *result_.codes;
    const int64_t group = system_.order[begin] / rounding_.grid->GroupColumns(weights_.columns);
    for (int64_t row = 0; row < RowsOf(p); ++row) {
      codes.grids[(p * kRows + row) * codes.groups() + group] = {grids.scales[row], grids.zero_points[row]};
    }
    if (!rounding_.choose || rounding_.run == 0) return RoundColumns(p, first, begin, size, &grids, work);
    // The choice that the grid was fitted to is made again, run by run, by what rounding has made of the weights.
    for (int64_t run = begin; run < begin + size; run += rounding_.run) {
      const int64_t count = std::min(rounding_.run, begin + size - run), at = (run - first) * kRows;
      if (run > begin) {
        AddFeedback(system_.feedback, begin, run, run, count, states_[p].errors.data() + begin * kRows,
                    work.targets.data() + at);
      }
      ChooseRuns(p, run, count, work.targets.data() + at, work.kept.data() + at);
      RoundColumns(p, first, run, count, &grids, work);
    }
  }

  // A weight that is left out is rounded on a grid of scale 0; without grids the kept ones keep their targets.
  void RoundColumns(int64_t p, int64_t first, int64_t begin, int64_t count, const PanelGrids* grids, BlockWork& work) {
    PanelState& state = states_[p];
    const int64_t size = count * kRows, at = (begin - first) * kRows;
    const float* kept = work.kept.data() + at;
    std::vector<float> scales(size), inverse(size), zeros(size), codes(size);
    for (int64_t i = 0; grids != nullptr && i < size; ++i) {
      const float scale = kept[i] != 0 ? grids->scales[i % kRows] : 0;
      scales[i] = scale;
      inverse[i] = scale == 0 ? 0 : 1 / scale;
      zeros[i] = grids->zero_points[i % kRows];
    }
    const FeedbackPanel columns = {.first = begin,
                                   .columns = count,
                                   .feedback = &system_.feedback,
                                   .importance = system_.importance.data() + begin,
                                   .weights = state.weights.data() + begin * kRows,
                                   .targets = work.targets.data() + at,
                                   .floats = grids == nullptr ? kept : nullptr};
    const float max_code = grids == nullptr ? 0 : static_cast<float>(rounding_.grid->max_code());
    std::array<float, kRows> losses;
    RoundWithFeedback(columns, {scales.data(), inverse.data(), zeros.data(), kRows, max_code}, codes.data(),
                      state.errors.data() + begin * kRows, losses.data());
    for (const float loss : losses) state.loss += loss;
    for (int64_t k = 0; k < count; ++k) {
      const int64_t column = system_.order[begin + k];
      for (int64_t row = 0; row < RowsOf(p); ++row) {
        const int64_t element = (p * kRows + row) * weights_.columns + column;
        result_.kept[element] = kept[k * kRows + row] != 0;
        if (grids != nullptr) result_.codes->codes[element] = static_cast<uint8_t>(codes[k * kRows + row]);
      }
    }
  }

  void Store(int64_t p) {
    const PanelState& state = states_[p];
    for (int64_t row = 0; row < RowsOf(p); ++row) {
      const int64_t base = (p * kRows + row) * weights_.columns;
      for (int64_t k = 0; k < weights_.columns; ++k) {
        const int64_t element = base + system_.order[k];
        // Not the difference, which need not be exactly zero.
        result_.values[element] =
            result_.kept[element] != 0 ? state.weights[k * kRows + row] - state.errors[k * kRows + row] : 0.0f;
      }
    }
  }

  const FeedbackSystem& system_;
  const ConstMatrixView weights_;
  const MaskedRounding& rounding_;
  const int64_t panels_;
  std::vector<PanelState> states_;
  std::vector<BlockWork> work_;
  MaskedMatrix result_;
};

}  // namespace

absl::StatusOr<MaskedMatrix> RoundMasked(const FeedbackSystem& system, ConstMatrixView weights,
                                         const MaskedRounding& rounding) {
  return MaskedPass(system, weights, rounding).Run();
}

}  // namespace tersor
