#include "core/evaluate/metrics/rouge.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace tersor {
namespace {

using Tokens = std::vector<std::string>;

Tokens RougeTokens(absl::string_view text) {
  Tokens tokens;
  std::string token;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      token += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (!token.empty()) {
      tokens.push_back(std::move(token));
      token.clear();
    }
  }
  if (!token.empty()) tokens.push_back(std::move(token));
  return tokens;
}

std::map<std::string, int> CountGrams(const Tokens& tokens, size_t n) {
  std::map<std::string, int> counts;
  for (size_t i = 0; i + n <= tokens.size(); ++i) {
    ++counts[absl::StrJoin(absl::MakeConstSpan(tokens).subspan(i, n), " ")];
  }
  return counts;
}

double F1(double common, double predicted, double wanted) {
  if (common == 0) return 0;
  const double precision = common / predicted, recall = common / wanted;
  return 2 * precision * recall / (precision + recall);
}

}  // namespace

double RougeN(absl::string_view prediction, absl::string_view reference, int n) {
  const Tokens predicted = RougeTokens(prediction), wanted = RougeTokens(reference);
  const size_t size = static_cast<size_t>(std::max(n, 1));
  if (predicted.size() < size || wanted.size() < size) return 0;
  std::map<std::string, int> grams = CountGrams(wanted, size);
  int common = 0;
  for (const auto& [gram, count] : CountGrams(predicted, size)) {
    if (const auto found = grams.find(gram); found != grams.end()) common += std::min(count, found->second);
  }
  return F1(common, predicted.size() - size + 1, wanted.size() - size + 1);
}

double RougeL(absl::string_view prediction, absl::string_view reference) {
  const Tokens predicted = RougeTokens(prediction), wanted = RougeTokens(reference);
  // longest[j]: of the prediction's tokens so far and the reference's first j.
  std::vector<int> longest(wanted.size() + 1, 0);
  for (const std::string& token : predicted) {
    int diagonal = 0;
    for (size_t j = 1; j <= wanted.size(); ++j) {
      const int above = longest[j];
      longest[j] = token == wanted[j - 1] ? diagonal + 1 : std::max(above, longest[j - 1]);
      diagonal = above;
    }
  }
  return F1(longest.back(), predicted.size(), wanted.size());
}

}  // namespace tersor
