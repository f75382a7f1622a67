#include "core/formats/json_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "core/formats/file_kind.h"

namespace tersor {
namespace {

constexpr int kMaxDepth = 64;
// A value costs some dozens of bytes of memory and may be two bytes of text: the largest vocabularies, as values one by
// one, are half as many.
constexpr int64_t kMaxValues = int64_t{1} << 22;

// Watches the parser: the library itself keeps the last of equal keys.
class Watcher {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) too_deep_ = true;
    if (event != Event::object_end && event != Event::array_end && ++values_ > kMaxValues) too_many_ = true;
    // Nothing more is kept.
    if (too_deep_ || too_many_) return false;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Event::key && !keys_.empty() && !keys_.back().insert(parsed.get_ref<const std::string&>()).second) {
      duplicate_ = parsed.get_ref<const std::string&>();
    }
    return true;
  }
  bool too_deep() const { return too_deep_; }
  bool too_many() const { return too_many_; }
  const std::string& duplicate() const { return duplicate_; }

 private:
  std::vector<std::set<std::string>> keys_;
  int64_t values_ = 0;
  bool too_deep_ = false;
  bool too_many_ = false;
  std::string duplicate_;
};

// Keeps nothing but where parsing ended and the library's words for it.
class FaultFinder {
 public:
  explicit FaultFinder(absl::string_view text) : text_(text) {}

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(int64_t) { return true; }
  bool number_unsigned(uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(nlohmann::json::binary_t&) { return true; }
  bool start_object(size_t) { return true; }
  bool key(std::string&) { return true; }
  bool end_object() { return true; }
  bool start_array(size_t) { return true; }
  bool end_array() { return true; }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& fault) {
    absl::string_view words = fault.what();
    constexpr absl::string_view kBefore = "parse error at ";
    const size_t begin = words.find(kBefore);
    if (begin != absl::string_view::npos) words.remove_prefix(begin + kBefore.size());
    // What was read last may be half a character.
    if (ValidUtf8Prefix(words) != words.size()) words = words.substr(0, words.find("; last read"));
    words_ = std::string(words);
    const absl::string_view rest = text_.substr(std::min(text_.size(), position == 0 ? 0 : position - 1));
    if (absl::StartsWith(rest, "NaN") || absl::StartsWith(rest, "Inf")) {
      absl::StrAppend(&words_, " (JSON has no NaN and no Infinity, which Python writes: put a number or null there)");
    }
    return false;
  }
  const std::string& words() const { return words_; }

 private:
  const absl::string_view text_;
  std::string words_;
};

// Why a text is no JSON: what it is instead, or the line and column of the fault.
std::string WhyNot(absl::string_view text) {
  const std::string kind = WhatItIs(text);
  FaultFinder finder(text);
  nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  return absl::StrCat(": ", finder.words(), kind.empty() ? "" : "; ", kind);
}

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, absl::string_view where) {
  Watcher watcher;
  nlohmann::json value = nlohmann::json::parse(
      text.begin(), text.end(),
      [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        return watcher(depth, event, parsed);
      },
      /*allow_exceptions=*/false);
  if (watcher.too_deep()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": JSON is nested deeper than ", kMaxDepth));
  }
  if (watcher.too_many()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": JSON of more than ", kMaxValues, " values"));
  }
  if (value.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(where, ": not valid JSON", WhyNot(text)));
  if (!watcher.duplicate().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": key \"", watcher.duplicate(), "\" stands twice"));
  }
  return value;
}

absl::StatusOr<nlohmann::json> ParseJsonObject(absl::string_view text, absl::string_view where) {
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json value, ParseJson(text, where));
  if (!value.is_object()) return absl::InvalidArgumentError(absl::StrCat(where, ": not a JSON object"));
  return value;
}

std::string JsonText(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tersor
