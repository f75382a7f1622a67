// Gates on tasks whose evaluation goes on with more items until they are decided.
#ifndef TERSOR_CORE_EVALUATE_GATE_LOOKS_H_
#define TERSOR_CORE_EVALUATE_GATE_LOOKS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/evaluate/gates.h"

namespace tersor {

// Whether the recipe asks to go on with further items and has gates on tasks, the only ones that can have more.
bool ExtendsTasks(const v1::Recipe& recipe);

// Adds the gate's figure as it stands to its looks.
void AddLook(v1::GateResult& result);

// Group-sequential: every look at more items spends a part of each gate's error rate (Pocock's spending function,
// repeated confidence intervals), so that a gate errs no more often than with a single look. A gate that was decided
// once stays so. Gates against earlier jobs are left out: these have no more items.
class GateLooks {
 public:
  // `recipe` has passed CheckGates. `available`: the items that each task has in all. Both outlive the looks.
  GateLooks(const v1::Recipe& recipe, const std::map<std::string, int64_t>& available);

  // Judges what is undecided; task results of `report` have at least as many items as at the look before.
  void Look(const v1::Report& report);

  // The tasks that undecided gates rest on and that have further items.
  std::vector<std::string> UndecidedTasks() const;
  // Of the gates on tasks, in the recipe's order, with their looks.
  std::vector<v1::GateResult> Results() const;

 private:
  struct Watched {
    Gate gate;
    v1::GateResult result;
    std::vector<std::string> tasks;
    // Of the items available, at each look so far.
    std::vector<double> shares;
    bool more = false;

    bool decided() const { return !shares.empty() && result.outcome() != v1::GATE_OUTCOME_INCONCLUSIVE; }
  };
  void LookAt(const v1::Report& report, Watched& watched) const;

  const v1::Recipe& recipe_;
  const std::map<std::string, int64_t>& available_;
  std::vector<Watched> gates_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_LOOKS_H_
