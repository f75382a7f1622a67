// Generated answers compared with the accepted ones, as SQuAD's and TriviaQA's own scripts do it.
#ifndef TERSOR_CORE_EVALUATE_METRICS_ANSWER_TEXT_H_
#define TERSOR_CORE_EVALUATE_METRICS_ANSWER_TEXT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// SQuAD's normalisation, of UTF-8: lower case, ASCII punctuation removed, the words a, an and the removed, runs of
// white space one blank.
std::string NormalizeAnswer(absl::string_view text);

// The largest F1 of the normalised words (as bags) over `answers`; 1 where both have no words. 0 without answers.
double TokenF1(absl::string_view prediction, const std::vector<std::string>& answers);

// 1 where the normalised prediction equals one of the normalised answers, else 0.
double ExactMatch(absl::string_view prediction, const std::vector<std::string>& answers);

// Code points of UTF-8 text: what Python's len() gives.
int64_t CodePoints(absl::string_view text);

// The number that `text` spells, thousands commas, a dollar sign before and a full stop after it left out; nullopt
// where it is none.
std::optional<double> ParseNumber(absl::string_view text);

// The last number in `text` (after the last `marker`, where that is not empty and stands in it), as it is written;
// "" where there is none.
std::string ExtractNumber(absl::string_view text, absl::string_view marker);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_METRICS_ANSWER_TEXT_H_
