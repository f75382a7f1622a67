#include "core/chat/template_parser.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/chat/template_lexer.h"

namespace tersor {
namespace {

using Kind = TemplateNode::Kind;
using Token = TemplateToken::Kind;
using NodeOr = absl::StatusOr<TemplateNodePtr>;

constexpr int kDeepest = 64;

class Parser {
 public:
  explicit Parser(std::vector<TemplateToken> tokens) : tokens_(std::move(tokens)) {}
  NodeOr Run() {
    TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr root, ParseBlock());
    if (at_ < tokens_.size()) return Fault("ends a block that was not begun");
    return root;
  }

 private:
  absl::Status Fault(absl::string_view what) const {
    const bool over = at_ >= tokens_.size();
    const int line = tokens_.empty() ? 1 : tokens_[over ? tokens_.size() - 1 : at_].line;
    return absl::InvalidArgumentError(absl::StrCat(
        "chat template, line ", line, ": ", over ? "the end" : absl::StrCat("\"", tokens_[at_].text, "\""), " ", what));
  }
  TemplateNodePtr New(Kind kind, std::string text = "") const {
    auto node = std::make_unique<TemplateNode>(TemplateNode{.kind = kind});
    node->line = tokens_.empty() ? 1 : tokens_[std::min(at_, tokens_.size() - 1)].line;
    node->text = std::move(text);
    return node;
  }
  TemplateNodePtr Literal(TemplateValue value) const {
    TemplateNodePtr node = New(Kind::kLiteral);
    node->value = std::move(value);
    return node;
  }
  bool Is(Token kind, absl::string_view text, size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].kind == kind && tokens_[at_ + ahead].text == text;
  }
  bool IsKind(Token kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }
  bool TakeName(absl::string_view name) { return Is(Token::kName, name) && ++at_; }
  bool TakeOperator(absl::string_view text) { return Is(Token::kOperator, text) && ++at_; }
  absl::Status Expect(absl::string_view text) {
    return TakeOperator(text) ? absl::OkStatus() : Fault(absl::StrCat("stands where \"", text, "\" is wanted"));
  }
  absl::Status ExpectEnd() {
    if (!IsKind(Token::kEndTag)) return Fault("stands where the tag should end");
    ++at_;
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> TakeAnyName() {
    if (!IsKind(Token::kName)) return Fault("stands where a name is wanted");
    return tokens_[at_++].text;
  }
  // Whether the next tag is `name`'s.
  bool AtTag(absl::string_view name) const {
    return at_ + 1 < tokens_.size() && tokens_[at_].kind == Token::kBeginTag && Is(Token::kName, name, 1);
  }
  absl::Status TakeTag(absl::string_view name) {
    if (!AtTag(name)) return Fault(absl::StrCat("stands where {% ", name, " %} is wanted"));
    at_ += 2;
    return ExpectEnd();
  }

  NodeOr ParseBlock();
  NodeOr ParseTag();
  NodeOr ParseIf();
  NodeOr ParseFor();
  NodeOr ParseSet();
  NodeOr ParseExpression();
  NodeOr ParseBinary(int level);
  NodeOr ParseNot();
  NodeOr ParseCompare();
  NodeOr ParseUnary();
  NodeOr ParsePostfix(TemplateNodePtr node);
  NodeOr ParseSubscript(TemplateNodePtr object);
  NodeOr ParsePrimary();
  NodeOr ParseCollection(absl::string_view close, Kind kind);
  absl::Status ParseArguments(TemplateNode& node);
  absl::Status ParseTest(TemplateNodePtr& node);

  std::vector<TemplateToken> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

// Counts nesting while it lives.
struct Deeper {
  explicit Deeper(int& depth) : depth(depth) { ++depth; }
  ~Deeper() { --depth; }
  int& depth;
};

NodeOr Parser::ParseBlock() {
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) return Fault("is nested too deep");
  TemplateNodePtr block = New(Kind::kBlock);
  while (at_ < tokens_.size()) {
    if (IsKind(Token::kText)) {
      block->children.push_back(New(Kind::kText, tokens_[at_].text));
      ++at_;
    } else if (IsKind(Token::kBeginPrint)) {
      ++at_;
      TemplateNodePtr print = New(Kind::kPrint);
      TERSOR_ASSIGN_OR_RETURN(print->children.emplace_back(), ParseExpression());
      if (!IsKind(Token::kEndPrint)) return Fault("stands where the expression should end");
      ++at_;
      block->children.push_back(std::move(print));
    } else {
      bool ends = false;
      for (const char* name : {"endif", "else", "elif", "endfor"}) ends |= AtTag(name);
      if (ends) break;
      TERSOR_ASSIGN_OR_RETURN(block->children.emplace_back(), ParseTag());
    }
  }
  return block;
}

NodeOr Parser::ParseTag() {
  ++at_;
  if (TakeName("if")) return ParseIf();
  if (TakeName("for")) return ParseFor();
  if (TakeName("set")) return ParseSet();
  // Marks the assistant's text for training; its inside is rendered as it is.
  if (TakeName("generation") || TakeName("endgeneration")) {
    TERSOR_RETURN_IF_ERROR(ExpectEnd());
    return New(Kind::kBlock);
  }
  return Fault("is a statement that is not supported (for, if and set are)");
}

NodeOr Parser::ParseIf() {
  TemplateNodePtr node = New(Kind::kIf);
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
  TERSOR_RETURN_IF_ERROR(ExpectEnd());
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBlock());
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) return Fault("is nested too deep");
  if (AtTag("elif")) {
    at_ += 2;
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseIf());
    return node;
  }
  if (AtTag("else")) {
    TERSOR_RETURN_IF_ERROR(TakeTag("else"));
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBlock());
  } else {
    node->children.push_back(New(Kind::kBlock));
  }
  TERSOR_RETURN_IF_ERROR(TakeTag("endif"));
  return node;
}

