#include "core/compress/prune/prune_registry.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/compress/prune/alps.h"
#include "core/compress/prune/magnitude.h"
#include "core/compress/prune/prune_options.h"
#include "core/compress/prune/sparsegpt.h"
#include "core/compress/prune/wanda.h"

namespace tersor {
namespace {

struct Entry {
  v1::PruneStage::MethodCase message;
  MethodDescription (*describe)();
  // `field` is the path of the stage's message.
  std::unique_ptr<const Method> (*make)(const v1::PruneStage& stage, const std::string& field,
                                        std::vector<FieldViolation>& violations);
};

constexpr std::array kEntries = {
    Entry{v1::PruneStage::kMagnitude, MagnitudeMethod::Describe, MagnitudeMethod::Make},
    Entry{v1::PruneStage::kWanda, WandaMethod::Describe, WandaMethod::Make},
    Entry{v1::PruneStage::kSparsegpt, SparseGptMethod::Describe, SparseGptMethod::Make},
    Entry{v1::PruneStage::kAlps, AlpsMethod::Describe, AlpsMethod::Make},
};

}  // namespace

std::unique_ptr<const Method> MakeMethod(const v1::PruneStage& stage, const std::string& field,
                                         std::vector<FieldViolation>& violations) {
  const auto* entry =
      std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& e) { return e.message == stage.method_case(); });
  if (entry != kEntries.end()) return entry->make(stage, field, violations);
  const std::string names =
      absl::StrJoin(kEntries, ", ", [](std::string* out, const Entry& e) { out->append(e.describe().name); });
  violations.push_back({field + ".method", absl::StrCat("no method is named; known: ", names)});
  return nullptr;
}

std::vector<MethodDescription> PruneMethods() {
  std::vector<MethodDescription> methods;
  for (const Entry& entry : kEntries) {
    methods.push_back(entry.describe());
    const std::vector<MethodOption> shared = SharedPruneOptions();
    methods.back().options.insert(methods.back().options.begin(), shared.begin(), shared.end());
  }
  return methods;
}

}  // namespace tersor
