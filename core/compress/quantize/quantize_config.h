// Recipe messages of the quantize family turned into checked plain structs.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_CONFIG_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_CONFIG_H_

#include <string>
#include <vector>

#include "core/base/field_violation.h"
#include "core/compress/quantize/feedback_preparation.h"
#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/integer_grid.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/block.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct GptqOptions {
  GridOptions grid;
  ColumnOrder order = ColumnOrder::kFallingGroups;
  FeedbackPolicy feedback;
  int64_t block_columns = 128;
  int refine_rounds = 0;
  double dense_correction = 0;
};

// Faults are appended, with `field` as the path of the message; the result is used only when there are none.
GridOptions ReadRtnConfig(const v1::RtnConfig& config, const std::string& field,
                          std::vector<FieldViolation>& violations);
GptqOptions ReadGptqConfig(const v1::GptqConfig& config, const std::string& field,
                           std::vector<FieldViolation>& violations);

// A violation of `field`.group_size that lists the layers whose inputs the group size does not divide and proposes
// sizes that divide all of them.
std::vector<FieldViolation> CheckGroupSize(const GridOptions& options, const std::vector<LinearLayer>& layers,
                                           const std::string& field);

PlannedEncoding GroupIntEncoding(const GridOptions& options, const LinearLayer& layer);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_QUANTIZE_CONFIG_H_
