#include "core/chat/template_lexer.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

using Kind = TemplateToken::Kind;

constexpr std::array<absl::string_view, 24> kOperators = {"==", "!=", "<=", ">=", "//", "**", "<", ">",
                                                          "+",  "-",  "*",  "/",  "%",  "~",  "(", ")",
                                                          "[",  "]",  "{",  "}",  ",",  ".",  ":", "|"};

constexpr char kBrace = '\x7b';

bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) {}
  absl::StatusOr<std::vector<TemplateToken>> Run();

 private:
  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("chat template, line ", line_, ": ", what));
  }
  void Add(Kind kind, absl::string_view text) { tokens_.push_back({kind, std::string(text), line_}); }
  // Moves past `bytes` and counts their lines.
  void Skip(size_t bytes) {
    line_ += static_cast<int>(std::count(text_.begin() + at_, text_.begin() + at_ + bytes, '\n'));
    at_ += bytes;
  }
  bool At(absl::string_view what) const { return absl::StartsWith(text_.substr(at_), what); }
  absl::Status LexText();
  absl::Status LexTag();
  absl::Status LexComment();
  absl::Status LexString(char quote);
  void LexNumber();
  // After a tag's end: `-` strips all white space, a block tag its newline.
  void AfterTag(bool strips, bool block);

  absl::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<TemplateToken> tokens_;
};

void Lexer::AfterTag(bool strips, bool block) {
  if (strips) {
    size_t end = at_;
    while (end < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[end]))) ++end;
    Skip(end - at_);
  } else if (block && At("\n")) {
    Skip(1);
  }
}

absl::Status Lexer::LexText() {
  size_t end = at_;
  while (end < text_.size()) {
    end = text_.find(kBrace, end);
    if (end == absl::string_view::npos) end = text_.size();
    const absl::string_view next = text_.substr(end, 2);
    if (end == text_.size() || next == "{{" || next == "{%" || next == "{#") break;
    ++end;
  }
  absl::string_view plain = text_.substr(at_, end - at_);
  if (end < text_.size()) {
    const absl::string_view tag = text_.substr(end, 3);
    if (absl::EndsWith(tag, "-")) {
      plain = absl::StripTrailingAsciiWhitespace(plain);
    } else if (tag[1] != kBrace) {
      // A block tag that begins its line: the blanks before it go.
      const size_t last = plain.find_last_not_of(" \t");
      const bool begins = last == absl::string_view::npos ? at_ == 0 || text_[at_ - 1] == '\n' : plain[last] == '\n';
      if (begins) plain = plain.substr(0, last == absl::string_view::npos ? 0 : last + 1);
    }
  }
  if (!plain.empty()) Add(Kind::kText, plain);
  Skip(end - at_);
  return absl::OkStatus();
}

absl::Status Lexer::LexComment() {
  const size_t end = text_.find("#}", at_);
  if (end == absl::string_view::npos) return Fault("a comment without an end");
  const bool strips = text_[end - 1] == '-';
  Skip(end + 2 - at_);
  AfterTag(strips, true);
  return absl::OkStatus();
}

absl::Status Lexer::LexString(char quote) {
  std::string value;
  size_t i = at_ + 1;
  for (; i < text_.size() && text_[i] != quote; ++i) {
    if (text_[i] != '\\' || i + 1 == text_.size()) {
      value += text_[i];
      continue;
    }
    const char c = text_[++i];
    if (c == 'n' || c == 't' || c == 'r') {
      value += c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
    } else if (c == '\\' || c == '\'' || c == '"') {
      value += c;
    } else if (c == 'u' || c == 'x' || c == 'U' || c == 'N' || c == '0') {
      return Fault("an escape in a string that is not supported");
    } else {
      value += '\\';
      value += c;
    }
  }
  if (i >= text_.size()) return Fault("a string without an end");
  Add(Kind::kString, value);
  Skip(i + 1 - at_);
  return absl::OkStatus();
}

void Lexer::LexNumber() {
  size_t end = at_;
  while (end < text_.size() && IsDigit(text_[end])) ++end;
  const bool fraction = end + 1 < text_.size() && text_[end] == '.' && IsDigit(text_[end + 1]);
  if (fraction) {
    ++end;
    while (end < text_.size() && IsDigit(text_[end])) ++end;
  }
  Add(fraction ? Kind::kFloat : Kind::kInteger, text_.substr(at_, end - at_));
  Skip(end - at_);
}

absl::Status Lexer::LexTag() {
  const bool print = At("{{");
  Skip(2);
  if (At("-") || At("+")) Skip(1);
  Add(print ? Kind::kBeginPrint : Kind::kBeginTag, "");
  const absl::string_view close = print ? "}}" : "%}";
  int braces = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (braces == 0 && (At(close) || (c == '-' && absl::StartsWith(text_.substr(at_ + 1), close)))) {
      const bool strips = c == '-';
      Add(print ? Kind::kEndPrint : Kind::kEndTag, "");
      Skip(strips ? 3 : 2);
      AfterTag(strips, !print);
      return absl::OkStatus();
    }
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      Skip(1);
    } else if (IsNameStart(c)) {
      size_t end = at_;
      while (end < text_.size() && (IsNameStart(text_[end]) || IsDigit(text_[end]))) ++end;
      Add(Kind::kName, text_.substr(at_, end - at_));
      Skip(end - at_);
    } else if (IsDigit(c)) {
      LexNumber();
    } else if (c == '\'' || c == '"') {
      TERSOR_RETURN_IF_ERROR(LexString(c));
    } else {
      const auto found =
          std::find_if(kOperators.begin(), kOperators.end(), [&](absl::string_view one) { return At(one); });
      const bool assigns = found == kOperators.end() && c == '=';
      if (found == kOperators.end() && !assigns)
        return Fault(absl::StrCat("'", std::string(1, c), "' is not understood"));
      const absl::string_view text = assigns ? "=" : *found;
      braces += text == "{" ? 1 : text == "}" ? -1 : 0;
      Add(Kind::kOperator, text);
      Skip(text.size());
    }
  }
  return Fault("a tag without an end");
}

absl::StatusOr<std::vector<TemplateToken>> Lexer::Run() {
  // Jinja drops the template's last line end.
  text_ = absl::StripSuffix(text_, "\n");
  while (at_ < text_.size()) {
    if (At("{#")) {
      TERSOR_RETURN_IF_ERROR(LexComment());
    } else if (At("{{") || At("{%")) {
      TERSOR_RETURN_IF_ERROR(LexTag());
    } else {
      TERSOR_RETURN_IF_ERROR(LexText());
    }
  }
  return std::move(tokens_);
}

}  // namespace

absl::StatusOr<std::vector<TemplateToken>> LexTemplate(absl::string_view text) { return Lexer(text).Run(); }

}  // namespace tersor
