// What a comparison says, in plain words.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/report/comparison_format.h"
#include "core/report/comparison_text.h"

namespace tersor {
namespace {

// More names are no sentence.
constexpr int kMostNames = 5;

// How a cost is spoken of: "compared by quality and size: each is the best at its size"; "is no larger".
struct CostWords {
  absl::string_view noun;
  absl::string_view no_worse;
};

CostWords WordsOf(absl::string_view cost) {
  if (cost == "bytes") return {"size", "no larger"};
  return {"decode latency", "no slower"};
}

std::string QualityWords(const v1::ReportComparison& comparison, absl::string_view quality) {
  for (const v1::ComparedFigure& figure : comparison.figures()) {
    if (figure.name() == quality) return FigureHeader(figure);
  }
  return std::string(quality);
}

// "a", "a and b", "a, b and c".
std::string Listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return absl::StrJoin(names, "");
  return absl::StrCat(absl::StrJoin(names.begin(), names.end() - 1, ", "), " and ", names.back());
}

std::vector<std::string> Labels(const v1::ReportComparison& comparison, const std::vector<int>& models) {
  std::vector<std::string> labels;
  for (const int model : models) labels.push_back(comparison.models(model).label());
  return labels;
}

std::string Count(int count, absl::string_view noun) { return absl::StrCat(count, " ", noun, count == 1 ? "" : "s"); }

}  // namespace

std::string ComparisonHeadline(const v1::ReportComparison& comparison) {
  const std::string count = absl::StrCat(Count(comparison.models_size(), "model"), " compared");
  if (comparison.fronts().empty()) return absl::StrCat(count, ".");
  const v1::ParetoFront& front = comparison.fronts(0);
  const CostWords cost = WordsOf(front.cost());
  const std::vector<int> best(front.front().begin(), front.front().end());
  std::vector<int> beaten;
  std::copy_if(front.models().begin(), front.models().end(), std::back_inserter(beaten),
               [&](int model) { return std::find(best.begin(), best.end(), model) == best.end(); });
  const std::string start =
      absl::StrCat(count, " by ", QualityWords(comparison, front.quality()), " and ", cost.noun, ": ");
  const int missing = comparison.models_size() - front.models_size();
  const std::string end =
      missing == 0 ? "" : absl::StrCat(" ", missing, missing == 1 ? " lacks" : " lack", " one of the two figures.");
  if (beaten.empty()) return absl::StrCat(start, "each is the best at its ", cost.noun, ".", end);
  const bool few = front.models_size() <= 2 * kMostNames && static_cast<int>(best.size()) <= kMostNames &&
                   static_cast<int>(beaten.size()) <= kMostNames;
  if (!few) {
    return absl::StrCat(start, best.size(), " of them are the best at their ", cost.noun,
                        "; for each of the others there is a model that is ", cost.no_worse, " and at least as good.",
                        end);
  }
  return absl::StrCat(start, Listed(Labels(comparison, best)),
                      best.size() == 1 ? " is the best at its " : " are the best at their ", cost.noun, "; for ",
                      Listed(Labels(comparison, beaten)), " there is a model that is ", cost.no_worse,
                      " and at least as good.", end);
}

}  // namespace tersor
