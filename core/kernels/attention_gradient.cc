#include "core/kernels/attention_gradient.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/attention.h"
#include "core/kernels/outer_products.h"
#include "core/kernels/scratch.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention_gradient.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "hwy/contrib/math/math-inl.h"

// One query's scores of a block of keys, of which it sees [begin, end).
#ifndef TERSOR_CORE_KERNELS_ATTENTION_GRADIENT_ROW_
#define TERSOR_CORE_KERNELS_ATTENTION_GRADIENT_ROW_
namespace tersor {
struct ScoreRow {
  int64_t begin, end;
  float log_sum;
  // Sum over the head of output times its gradient.
  float delta;
  float cap;
};
}  // namespace tersor
#endif

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

// scores [kKeyBlock] become probabilities; slopes, the probabilities' gradients, become those of the scores.
void SoftmaxRow(const ScoreRow& row, float* HWY_RESTRICT scores, float* HWY_RESTRICT slopes) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto log_sum = hn::Set(d, row.log_sum), delta = hn::Set(d, row.delta), one = hn::Set(d, 1.0f);
  const auto cap = hn::Set(d, row.cap), inverse = hn::Set(d, row.cap > 0 ? 1.0f / row.cap : 0.0f);
  for (int64_t i = 0; i < kKeyBlock; i += lanes) {
    const auto seen = hn::AndNot(hn::FirstN(d, std::max<int64_t>(0, row.begin - i)),
                                 hn::FirstN(d, std::max<int64_t>(0, row.end - i)));
    auto score = hn::LoadU(d, scores + i);
    auto slope = hn::Sub(hn::LoadU(d, slopes + i), delta);
    if (row.cap > 0) {
      const auto bent = hn::Tanh(d, hn::Mul(score, inverse));
      score = hn::Mul(cap, bent);
      slope = hn::Mul(slope, hn::NegMulAdd(bent, bent, one));
    }
    const auto probability = hn::IfThenElseZero(seen, hn::Exp(d, hn::Min(hn::Sub(score, log_sum), hn::Zero(d))));
    hn::StoreU(probability, d, scores + i);
    hn::StoreU(hn::Mul(probability, slope), d, slopes + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(SoftmaxRow);

namespace {

int64_t RoundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

// Keys and values of the head in the layouts that products read, with the sums of their gradients.
struct HeadKeys {
  HeadKeys(const AttentionGradient& g, int64_t padded)
      : rows(RoundUp(g.positions, kKeyBlock)),
        keys(rows * padded),
        turned_keys(rows * g.head_size),
        turned_values(rows * g.head_size),
        key_gradients(rows * padded),
        value_gradients(rows * padded) {
    for (ScratchBuffer* buffer : {&keys, &turned_keys, &turned_values, &key_gradients, &value_gradients}) {
      std::fill_n(buffer->data(), buffer->size(), 0.0f);
    }
    for (int64_t i = 0; i < g.positions; ++i) {
      std::copy_n(g.keys + i * g.key_stride, g.head_size, keys.data() + i * padded);
      // [block][head_size][kKeyBlock].
      const int64_t at = i / kKeyBlock * kKeyBlock * g.head_size + i % kKeyBlock;
      for (int64_t k = 0; k < g.head_size; ++k) {
        turned_keys.data()[at + k * kKeyBlock] = g.keys[i * g.key_stride + k];
        turned_values.data()[at + k * kKeyBlock] = g.values[i * g.key_stride + k];
      }
    }
  }

  int64_t rows;
  ScratchBuffer keys, turned_keys, turned_values, key_gradients, value_gradients;
};

// Queries of some positions; row r is head r % group of position first + r / group.
class QueryTile {
 public:
  QueryTile(const AttentionGradient& g, int64_t padded, int64_t first, int64_t positions)
      : g_(g),
        padded_(padded),
        first_(first),
        positions_(positions),
        rows_(positions * g.group),
        turned_stride_(RoundUp(rows_, 16)),
        queries_(rows_ * padded),
        slopes_(rows_ * padded),
        gradients_(rows_ * padded),
        turned_queries_(g.head_size * turned_stride_),
        turned_slopes_(g.head_size * turned_stride_),
        scores_(rows_ * kKeyBlock),
        score_slopes_(rows_ * kKeyBlock),
        turned_score_slopes_(kKeyBlock * turned_stride_),
        deltas_(rows_) {
    std::fill_n(queries_.data(), queries_.size(), 0.0f);
    std::fill_n(slopes_.data(), slopes_.size(), 0.0f);
    std::fill_n(gradients_.data(), gradients_.size(), 0.0f);
    for (int64_t r = 0; r < rows_; ++r) LoadRow(r);
  }

  void AddBlock(HeadKeys& head, int64_t block) {
    const int64_t turned = block * kKeyBlock * g_.head_size, plain = block * kKeyBlock * padded_;
    Multiply(turned_queries_, head.turned_keys.data() + turned, scores_);
    Multiply(turned_slopes_, head.turned_values.data() + turned, score_slopes_);
    for (int64_t r = 0; r < rows_; ++r) BackpropagateSoftmax(r, block);
    AddOuterProducts({rows_, scores_.data(), kKeyBlock, kKeyBlock, slopes_.data(), padded_, padded_,
                      head.value_gradients.data() + plain, padded_});
    AddOuterProducts({rows_, score_slopes_.data(), kKeyBlock, kKeyBlock, queries_.data(), padded_, padded_,
                      head.key_gradients.data() + plain, padded_});
    AddOuterProducts({kKeyBlock, turned_score_slopes_.data(), turned_stride_, rows_, head.keys.data() + plain, padded_,
                      padded_, gradients_.data(), padded_});
  }

  void Store() const {
    for (int64_t r = 0; r < rows_; ++r) {
      float* target = g_.query_gradients + RowAt(r);
      for (int64_t k = 0; k < g_.head_size; ++k) target[k] = gradients_.data()[r * padded_ + k] * g_.scale;
    }
  }

 private:
  int64_t RowAt(int64_t r) const { return (first_ + r / g_.group) * g_.query_stride + r % g_.group * g_.head_size; }

  void LoadRow(int64_t r) {
    double delta = 0;
    for (int64_t k = 0; k < g_.head_size; ++k) {
      const float query = g_.queries[RowAt(r) + k] * g_.scale, slope = g_.output_gradients[RowAt(r) + k];
      queries_.data()[r * padded_ + k] = turned_queries_.data()[k * turned_stride_ + r] = query;
      slopes_.data()[r * padded_ + k] = turned_slopes_.data()[k * turned_stride_ + r] = slope;
      delta += static_cast<double>(g_.outputs[RowAt(r) + k]) * slope;
    }
    deltas_.data()[r] = static_cast<float>(delta);
  }

  // c [rows][kKeyBlock] = a^T b of a [head_size][rows] and b [head_size][kKeyBlock].
  void Multiply(const ScratchBuffer& a, const float* b, ScratchBuffer& c) const {
    std::fill_n(c.data(), c.size(), 0.0f);
    AddOuterProducts({g_.head_size, a.data(), turned_stride_, rows_, b, kKeyBlock, kKeyBlock, c.data(), kKeyBlock});
  }

  void BackpropagateSoftmax(int64_t r, int64_t block) {
    const int64_t position = first_ + r / g_.group, start = block * kKeyBlock;
    ScoreRow row;
    row.begin = g_.window > 0 ? std::clamp<int64_t>(position - g_.window + 1 - start, 0, kKeyBlock) : 0;
    row.end = std::clamp<int64_t>(position + 1 - start, 0, kKeyBlock);
    row.log_sum = g_.log_sums[position * g_.log_sum_stride + r % g_.group];
    row.delta = deltas_.data()[r];
    row.cap = g_.score_cap;
    float* const slopes = score_slopes_.data() + r * kKeyBlock;
    HWY_DYNAMIC_DISPATCH(SoftmaxRow)(row, scores_.data() + r * kKeyBlock, slopes);
    for (int64_t j = 0; j < kKeyBlock; ++j) turned_score_slopes_.data()[j * turned_stride_ + r] = slopes[j];
  }

  const AttentionGradient& g_;
  const int64_t padded_, first_, positions_, rows_, turned_stride_;
  ScratchBuffer queries_, slopes_, gradients_, turned_queries_, turned_slopes_, scores_, score_slopes_,
      turned_score_slopes_, deltas_;
};

}  // namespace

void BackpropagateAttention(const AttentionGradient& gradient) {
  const AttentionGradient& g = gradient;
  if (g.positions <= 0) return;
  LimitTargets();
  const int64_t padded = PaddedHeadSize(g.head_size);
  HeadKeys head(g, padded);
  const int64_t step = AttentionTilePositions(g.group);
  for (int64_t first = 0; first < g.positions; first += step) {
    const int64_t count = std::min(step, g.positions - first);
    QueryTile tile(g, padded, first, count);
    const int64_t oldest = g.window > 0 ? std::max<int64_t>(0, first - g.window + 1) : 0;
    for (int64_t block = oldest / kKeyBlock; block <= (first + count - 1) / kKeyBlock; ++block) {
      tile.AddBlock(head, block);
    }
    tile.Store();
  }
  for (int64_t i = 0; i < g.positions; ++i) {
    std::copy_n(head.key_gradients.data() + i * padded, g.head_size, g.key_gradients + i * g.key_stride);
    std::copy_n(head.value_gradients.data() + i * padded, g.head_size, g.value_gradients + i * g.key_stride);
  }
}

}  // namespace tersor
#endif  // HWY_ONCE
