#include "core/evaluate/metrics/answer_text.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/utf8.h"
#include "core/text/python_regex.h"
#include "core/tokenizer/lowercase.h"

namespace tersor {
namespace {

// What Python's str.split() gives.
std::vector<std::string> SplitAtSpace(absl::string_view text) {
  std::vector<std::string> words(1);
  for (size_t at = 0; at < text.size();) {
    const auto [character, length] = NextCharacter(text, at);
    if (!IsUnicodeSpace(character)) {
      absl::StrAppend(&words.back(), text.substr(at, length));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
    at += length;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// Python's \b(a|an|the)\b, its \w spelled out: PCRE2's takes in combining marks since 10.43.
const PythonRegex& Articles() {
  static const PythonRegex& regex =
      *new PythonRegex(*PythonRegex::Compile(R"((?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_]))"));
  return regex;
}

std::vector<std::string> AnswerWords(absl::string_view text) {
  std::string plain = Lowercase(text);
  std::erase_if(plain, [](char c) { return absl::ascii_ispunct(static_cast<unsigned char>(c)); });
  // Lowercase() gives UTF-8, on which so small an expression does not fail.
  const absl::StatusOr<std::string> rest = Articles().ReplaceAll(plain, " ");
  return SplitAtSpace(rest.ok() ? *rest : plain);
}

double BagF1(const std::vector<std::string>& prediction, const std::vector<std::string>& answer) {
  if (prediction.empty() || answer.empty()) return prediction.empty() == answer.empty() ? 1 : 0;
  std::map<absl::string_view, int> left;
  for (const std::string& word : answer) ++left[word];
  int common = 0;
  for (const std::string& word : prediction) {
    if (const auto found = left.find(word); found != left.end() && found->second-- > 0) ++common;
  }
  if (common == 0) return 0;
  const double precision = static_cast<double>(common) / prediction.size();
  const double recall = static_cast<double>(common) / answer.size();
  return 2 * precision * recall / (precision + recall);
}

bool IsNumberCharacter(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == ',' || c == '.'; }

}  // namespace

std::string NormalizeAnswer(absl::string_view text) { return absl::StrJoin(AnswerWords(text), " "); }

double TokenF1(absl::string_view prediction, const std::vector<std::string>& answers) {
  const std::vector<std::string> words = AnswerWords(prediction);
  double best = 0;
  for (const std::string& answer : answers) best = std::max(best, BagF1(words, AnswerWords(answer)));
  return best;
}

double ExactMatch(absl::string_view prediction, const std::vector<std::string>& answers) {
  const std::string normal = NormalizeAnswer(prediction);
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return NormalizeAnswer(answer) == normal; });
}

int64_t CodePoints(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::optional<double> ParseNumber(absl::string_view text) {
  std::string plain;
  for (const char c : absl::StripAsciiWhitespace(text)) {
    if (c != ',' && c != '$') plain += c;
  }
  while (!plain.empty() && plain.back() == '.') plain.pop_back();
  double value = 0;
  if (!absl::SimpleAtod(plain, &value) || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string ExtractNumber(absl::string_view text, absl::string_view marker) {
  if (const size_t at = marker.empty() ? absl::string_view::npos : text.rfind(marker); at != absl::string_view::npos) {
    const absl::string_view tail = text.substr(at + marker.size());
    const size_t line_end = tail.find('\n');
    text = tail.substr(0, line_end);
  } else if (!marker.empty()) {
    return "";
  }
  size_t end = text.size();
  while (end > 0 && !absl::ascii_isdigit(static_cast<unsigned char>(text[end - 1]))) --end;
  size_t begin = end;
  while (begin > 0 && IsNumberCharacter(text[begin - 1])) --begin;
  while (begin < end && !absl::ascii_isdigit(static_cast<unsigned char>(text[begin]))) ++begin;
  if (begin > 0 && text[begin - 1] == '$') --begin;
  const bool negative = begin > 0 && text[begin - 1] == '-';
  return std::string(text.substr(begin - (negative ? 1 : 0), end - begin + (negative ? 1 : 0)));
}

}  // namespace tersor