NodeOr Parser::ParseFor() {
  TemplateNodePtr node = New(Kind::kFor);
  do {
    TERSOR_ASSIGN_OR_RETURN(node->names.emplace_back(), TakeAnyName());
  } while (TakeOperator(","));
  if (!TakeName("in")) return Fault("stands where \"in\" is wanted");
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBinary(0));
  TemplateNodePtr condition;
  if (TakeName("if")) {
    TERSOR_ASSIGN_OR_RETURN(condition, ParseExpression());
  }
  TERSOR_RETURN_IF_ERROR(ExpectEnd());
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBlock());
  if (condition != nullptr) node->children.push_back(std::move(condition));
  TERSOR_RETURN_IF_ERROR(TakeTag("endfor"));
  return node;
}

NodeOr Parser::ParseSet() {
  TERSOR_ASSIGN_OR_RETURN(std::string name, TakeAnyName());
  TemplateNodePtr node = New(Kind::kSet, std::move(name));
  if (TakeOperator(".")) {
    TERSOR_ASSIGN_OR_RETURN(node->names.emplace_back(), TakeAnyName());
  }
  TERSOR_RETURN_IF_ERROR(Expect("="));
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
  TERSOR_RETURN_IF_ERROR(ExpectEnd());
  return node;
}

NodeOr Parser::ParseExpression() {
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) return Fault("is nested too deep");
  TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr value, ParseBinary(0));
  if (!TakeName("if")) return value;
  TemplateNodePtr node = New(Kind::kTernary);
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBinary(0));
  node->children.push_back(std::move(value));
  if (TakeName("else")) {
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
  }
  return node;
}

// 0: or, 1: and, 2: not and comparisons, 3: + -, 4: ~, 5: * / // %.
NodeOr Parser::ParseBinary(int level) {
  if (level == 2) return ParseNot();
  if (level == 6) return ParseUnary();
  TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr left, ParseBinary(level + 1));
  while (true) {
    static constexpr absl::string_view kLevels[6][4] = {{"or"}, {"and"}, {}, {"+", "-"}, {"~"}, {"*", "/", "//", "%"}};
    std::string found;
    for (const absl::string_view one : kLevels[level]) {
      if (!one.empty() && (level < 2 ? Is(Token::kName, one) : Is(Token::kOperator, one))) found = std::string(one);
    }
    if (found.empty()) return left;
    TemplateNodePtr node = New(Kind::kBinary, found);
    ++at_;
    node->children.push_back(std::move(left));
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBinary(level + 1));
    left = std::move(node);
  }
}

NodeOr Parser::ParseNot() {
  if (!TakeName("not")) return ParseCompare();
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) return Fault("is nested too deep");
  TemplateNodePtr node = New(Kind::kUnary, "not");
  TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseNot());
  return node;
}

NodeOr Parser::ParseCompare() {
  TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr left, ParseBinary(3));
  while (true) {
    std::string found;
    for (const char* one : {"==", "!=", "<", "<=", ">", ">="}) {
      if (Is(Token::kOperator, one)) found = one;
    }
    if (Is(Token::kName, "in")) found = "in";
    if (Is(Token::kName, "not") && Is(Token::kName, "in", 1)) found = "not in";
    if (found.empty()) return left;
    TemplateNodePtr node = New(Kind::kBinary, found);
    at_ += found == "not in" ? 2 : 1;
    node->children.push_back(std::move(left));
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseBinary(3));
    left = std::move(node);
  }
}

NodeOr Parser::ParseUnary() {
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) return Fault("is nested too deep");
  for (const char* sign : {"-", "+"}) {
    if (!TakeOperator(sign)) continue;
    TemplateNodePtr node = New(Kind::kUnary, sign);
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseUnary());
    return node;
  }
  TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr node, ParsePrimary());
  return ParsePostfix(std::move(node));
}

absl::Status Parser::ParseArguments(TemplateNode& node) {
  while (!TakeOperator(")")) {
    std::string name;
    if (IsKind(Token::kName) && Is(Token::kOperator, "=", 1)) {
      name = tokens_[at_].text;
      at_ += 2;
    }
    node.names.push_back(std::move(name));
    TERSOR_ASSIGN_OR_RETURN(node.children.emplace_back(), ParseExpression());
    if (!Is(Token::kOperator, ")")) TERSOR_RETURN_IF_ERROR(Expect(","));
  }
  return absl::OkStatus();
}

