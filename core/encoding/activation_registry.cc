#include "core/encoding/activation_registry.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/shifted_format.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

struct Entry {
  absl::string_view name;
  absl::StatusOr<ActivationFormatPtr> (*rebuild)(int64_t width, const std::vector<EncodedField>&,
                                                 const nlohmann::json&);
};

constexpr std::array kEntries = {
    Entry{IntTokenFormat::kName, IntTokenFormat::Rebuild},
    Entry{FloatTokenFormat::kName, FloatTokenFormat::Rebuild},
    Entry{IntStaticFormat::kName, IntStaticFormat::Rebuild},
    Entry{OutlierPairFormat::kName, OutlierPairFormat::Rebuild},
    Entry{ShiftedFormat::kName, ShiftedFormat::Rebuild},
};

}  // namespace

std::vector<absl::string_view> ActivationFormatNames() {
  std::vector<absl::string_view> names;
  for (const Entry& entry : kEntries) names.push_back(entry.name);
  return names;
}

absl::StatusOr<ActivationFormatPtr> RebuildActivationFormat(absl::string_view name, int64_t width,
                                                            const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters) {
  if (width < 1) return absl::InvalidArgumentError("an activation format needs at least one input");
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.rebuild(width, fields, parameters);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown activation format \"", name, "\"; known: ", absl::StrJoin(ActivationFormatNames(), ", ")));
}

}  // namespace tersor
