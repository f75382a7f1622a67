// Rates of the kernels next to what the machine can do at most, both measured in this run.
//   kernels [THREADS=2] [NAME]: only kernels with NAME in theirs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/base/stopwatch.h"
#include "core/kernels/attention.h"
#include "core/kernels/bit_plane_matrix.h"
#include "core/kernels/cpu_info.h"
#include "core/kernels/int8_matrix.h"
#include "core/kernels/kv_codes.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/kernels/machine_limits.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/parallel.h"
#include "core/kernels/row_product.h"
#include "core/kernels/scratch.h"
#include "core/kernels/sparse_matrix.h"
#include "core/kernels/vector_ops.h"
#include "core/tensor/float8.h"

namespace tersor {
namespace {

constexpr double kGiga = 1e9;

std::vector<float> SomeFloats(int64_t count) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 7919 + 13) % 1009) / 504.5f - 1;
  return values;
}

// Of a normal distribution, as activations nearly are; `same`: one value everywhere.
std::vector<float> SomeActivations(int64_t count, bool same) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count, 1.0f);
  if (same) return values;
  for (float& value : values) value = normal(random);
  return values;
}

// Median seconds of a call, over about 0.3 seconds.
double Seconds(const std::function<void()>& call) {
  std::vector<double> times;
  call();
  const Stopwatch all;
  do {
    const Stopwatch watch;
    call();
    times.push_back(watch.Seconds());
  } while (all.Seconds() < 0.3);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

// Operations and bytes of weights in a second, and their shares of what the machine can do.
void Print(const std::string& name, double operations, double arithmetic, double bytes, double bandwidth) {
  std::printf("%-46s %8.1f GFLOP/s %4.0f%% %8.1f GB/s %4.0f%%\n", name.c_str(), operations / kGiga,
              100 * operations / arithmetic, bytes / kGiga, 100 * bytes / bandwidth);
}

struct FloatProducts {
  const char* name;
  Precision precision;
  int weight_bytes;
};
// Those of terms are for many rows.
constexpr FloatProducts kFloatProducts[] = {{"f32", Precision::kF32, 4},
                                            {"bf16", Precision::kBF16, 2},
                                            {"of two terms", Precision::kTwoTerms, 4},
                                            {"of three terms", Precision::kThreeTerms, 6}};

class Bench {
 public:
  Bench(int threads, std::string only)
      : threads_(threads),
        only_(std::move(only)),
        arithmetic_(MeasureMultiplyAddRate(threads)),
        bandwidth_(MeasureReadBandwidth(threads, int64_t{1} << 30)) {
    std::printf("%s, %d threads; kernels %s, oneDNN %s %s\n", GetCpuInfo().model.c_str(), threads,
                GetCpuInfo().kernel_isa.c_str(), GetCpuInfo().onednn_version.c_str(), GetCpuInfo().onednn_isa.c_str());
    std::printf("%-46s %8.1f GFLOP/s\n%-63s %8.1f GB/s\n", "limit: float multiply-adds in registers",
                arithmetic_ / kGiga, "limit: reading 1 GiB", bandwidth_ / kGiga);
  }

  void MatMul(int64_t rows, int64_t outputs, int64_t inputs, const FloatProducts& products) {
    const std::string name = absl::StrCat("matmul ", products.name, " ", rows, " x ", outputs, " x ", inputs);
    if (!Wanted(name)) return;
    const auto packed = PackedMatrix::Pack(SomeFloats(outputs * inputs), outputs, inputs, products.precision);
    if (!packed.ok()) return;
    TimeMatMul(name, *packed, rows, outputs, inputs, products.weight_bytes, false);
  }

  // `same`: activations of which Tersor's own kernel has to take every pair apart.
  void Int8MatMul(int64_t rows, int64_t outputs, int64_t inputs, Int8Engine engine, bool same) {
    const std::string name = absl::StrCat("matmul int8 ", engine == Int8Engine::kOneDnn ? "(oneDNN) " : "(own) ",
                                          same ? "equal inputs " : "", rows, " x ", outputs, " x ", inputs);
    if (!Wanted(name)) return;
    std::vector<int8_t> codes(outputs * inputs);
    for (int64_t i = 0; i < outputs * inputs; ++i) codes[i] = static_cast<int8_t>(i * 37);
    const std::vector<float> scales(outputs, 0.01f);
    const auto packed =
        Int8Matrix::Pack({outputs, inputs, inputs, codes, scales}, IntegerInputs::Token(inputs), engine);
    if (packed.ok()) TimeMatMul(name, *packed, rows, outputs, inputs, 1, same);
  }

  double FloatRow(int64_t outputs, int64_t inputs, const FloatProducts& products) {
    return OneRow(products.name, outputs, inputs, outputs * inputs * products.weight_bytes,
                  [&]() -> absl::StatusOr<std::unique_ptr<RowMatrix>> {
                    TERSOR_ASSIGN_OR_RETURN(PackedMatrix one, PackedMatrix::Pack(SomeFloats(outputs * inputs), outputs,
                                                                                 inputs, products.precision));
                    return std::make_unique<PackedMatrix>(std::move(one));
                  });
  }

  // Codes in groups of 32.
  double LowBitRow(int64_t outputs, int64_t inputs, int bits, RowActivations activations) {
    return OneRow(
        absl::StrCat("int", bits, NameOf(activations)), outputs, inputs,
        outputs * inputs * bits / 8 + outputs * inputs / 32 * 2, [&]() -> absl::StatusOr<std::unique_ptr<RowMatrix>> {
          TERSOR_ASSIGN_OR_RETURN(LowBitMatrix one,
                                  LowBitMatrix::Pack({outputs, inputs, bits, 32, false}, activations, threads_,
                                                     [&](int64_t row, std::span<uint8_t> codes,
                                                         std::span<uint16_t> scales, std::span<uint8_t>) {
                                                       for (size_t k = 0; k < codes.size(); ++k)
                                                         codes[k] = (row + k) % (1 << bits);
                                                       std::fill(scales.begin(), scales.end(), uint16_t{0x2000});
                                                     }));
          return std::make_unique<LowBitMatrix>(std::move(one));
        });
  }

  // The same of a code book.
  void BookRow(int64_t outputs, int64_t inputs, const char* book, std::span<const float> values,
               RowActivations activations) {
    const int bits = values.size() == 16 ? 4 : 8;
    OneRow(absl::StrCat(book, NameOf(activations)), outputs, inputs,
           outputs * inputs * bits / 8 + outputs * inputs / 32 * 4,
           [&]() -> absl::StatusOr<std::unique_ptr<RowMatrix>> {
             TERSOR_ASSIGN_OR_RETURN(
                 LowBitMatrix one,
                 LowBitMatrix::PackBook({outputs, inputs, 32, values}, activations, threads_,
                                        [&](int64_t row, std::span<uint8_t> codes, std::span<float> scales) {
                                          for (size_t k = 0; k < codes.size(); ++k) codes[k] = (row + k) % (1 << bits);
                                          std::fill(scales.begin(), scales.end(), 0.01f);
                                        }));
             return std::make_unique<LowBitMatrix>(std::move(one));
           });
  }

  // Signs in groups of 64.
  void BitPlaneRow(int64_t outputs, int64_t inputs, int planes) {
    OneRow(absl::StrCat(planes, " bit planes x float32"), outputs, inputs,
           outputs * inputs * planes / 8 + outputs * inputs / 64 * planes * 2,
           [&]() -> absl::StatusOr<std::unique_ptr<RowMatrix>> {
             TERSOR_ASSIGN_OR_RETURN(
                 BitPlaneMatrix one,
                 BitPlaneMatrix::Pack({outputs, inputs, planes, 64}, threads_,
                                      [&](int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales) {
                                        for (size_t k = 0; k < codes.size(); ++k) codes[k] = (row + k) % (1 << planes);
                                        std::fill(scales.begin(), scales.end(), uint16_t{0x2000});
                                      }));
             return std::make_unique<BitPlaneMatrix>(std::move(one));
           });
  }

  // Operations are those of the dense matrix, so that rates compare. Codes in groups of 64.
  double SparseRows(int64_t outputs, int64_t inputs, SparseValues values, const char* kind, int percent_kept) {
    const int64_t bytes_a_value = values == SparseValues::kCodes ? 1 : values == SparseValues::kF32 ? 4 : 2;
    const int64_t bytes = outputs * inputs / 8 + outputs * inputs * percent_kept / 100 * bytes_a_value +
                          (values == SparseValues::kCodes ? outputs * inputs / 64 * 8 : 0);
    return OneRow(absl::StrCat(percent_kept, "% of ", kind, " x float32"), outputs, inputs, bytes,
                  [&]() -> absl::StatusOr<std::unique_ptr<RowMatrix>> {
                    std::mt19937 random(1);
                    const auto read = [&](int64_t, SparseRow& row) {
                      for (uint8_t& kept : row.kept) {
                        kept = static_cast<int>(random() % 100) < percent_kept;
                        if (kept == 0) continue;
                        if (values == SparseValues::kCodes) row.codes.push_back(random() % 256);
                        if (values != SparseValues::kCodes) row.values.push_back(0.5f);
                      }
                      std::fill(row.scales.begin(), row.scales.end(), 0.01f);
                      std::fill(row.zero_points.begin(), row.zero_points.end(), 128.0f);
                    };
                    TERSOR_ASSIGN_OR_RETURN(SparseMatrix one,
                                            SparseMatrix::Pack({outputs, inputs, values, 64}, /*threads=*/1, read));
                    return std::make_unique<SparseMatrix>(std::move(one));
                  });
  }

  // From which share left out on sparse rows are faster than the same weights dense.
  void BreakEven(int64_t outputs, int64_t inputs) {
    struct Pair {
      SparseValues values;
      const char* kind;
      std::function<double()> dense;
      const char* dense_kind;
    };
    const Pair pairs[] = {
        {SparseValues::kBF16, "bf16", [&] { return FloatRow(outputs, inputs, kFloatProducts[0]); }, "f32"},
        {SparseValues::kBF16, "bf16", [&] { return FloatRow(outputs, inputs, kFloatProducts[1]); }, "bf16"},
        {SparseValues::kCodes, "int8", [&] { return LowBitRow(outputs, inputs, 8, RowActivations::kFloat32); },
         "int8 x float32"},
        {SparseValues::kCodes, "int8", [&] { return LowBitRow(outputs, inputs, 8, RowActivations::kInt8); },
         "int8 x int8"},
        {SparseValues::kCodes, "int8", [&] { return LowBitRow(outputs, inputs, 4, RowActivations::kInt8); },
         "int4 x int8"}};
    for (const Pair& pair : pairs) {
      const double dense = pair.dense();
      if (dense == 0) continue;
      double before = 0;
      int out = 0;
      for (; out <= 95; out += 5) {
        const double rate = SparseRows(outputs, inputs, pair.values, pair.kind, 100 - out);
        if (rate >= dense) break;
        before = rate;
      }
      const std::string name = absl::StrCat("break-even: sparse ", pair.kind, " against ", pair.dense_kind);
      if (out > 95) {
        std::printf("%-46s none up to 95%% left out (%.2f of dense there)\n", name.c_str(), before / dense);
      } else {
        std::printf("%-46s from %d%% left out\n", name.c_str(), out);
      }
    }
  }

  void Decode(int64_t outputs, int64_t inputs, int bits) {
    const std::string name = absl::StrCat("decode int", bits, " to float panels ", outputs, " x ", inputs);
    if (!Wanted(name)) return;
    const auto packed =
        LowBitMatrix::Pack({outputs, inputs, bits, 32, false}, RowActivations::kInt8, threads_,
                           [&](int64_t, std::span<uint8_t> codes, std::span<uint16_t> scales, std::span<uint8_t>) {
                             std::fill(codes.begin(), codes.end(), uint8_t{1});
                             std::fill(scales.begin(), scales.end(), uint16_t{0x2000});
                           });
    if (!packed.ok()) return;
    const double seconds = Seconds([&] { packed->Decode(Precision::kF32, threads_).IgnoreError(); });
    PrintValues(name, static_cast<double>(outputs * inputs), 4, seconds);
  }

  // A head's keys of a page.
  void KvCodes(int bits) {
    constexpr int64_t kRuns = 4096, kHead = 64;
    const std::vector<float> x = SomeFloats(kRuns * kHead);
    std::vector<uint8_t> codes(kRuns * KvRunBytes(kHead, bits));
    std::vector<KvGrid> grids(kRuns);
    std::vector<float> out(x.size());
    const std::string name = absl::StrCat("KV codes of ", bits, " bits");
    if (!Wanted(name)) return;
    const auto each = [&](const std::function<void(int64_t)>& run) {
      return Seconds([&] {
        RunTasks(threads_, threads_, [&](int64_t t) {
          for (int64_t i = kRuns * t / threads_; i < kRuns * (t + 1) / threads_; ++i) run(i);
        });
      });
    };
    const int64_t bytes = KvRunBytes(kHead, bits);
    const double write =
        each([&](int64_t i) { grids[i] = QuantizeKvRun(&x[i * kHead], kHead, bits, &codes[i * bytes]); });
    const double read =
        each([&](int64_t i) { DequantizeKvRun(&codes[i * bytes], kHead, bits, grids[i], &out[i * kHead]); });
    PrintValues(name + ", rounding", kRuns * kHead, 4, write);
    PrintValues(name + ", decoding", kRuns * kHead, 4, read);
  }

  // What it takes to have all threads at work and done again: decoding a token does it five times a block.
  void EmptyLoop() {
    const std::string name = "loop of nothing";
    if (!Wanted(name)) return;
    constexpr int kLoops = 1000;
    const double seconds = Seconds([&] {
      for (int i = 0; i < kLoops; ++i) RunTasks(threads_, threads_, [](int64_t) {});
    });
    std::printf("%-46s %8.2f us\n", name.c_str(), seconds / kLoops * 1e6);
  }

  void Attention(int64_t positions, int64_t group, int64_t head_size) {
    const std::string name = absl::StrCat("causal attention ", positions, " x ", group, " heads of ", head_size);
    if (!Wanted(name)) return;
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
    Print(name, 4 * pairs * head_size / seconds, arithmetic_, 8.0 * positions * head_size / seconds, bandwidth_);
  }

  void Rows(const char* name, int64_t width, double bytes_a_value, const std::function<void(float*, float*)>& call) {
    if (!Wanted(name)) return;
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
    PrintValues(absl::StrCat(name, " ", width), static_cast<double>(threads_ * kRows * width), bytes_a_value, seconds);
  }

 private:
  bool Wanted(const std::string& name) const { return name.find(only_) != std::string::npos; }
  static const char* NameOf(RowActivations activations) {
    return activations == RowActivations::kInt8 ? " x int8" : " x float32";
  }

  static void PrintValues(const std::string& name, double values, double bytes_a_value, double seconds) {
    std::printf("%-46s %8.2f Gvalue/s      %8.1f GB/s (in cache)\n", name.c_str(), values / seconds / kGiga,
                values * bytes_a_value / seconds / kGiga);
  }

  template <typename Matrix>
  void TimeMatMul(const std::string& name, const Matrix& matrix, int64_t rows, int64_t outputs, int64_t inputs,
                  int64_t bytes_a_weight, bool same) {
    const std::vector<float> x = SomeActivations(rows * inputs, same);
    std::vector<float> y(rows * outputs);
    constexpr int64_t kTile = 128;
    const double seconds = Seconds([&] {
      ParallelFor(threads_, rows / kTile, [&](int64_t i) {
        return matrix.Multiply(x.data() + i * kTile * inputs, inputs, kTile, nullptr, false,
                               y.data() + i * kTile * outputs, outputs);
      }).IgnoreError();
    });
    Print(name, 2.0 * rows * outputs * inputs / seconds, arithmetic_,
          static_cast<double>(rows / kTile * outputs * inputs * bytes_a_weight) / seconds, bandwidth_);
  }

  // Of as many matrices, `bytes` each, as do not fit into a cache of the second level.
  // Operations in a second; 0 where it is not measured.
  double OneRow(const std::string& weights, int64_t outputs, int64_t inputs, int64_t bytes,
                absl::FunctionRef<absl::StatusOr<std::unique_ptr<RowMatrix>>()> make) {
    const std::string name = absl::StrCat("one row ", weights, " ", outputs, " x ", inputs);
    if (!Wanted(name)) return 0;
    std::vector<std::unique_ptr<RowMatrix>> matrices;
    for (int64_t i = 0; i < (int64_t{128} << 20) / bytes; ++i) {
      auto one = make();
      if (!one.ok()) return 0;
      matrices.push_back(*std::move(one));
    }
    const std::vector<float> x = SomeFloats(inputs);
    std::vector<float> y(outputs);
    const double seconds = Seconds([&] {
      for (const auto& matrix : matrices) {
        const RowProduct product{matrix.get(), {x.data(), inputs, 1, nullptr, false, y.data(), outputs}};
        MultiplyRows(threads_, {&product, 1}).IgnoreError();
      }
    });
    const auto count = static_cast<double>(matrices.size());
    Print(name, 2.0 * count * outputs * inputs / seconds, arithmetic_, count * bytes / seconds, bandwidth_);
    return 2.0 * count * outputs * inputs / seconds;
  }

  int threads_;
  std::string only_;
  double arithmetic_;
  double bandwidth_;
};

// FP8 E4M3, a NaN where a code stands for nothing.
std::vector<float> E4m3() {
  std::vector<float> values(F8E4M3Values().begin(), F8E4M3Values().end());
  for (float& value : values) value = std::isfinite(value) ? value : std::nanf("");
  return values;
}

void RunAll(int threads, const std::string& only) {
  Bench bench(threads, only);
  for (const FloatProducts& products : kFloatProducts) {
    bench.MatMul(2048, 192, 576, products);
    bench.MatMul(2048, 576, 576, products);
    bench.MatMul(2048, 1536, 576, products);
    bench.MatMul(2048, 576, 1536, products);
    bench.MatMul(1024, 4096, 4096, products);
  }
  for (const Int8Engine engine : {Int8Engine::kOneDnn, Int8Engine::kQuads}) {
    if (engine == Int8Engine::kOneDnn && BestInt8Engine() != engine) continue;
    bench.Int8MatMul(2048, 576, 576, engine, false);
    bench.Int8MatMul(2048, 1536, 576, engine, false);
    bench.Int8MatMul(2048, 576, 1536, engine, false);
    bench.Int8MatMul(1024, 4096, 4096, engine, false);
    bench.Int8MatMul(2048, 1536, 576, engine, true);
  }
  const std::vector<float> nf4 = SomeFloats(16), fp8 = E4m3();
  constexpr float kFp4[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  for (const auto& [outputs, inputs] : {std::pair(1536, 576), std::pair(4096, 4096)}) {
    for (const FloatProducts& products : std::span(kFloatProducts).first(2)) {
      bench.FloatRow(outputs, inputs, products);
    }
    for (const RowActivations activations : {RowActivations::kInt8, RowActivations::kFloat32}) {
      for (const int bits : {2, 3, 4, 8}) bench.LowBitRow(outputs, inputs, bits, activations);
      bench.BookRow(outputs, inputs, "FP4", kFp4, activations);
    }
    bench.BookRow(outputs, inputs, "NF4", nf4, RowActivations::kFloat32);
    bench.BookRow(outputs, inputs, "FP8", fp8, RowActivations::kFloat32);
    for (const int planes : {2, 3, 4}) bench.BitPlaneRow(outputs, inputs, planes);
    for (const int kept : {50, 30, 10}) {
      bench.SparseRows(outputs, inputs, SparseValues::kBF16, "bf16", kept);
      bench.SparseRows(outputs, inputs, SparseValues::kCodes, "int8", kept);
    }
  }
  if (only == "break-even" || only.empty()) {
    Bench(threads, "").BreakEven(1536, 576);
  }
  for (const int bits : {2, 3, 4, 8}) bench.Decode(1536, 576, bits);
  for (const int bits : {2, 4, 8}) bench.KvCodes(bits);
  bench.EmptyLoop();
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
  tersor::RunAll(argc > 1 ? std::max(1, std::atoi(argv[1])) : 2, argc > 2 ? argv[2] : "");
  return 0;
}