absl::Status Parser::ParseTest(TemplateNodePtr& node) {
  const bool negated = TakeName("not");
  TERSOR_ASSIGN_OR_RETURN(std::string name, TakeAnyName());
  TemplateNodePtr test = New(Kind::kTest, std::move(name));
  test->children.push_back(std::move(node));
  if (TakeOperator("(")) TERSOR_RETURN_IF_ERROR(ParseArguments(*test));
  node = std::move(test);
  if (!negated) return absl::OkStatus();
  TemplateNodePtr inverse = New(Kind::kUnary, "not");
  inverse->children.push_back(std::move(node));
  node = std::move(inverse);
  return absl::OkStatus();
}

NodeOr Parser::ParseSubscript(TemplateNodePtr object) {
  TemplateNodePtr node = New(Kind::kIndex);
  node->children.push_back(std::move(object));
  if (!Is(Token::kOperator, ":")) {
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
    if (TakeOperator("]")) return node;
  } else {
    node->children.push_back(Literal(nullptr));
  }
  node->kind = Kind::kSlice;
  while (node->children.size() < 4) {
    if (!TakeOperator(":") || Is(Token::kOperator, "]") || Is(Token::kOperator, ":")) {
      node->children.push_back(Literal(nullptr));
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
  }
  TERSOR_RETURN_IF_ERROR(Expect("]"));
  return node;
}

NodeOr Parser::ParsePostfix(TemplateNodePtr node) {
  while (true) {
    if (TakeOperator(".")) {
      TERSOR_ASSIGN_OR_RETURN(std::string name, TakeAnyName());
      TemplateNodePtr next = New(Kind::kAttribute, std::move(name));
      next->children.push_back(std::move(node));
      node = std::move(next);
    } else if (TakeOperator("[")) {
      TERSOR_ASSIGN_OR_RETURN(node, ParseSubscript(std::move(node)));
    } else if (TakeOperator("(")) {
      TemplateNodePtr next = New(Kind::kCall);
      next->children.push_back(std::move(node));
      TERSOR_RETURN_IF_ERROR(ParseArguments(*next));
      node = std::move(next);
    } else if (TakeOperator("|")) {
      TERSOR_ASSIGN_OR_RETURN(std::string name, TakeAnyName());
      TemplateNodePtr next = New(Kind::kFilter, std::move(name));
      next->children.push_back(std::move(node));
      if (TakeOperator("(")) TERSOR_RETURN_IF_ERROR(ParseArguments(*next));
      node = std::move(next);
    } else if (TakeName("is")) {
      TERSOR_RETURN_IF_ERROR(ParseTest(node));
    } else {
      return node;
    }
  }
}

NodeOr Parser::ParseCollection(absl::string_view close, Kind kind) {
  TemplateNodePtr node = New(kind);
  while (!TakeOperator(close)) {
    TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
    if (kind == Kind::kDict) {
      TERSOR_RETURN_IF_ERROR(Expect(":"));
      TERSOR_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
    }
    if (!Is(Token::kOperator, close)) TERSOR_RETURN_IF_ERROR(Expect(","));
  }
  return node;
}

NodeOr Parser::ParsePrimary() {
  if (TakeOperator("(")) {
    TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr inner, ParseExpression());
    TERSOR_RETURN_IF_ERROR(Expect(")"));
    return inner;
  }
  if (TakeOperator("[")) return ParseCollection("]", Kind::kList);
  if (TakeOperator("{")) return ParseCollection("}", Kind::kDict);
  if (at_ >= tokens_.size()) return Fault("comes before the expression does");
  const TemplateToken& token = tokens_[at_];
  double number = 0;
  int64_t integer = 0;
  if (token.kind == Token::kString) {
    TemplateNodePtr node = Literal(token.text);
    ++at_;
    // Neighbouring strings are one.
    for (; IsKind(Token::kString); ++at_) node->value = node->value.get<std::string>() + tokens_[at_].text;
    return node;
  }
  if (token.kind == Token::kInteger && absl::SimpleAtoi(token.text, &integer)) return ++at_, Literal(integer);
  if (token.kind == Token::kFloat && absl::SimpleAtod(token.text, &number)) return ++at_, Literal(number);
  if (token.kind != Token::kName) return Fault("stands where an expression is wanted");
  ++at_;
  if (token.text == "true" || token.text == "True") return Literal(true);
  if (token.text == "false" || token.text == "False") return Literal(false);
  if (token.text == "none" || token.text == "None") return Literal(nullptr);
  return New(Kind::kName, token.text);
}

}  // namespace

absl::StatusOr<TemplateNodePtr> ParseTemplate(absl::string_view text) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<TemplateToken> tokens, LexTemplate(text));
  return Parser(std::move(tokens)).Run();
}

}  // namespace tersor
