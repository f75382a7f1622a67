// A sweep's recipe -> the recipes of its points.
#ifndef TERSOR_CORE_RECIPE_SWEEP_H_
#define TERSOR_CORE_RECIPE_SWEEP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct SweepBase;

struct SweepPoint {
  // Axis and value, in the order of the axes: {"method", "gptq"}, {"bits", "3"}.
  std::vector<std::pair<std::string, std::string>> settings;
  // What the points of one sweep share, and which of them this is.
  std::shared_ptr<const SweepBase> base;
  int64_t index = 0;

  // Made anew at each call, as a thousand recipes take much memory: keep it no longer than it is needed. Has no sweep.
  v1::Recipe recipe() const;
  // "method=gptq bits=3".
  std::string Name() const;
};

// Names of the axes, in their order: "model", "prune_method", "sparsity", "method", "bits", "group_size",
// "calibration", "seed".
const std::vector<std::string>& SweepAxes();

// The label by which a point's job tells its setting of an axis: "sweep.bits".
std::string SweepLabel(absl::string_view axis);

// More would fill a queue by mistake.
inline constexpr int kMaxSweepPoints = 1024;

// Of the recipes of all points together, each of which is a job's.
inline constexpr int64_t kMaxSweepBytes = int64_t{64} << 20;

// All combinations of the axes, the last axis changing fastest; equal recipes once. Faults of the axes themselves are
// added to `violations` (field paths below "sweep"); what is wrong with a point's recipe is for its plan to say.
std::vector<SweepPoint> ExpandSweep(const v1::Recipe& recipe, std::vector<FieldViolation>& violations);

// Adds the faults of one point's plan to the sweep's, each naming the point, but one that an earlier point had only
// once.
void AddPointViolations(const SweepPoint& point, const std::vector<FieldViolation>& faults,
                        std::vector<FieldViolation>& violations);

// The plan of all points one after the other: a stage for each, time added up, memory the largest; warnings once, with
// the points that they concern; gates by the point that is hardest to decide.
v1::Plan MergePointPlans(const std::vector<SweepPoint>& points, const std::vector<v1::Plan>& plans);

}  // namespace tersor

#endif  // TERSOR_CORE_RECIPE_SWEEP_H_
