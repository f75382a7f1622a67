// Rates of the kernels next to what the machine can do at most, both measured in this run.
//   kernels [THREADS=2]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "core/kernels/attention.h"
#include "core/kernels/cpu_info.h"
#include "core/kernels/int8_matrix.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/kernels/machine_limits.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/parallel.h"
#include "core/kernels/row_product.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"

namespace tersor {
namespace {

constexpr double kGiga = 1e9;

std::vector<float> SomeFloats(int64_t count) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 7919 + 13) % 1009) / 504.5f - 1;
  return values;
}

// Median seconds of a call, over about 0.3 seconds.
double Seconds(const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  call();
  const auto end = Clock::now() + std::chrono::milliseconds(300);
  do {
    const auto start = Clock::now();
    call();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < end);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

void Print(const std::string& name, double rate, const char* unit, double limit) {
  std::printf("%-44s %9.1f %s %5.0f%%\n", name.c_str(), rate / kGiga, unit, 100 * rate / limit);
}

class Bench {
 public:
  explicit Bench(int threads)
      : threads_(threads),
        arithmetic_(MeasureMultiplyAddRate(threads)),
        bandwidth_(MeasureReadBandwidth(threads, int64_t{1} << 30)) {
    std::printf("%s, %d threads; kernels %s, oneDNN %s %s\n", GetCpuInfo().model.c_str(), threads,
                GetCpuInfo().kernel_isa.c_str(), GetCpuInfo().onednn_version.c_str(), GetCpuInfo().onednn_isa.c_str());
    std::printf("%-44s %9.1f GFLOP/s\n%-44s %9.1f GB/s\n", "limit: multiply-adds in registers", arithmetic_ / kGiga,
                "limit: reading 1 GiB", bandwidth_ / kGiga);
  }

  void MatMul(int64_t rows, int64_t outputs, int64_t inputs, Precision precision) {
    auto packed = PackedMatrix::Pack(SomeFloats(outputs * inputs), outputs, inputs, precision);
    if (!packed.ok()) return;
    const std::vector<float> x = SomeFloats(rows * inputs);
    std::vector<float> y(rows * outputs);
    constexpr int64_t kTile = 128;
    const double seconds = Seconds([&] {
      ParallelFor(threads_, rows / kTile, [&](int64_t i) {
        return packed->Multiply(x.data() + i * kTile * inputs, inputs, kTile, nullptr, false,
                                y.data() + i * kTile * outputs, outputs);
      }).IgnoreError();
    });
    Print(Name("matmul", precision, {rows, outputs, inputs}), 2.0 * rows * outputs * inputs / seconds, "GFLOP/s",
          arithmetic_);
  }

  void OneRow(int64_t outputs, int64_t inputs, Precision precision) {
    // As many matrices as do not fit into a cache of the second level.
    std::vector<PackedMatrix> packed;
    const int64_t bytes = outputs * inputs * (precision == Precision::kF32 ? 4 : 2);
    const int64_t count = (int64_t{256} << 20) / bytes;
    for (int64_t i = 0; i < count; ++i) {
      auto one = PackedMatrix::Pack(SomeFloats(outputs * inputs), outputs, inputs, precision);
      if (!one.ok()) return;
      packed.push_back(*std::move(one));
    }
    const std::vector<float> x = SomeFloats(inputs);
    std::vector<float> y(outputs);
    const double seconds = Seconds([&] {
      for (const PackedMatrix& matrix : packed) {
        const RowProduct product{&matrix, x.data(), nullptr, false, y.data()};
        MultiplyRow(threads_, {&product, 1}).IgnoreError();
      }
    });
    Print(Name("one row", precision, {outputs, inputs}), static_cast<double>(count * bytes) / seconds, "GB/s   ",
          bandwidth_);
  }

  // 4-bit codes in groups of 32 and the like, by single rows.
  void LowBit(int64_t outputs, int64_t inputs, int bits, RowActivations activations) {
    const LowBitLayout layout{outputs, inputs, bits, 32, false};
    const int64_t bytes = outputs * inputs * bits / 8 + outputs * inputs / 32 * 2;
    std::vector<LowBitMatrix> packed;
    for (int64_t i = 0; i < (int64_t{128} << 20) / bytes; ++i) {
      auto one = LowBitMatrix::Pack(
          layout, activations, threads_,
          [&](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales, std::span<uint8_t>) {
            for (size_t k = 0; k < codes.size(); ++k) codes[k] = (row + k) % (1 << bits);
            std::fill(scales.begin(), scales.end(), uint16_t{0x2000});
          });
      if (!one.ok()) return;
      packed.push_back(*std::move(one));
    }
    const std::vector<float> x = SomeFloats(inputs);
    std::vector<float> y(outputs);
    const double seconds = Seconds([&] {
      for (const LowBitMatrix& matrix : packed) {
        const RowProduct product{&matrix, x.data(), nullptr, false, y.data()};
        MultiplyRow(threads_, {&product, 1}).IgnoreError();
      }
    });
    const std::string name =
        absl::StrCat("one row int", bits, " x ", activations == RowActivations::kInt8 ? "int8 " : "float32 ", outputs,
                     " x ", inputs);
    const auto count = static_cast<double>(packed.size());
    std::printf("%-44s %9.1f GB/s    %5.0f%%  %7.1f GFLOP/s\n", name.c_str(), count * bytes / seconds / kGiga,
                100 * count * bytes / seconds / bandwidth_, 2.0 * count * outputs * inputs / seconds / kGiga);
  }

  void Decode(int64_t outputs, int64_t inputs, int bits) {
    const auto packed =
        LowBitMatrix::Pack({outputs, inputs, bits, 32, false}, RowActivations::kInt8, threads_,
                           [&](int64_t, std::span<uint8_t> codes, std::span<uint16_t> scales, std::span<uint8_t>) {
                             std::fill(codes.begin(), codes.end(), uint8_t{1});
                             std::fill(scales.begin(), scales.end(), uint16_t{0x2000});
                           });
    if (!packed.ok()) return;
    const double seconds = Seconds([&] { packed->Decode(Precision::kF32, threads_).IgnoreError(); });
    std::printf("%-44s %9.2f Gvalue/s\n",
                absl::StrCat("decode int", bits, " to float panels ", outputs, " x ", inputs).c_str(),
                static_cast<double>(outputs * inputs) / seconds / kGiga);
  }

  void Int8MatMul(int64_t rows, int64_t outputs, int64_t inputs, Int8Engine engine) {
    std::vector<int8_t> codes(outputs * inputs);
    for (int64_t i = 0; i < outputs * inputs; ++i) codes[i] = static_cast<int8_t>(i * 37);
    const std::vector<float> scales(outputs, 0.01f);
    const auto packed = Int8Matrix::Pack(codes, scales, outputs, inputs, engine);
    if (!packed.ok()) return;
    const std::vector<float> x = SomeFloats(rows * inputs);
    std::vector<float> y(rows * outputs);
    constexpr int64_t kTile = 128;
    const double seconds = Seconds([&] {
      ParallelFor(threads_, rows / kTile, [&](int64_t i) {
        return packed->Multiply(x.data() + i * kTile * inputs, inputs, kTile, nullptr, false,
                                y.data() + i * kTile * outputs, outputs);
      }).IgnoreError();
    });
    Print(absl::StrCat("matmul int8 (", engine == Int8Engine::kOneDnn ? "oneDNN" : "16-bit pairs", ") ", rows, " x ",
                       outputs, " x ", inputs),
          2.0 * rows * outputs * inputs / seconds, "GOP/s  ", arithmetic_);
  }

  void Attention(int64_t positions, int64_t group, int64_t head_size) {
    const int64_t blocks = positions / kKeyBlock;
    const std::vector<float> keys = SomeFloats(positions * head_size), values = SomeFloats(positions * head_size);
    const std::vector<float> queries = SomeFloats(positions * group * head_size);
    std::vector<float> outputs(queries.size());
    std::vector<KeyValueBlock> kv;
    for (int64_t b = 0; b < blocks; ++b) {
      kv.push_back({&keys[b * kKeyBlock * head_size], &values[b * kKeyBlock * head_size]});
    }
    const int64_t step = AttentionTilePositions(group);
    const double seconds = Seconds([&] {
      RunTasks(threads_, (positions + step - 1) / step, [&](int64_t i) {
        AttentionTile tile;
        tile.head_size = head_size;
        tile.group = group;
        tile.scale = 0.125f;
        tile.first_position = i * step;
        tile.positions = std::min(step, positions - i * step);
        tile.queries = queries.data() + i * step * group * head_size;
        tile.outputs = outputs.data() + i * step * group * head_size;
        tile.query_stride = tile.output_stride = group * head_size;
        tile.blocks = kv;
        Attend(tile);
      });
    });
    const double pairs = 0.5 * static_cast<double>(positions) * static_cast<double>(positions + 1) * group;
    Print(absl::StrCat("causal attention ", positions, " x ", group, " heads of ", head_size),
          4 * pairs * head_size / seconds, "GFLOP/s", arithmetic_);
  }

  void Rows(const char* name, int64_t width, double bytes_a_value, const std::function<void(float*, float*)>& call) {
    constexpr int64_t kRows = 128;
    std::vector<ScratchBuffer> x, y;
    for (int t = 0; t < threads_; ++t) {
      x.emplace_back(kRows * width);
      y.emplace_back(kRows * width);
      std::fill_n(x[t].data(), x[t].size(), 0.5f);
      std::fill_n(y[t].data(), y[t].size(), 0.5f);
    }
    const double seconds = Seconds([&] {
      RunTasks(threads_, threads_, [&](int64_t t) {
        for (int64_t row = 0; row < kRows; ++row) call(x[t].data() + row * width, y[t].data() + row * width);
      });
    });
    const double values = static_cast<double>(threads_ * kRows * width);
    std::printf("%-44s %9.2f Gvalue/s, %.1f GB/s (in cache)\n", absl::StrCat(name, " ", width).c_str(),
                values / seconds / kGiga, values * bytes_a_value / seconds / kGiga);
  }

 private:
  static std::string Name(const char* kernel, Precision precision, const std::vector<int64_t>& sizes) {
    return absl::StrCat(kernel, precision == Precision::kF32 ? " f32 " : " bf16 ", absl::StrJoin(sizes, " x "));
  }

  int threads_;
  double arithmetic_;
  double bandwidth_;
};

void RunAll(int threads) {
  Bench bench(threads);
  for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
    bench.MatMul(2048, 192, 576, precision);
    bench.MatMul(2048, 576, 576, precision);
    bench.MatMul(2048, 1536, 576, precision);
    bench.MatMul(2048, 576, 1536, precision);
    bench.MatMul(2048, 512, 576, precision);
    bench.MatMul(1024, 4096, 4096, precision);
    bench.OneRow(576, 576, precision);
    bench.OneRow(1536, 576, precision);
    bench.OneRow(4096, 4096, precision);
  }
  for (const RowActivations activations : {RowActivations::kInt8, RowActivations::kFloat32}) {
    for (const int bits : {2, 3, 4, 8}) {
      bench.LowBit(1536, 576, bits, activations);
      bench.LowBit(4096, 4096, bits, activations);
    }
  }
  for (const int bits : {2, 3, 4, 8}) bench.Decode(1536, 576, bits);
  for (const Int8Engine engine : {Int8Engine::kOneDnn, Int8Engine::kPairs}) {
    if (engine == Int8Engine::kOneDnn && BestInt8Engine() != engine) continue;
    bench.Int8MatMul(2048, 576, 576, engine);
    bench.Int8MatMul(2048, 1536, 576, engine);
    bench.Int8MatMul(2048, 576, 1536, engine);
    bench.Int8MatMul(1024, 4096, 4096, engine);
  }
  bench.Attention(512, 3, 64);
  bench.Attention(2048, 3, 64);
  bench.Attention(2048, 4, 128);
  bench.Rows("RMSNorm", 576, 8, [](float* x, float* y) { RmsNorm(x, 576, 1, 576, y, 1e-5f, y, 576); });
  bench.Rows("SwiGLU", 1536, 12, [](float* x, float* y) { SwiGlu(x, y, 1536); });
  bench.Rows("log-sum-exp and argmax", 512, 4, [](float* x, float* y) { y[0] = ReduceLogits(x, 512, 0).largest; });
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::RunAll(argc > 1 ? std::max(1, std::atoi(argv[1])) : 2);
  return 0;
}
