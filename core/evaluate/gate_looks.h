// Gates whose evaluation goes on with more items of tasks or more windows of a text until they are decided.
#ifndef TERSOR_CORE_EVALUATE_GATE_LOOKS_H_
#define TERSOR_CORE_EVALUATE_GATE_LOOKS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/evaluate/gates.h"

namespace tersor {

// Whether the recipe asks to go on and has gates on tasks.
bool ExtendsTasks(const v1::Recipe& recipe);

// Where the recipe asks to go on: its perplexities, by index, that gates rest on and that are limited to some of their
// windows. Empty otherwise. Gates against earlier jobs do not count: these have no more windows.
std::vector<int> ExtendableTexts(const v1::Recipe& recipe);

// What goes on.
enum class GateData { kTasks, kTexts };

// Judges the gates on `data` that compare with earlier jobs and adds them to the report: these have no more data, so
// that there can be one look only.
void AddSingleLooks(const v1::Recipe& recipe, GateData data, const BaselineReports& baselines, v1::Report& report);

// Group-sequential: every look at more data spends a part of each gate's error rate (Pocock's spending function,
// repeated confidence intervals), so that a gate errs no more often than with a single look. A gate that was decided
// once stays so. Gates against earlier jobs are left out: these have no more data.
class GateLooks {
 public:
  // The divergence of what has been scored so far, with intervals at `confidence`.
  using DivergenceAt = std::function<v1::DivergenceResult(double confidence)>;

  // Gates on tasks. `recipe` has passed CheckGates. `items`: those that each task has in all. Both outlive the looks.
  GateLooks(const v1::Recipe& recipe, const std::map<std::string, int64_t>& items);
  // Gates on texts. `windows`: those that each of the recipe's perplexities that may go on has in all, by index.
  GateLooks(const v1::Recipe& recipe, const std::map<int, int64_t>& windows, DivergenceAt divergence);

  // Judges what is undecided; `report` has at least as many items and windows as at the look before.
  void Look(const v1::Report& report);

  // What undecided gates rest on and that has more.
  std::vector<std::string> UndecidedTasks() const;
  std::vector<int> UndecidedTexts() const;
  // In the recipe's order, with their looks.
  std::vector<v1::GateResult> Results() const;

 private:
  struct Watched {
    Gate gate;
    v1::GateResult result;
    // Either of these.
    std::vector<std::string> tasks;
    int text = -1;
    // Of the items or windows available, at each look so far.
    std::vector<double> shares;
    bool more = false;

    bool decided() const { return !shares.empty() && result.outcome() != v1::GATE_OUTCOME_INCONCLUSIVE; }
  };
  // Items or windows.
  struct Evidence {
    int64_t seen = 0;
    int64_t all = 0;
  };
  Evidence ItemsOf(const v1::Report& report, Watched& watched) const;
  Evidence WindowsOf(const v1::Report& report, const Watched& watched) const;
  v1::GateResult Judge(const v1::Report& report, const Gate& gate, double confidence) const;
  void LookAt(const v1::Report& report, Watched& watched) const;

  const v1::Recipe& recipe_;
  std::map<std::string, int64_t> items_;
  std::map<int, int64_t> windows_;
  DivergenceAt divergence_;
  std::vector<Watched> gates_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_GATE_LOOKS_H_
