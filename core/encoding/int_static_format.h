// Inputs as integers on grids that calibration fixed.
#ifndef TERSOR_CORE_ENCODING_INT_STATIC_FORMAT_H_
#define TERSOR_CORE_ENCODING_INT_STATIC_FORMAT_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"

namespace tersor {

// The grid of a cluster of inputs: code = nearest even (x * inverse()) + zero_point, within 0 .. 2^bits - 1.
struct StaticGrid {
  float scale = 0;
  uint8_t zero_point = 0;

  // 1 / scale; 0 where that is no number.
  float inverse() const;
};
// The grid that spans [low, high] and 0; symmetric ones have the zero point 2^(bits-1) and span the larger side.
StaticGrid SpanStaticGrid(float low, float high, int bits, bool symmetric);

// One cluster holds all inputs (static quantization per tensor); more are RPTQ's (arXiv 2304.01089, section 3.3).
// Fields: "scales" F32 [clusters], "zero_points" U8 [clusters] and, where there are several clusters, "clusters" U16
// [width]: the cluster of each input. Parameters {"bits": 8, "clusters": 1}.
class IntStaticFormat final : public ActivationFormat {
 public:
  static constexpr absl::string_view kName = "int-static";

  // `cluster_of` has `width` entries, or none where there is one grid.
  static absl::StatusOr<ActivationFormatPtr> Create(int64_t width, int bits, const std::vector<StaticGrid>& grids,
                                                    std::vector<uint16_t> cluster_of);
  static absl::StatusOr<ActivationFormatPtr> Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);
  // Bytes of the fields.
  static uint64_t ByteSize(int64_t width, int64_t clusters);

  absl::string_view name() const override { return kName; }
  int64_t width() const override { return width_; }
  double bits() const override { return bits_; }
  void Round(const float* x, int64_t rows, float* out) const override;
  std::vector<EncodedField> Fields() const override { return fields_; }
  nlohmann::json Parameters() const override;
  // By input.
  const std::vector<StaticGrid>& grids() const { return grids_; }
  // 1: all inputs share a grid.
  int64_t clusters() const { return fields_[0].tensor.elements(); }

 private:
  IntStaticFormat(int64_t width, int bits, std::vector<EncodedField> fields);

  const int64_t width_;
  const int bits_;
  const std::vector<EncodedField> fields_;
  // By input.
  std::vector<StaticGrid> grids_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_INT_STATIC_FORMAT_H_
