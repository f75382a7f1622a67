// Agreement of predictions with gold values over a whole set.
#ifndef TERSOR_CORE_EVALUATE_METRICS_CORRELATION_H_
#define TERSOR_CORE_EVALUATE_METRICS_CORRELATION_H_

#include <span>

namespace tersor {

// All take spans of equal length; classes are whole numbers from 0. What is undefined (no items, no variation) is 0, as
// scikit-learn answers for Matthews and F1.

// Matthews correlation, also of more than two classes (scikit-learn's matthews_corrcoef).
double MatthewsCorrelation(std::span<const double> predictions, std::span<const double> golds);
// F1 of class `positive`.
double ClassF1(std::span<const double> predictions, std::span<const double> golds, int positive);
// Mean of the classes' F1, over the classes that are predicted or gold.
double MacroF1(std::span<const double> predictions, std::span<const double> golds);

double PearsonCorrelation(std::span<const double> predictions, std::span<const double> golds);
// Pearson's of the ranks, ties sharing their mean rank.
double SpearmanCorrelation(std::span<const double> predictions, std::span<const double> golds);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_METRICS_CORRELATION_H_
