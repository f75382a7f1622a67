// ROUGE (Lin 2004), as the rouge-score package computes it without stemming.
#ifndef TERSOR_CORE_EVALUATE_METRICS_ROUGE_H_
#define TERSOR_CORE_EVALUATE_METRICS_ROUGE_H_

#include "absl/strings/string_view.h"

namespace tersor {

// F1 of the n-grams (as bags) that both texts have. Tokens are runs of ASCII letters and digits, lower case.
double RougeN(absl::string_view prediction, absl::string_view reference, int n);

// F1 of the longest common subsequence. Long texts cost the product of their token counts.
double RougeL(absl::string_view prediction, absl::string_view reference);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_METRICS_ROUGE_H_
