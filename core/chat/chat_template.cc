#include "core/chat/chat_template.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/chat/template_functions.h"
#include "core/chat/template_parser.h"

namespace tersor {
namespace {

using Kind = TemplateNode::Kind;
using Value = TemplateValue;
using ValueOr = absl::StatusOr<Value>;

// What a stranger's template may cost.
constexpr int64_t kMostSteps = 1 << 18;
constexpr size_t kMostBytes = 64 << 20;

class Evaluation {
 public:
  explicit Evaluation(std::map<std::string, Value> variables) { scopes_.push_back(std::move(variables)); }

  absl::Status Run(const TemplateNode& node);
  std::string TakeOutput() { return std::move(output_); }

 private:
  absl::Status Fault(const TemplateNode& node, absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("chat template, line ", node.line, ": ", what));
  }
  // Names the line where a function does not know it.
  template <typename T>
  absl::StatusOr<T> At(const TemplateNode& node, absl::StatusOr<T> result) const {
    return result.ok() ? std::move(result) : absl::StatusOr<T>(Fault(node, result.status().message()));
  }
  absl::Status Step(const TemplateNode& node) {
    if (++steps_ > kMostSteps || output_.size() > kMostBytes)
      return Fault(node, "the template does not come to an end");
    return absl::OkStatus();
  }
  Value* FindVariable(const std::string& name);
  absl::Status RunFor(const TemplateNode& node);
  absl::Status RunSet(const TemplateNode& node);
  ValueOr Evaluate(const TemplateNode& node);
  ValueOr EvaluateBinary(const TemplateNode& node);
  ValueOr EvaluateCall(const TemplateNode& node);
  ValueOr EvaluateCollection(const TemplateNode& node);
  // The children from `first` on, with `node.names`.
  absl::StatusOr<TemplateArguments> Arguments(const TemplateNode& node);

  std::vector<std::map<std::string, Value>> scopes_;
  std::string output_;
  int64_t steps_ = 0;
};

Value* Evaluation::FindVariable(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return &found->second;
  }
  return nullptr;
}

absl::Status Evaluation::Run(const TemplateNode& node) {
  TERSOR_RETURN_IF_ERROR(Step(node));
  switch (node.kind) {
    case Kind::kText:
      output_ += node.text;
      return absl::OkStatus();
    case Kind::kPrint: {
      TERSOR_ASSIGN_OR_RETURN(const Value value, Evaluate(*node.children[0]));
      output_ += PrintedText(value);
      return absl::OkStatus();
    }
    case Kind::kIf: {
      TERSOR_ASSIGN_OR_RETURN(const Value condition, Evaluate(*node.children[0]));
      return Run(*node.children[IsTrue(condition) ? 1 : 2]);
    }
    case Kind::kFor:
      return RunFor(node);
    case Kind::kSet:
      return RunSet(node);
    default:
      for (const TemplateNodePtr& child : node.children) TERSOR_RETURN_IF_ERROR(Run(*child));
      return absl::OkStatus();
  }
}

absl::Status Evaluation::RunSet(const TemplateNode& node) {
  TERSOR_ASSIGN_OR_RETURN(Value value, Evaluate(*node.children[0]));
  if (node.names.empty()) {
    scopes_.back()[node.text] = std::move(value);
    return absl::OkStatus();
  }
  Value* space = FindVariable(node.text);
  if (space == nullptr || !space->is_object()) return Fault(node, absl::StrCat(node.text, " is no namespace"));
  (*space)[node.names[0]] = std::move(value);
  return absl::OkStatus();
}

absl::Status Evaluation::RunFor(const TemplateNode& node) {
  TERSOR_ASSIGN_OR_RETURN(Value list, Evaluate(*node.children[0]));
  if (list.is_object()) {
    Value keys = Value::array();
    for (const auto& [key, value] : list.items()) keys.push_back(key);
    list = std::move(keys);
  }
  if (list.is_discarded()) list = Value::array();
  if (!list.is_array()) return Fault(node, "for needs a list");
  scopes_.emplace_back();
  const auto bind = [&](const Value& element) {
    for (size_t i = 0; i < node.names.size(); ++i) {
      scopes_.back()[node.names[i]] = node.names.size() == 1 ? element : ElementOf(element, i);
    }
  };
  if (node.children.size() == 3) {
    Value kept = Value::array();
    for (const Value& element : list) {
      bind(element);
      TERSOR_ASSIGN_OR_RETURN(const Value wanted, Evaluate(*node.children[2]));
      if (IsTrue(wanted)) kept.push_back(element);
    }
    list = std::move(kept);
  }
  const auto length = static_cast<int64_t>(list.size());
  for (int64_t i = 0; i < length; ++i) {
    scopes_.back().clear();
    bind(list[i]);
    scopes_.back()["loop"] = {{"index", i + 1},
                              {"index0", i},
                              {"first", i == 0},
                              {"last", i + 1 == length},
                              {"length", length},
                              {"revindex", length - i},
                              {"revindex0", length - i - 1}};
    if (i > 0) scopes_.back()["loop"]["previtem"] = list[i - 1];
    if (i + 1 < length) scopes_.back()["loop"]["nextitem"] = list[i + 1];
    TERSOR_RETURN_IF_ERROR(Run(*node.children[1]));
  }
  scopes_.pop_back();
  return absl::OkStatus();
}

absl::StatusOr<TemplateArguments> Evaluation::Arguments(const TemplateNode& node) {
  TemplateArguments arguments;
  for (size_t i = 1; i < node.children.size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(Value value, Evaluate(*node.children[i]));
    if (node.names[i - 1].empty()) {
      arguments.positional.push_back(std::move(value));
    } else {
      arguments.named.emplace_back(node.names[i - 1], std::move(value));
    }
  }
  return arguments;
}

ValueOr Evaluation::EvaluateBinary(const TemplateNode& node) {
  TERSOR_ASSIGN_OR_RETURN(Value left, Evaluate(*node.children[0]));
  if (node.text == "and" && !IsTrue(left)) return left;
  if (node.text == "or" && IsTrue(left)) return left;
  TERSOR_ASSIGN_OR_RETURN(Value right, Evaluate(*node.children[1]));
  if (node.text == "and" || node.text == "or") return right;
  return At(node, ApplyOperator(node.text, left, right));
}

ValueOr Evaluation::EvaluateCall(const TemplateNode& node) {
  TERSOR_ASSIGN_OR_RETURN(const TemplateArguments arguments, Arguments(node));
  const TemplateNode& callee = *node.children[0];
  if (callee.kind == Kind::kAttribute) {
    TERSOR_ASSIGN_OR_RETURN(const Value object, Evaluate(*callee.children[0]));
    return At(node, CallMethod(object, callee.text, arguments));
  }
  if (callee.kind == Kind::kName && callee.text == "raise_exception") {
    return Fault(node, PrintedText(arguments.Get(0, "message")));
  }
  if (callee.kind == Kind::kName && callee.text == "namespace") {
    Value space = Value::object();
    for (const auto& [name, value] : arguments.named) space[name] = value;
    return space;
  }
  if (callee.kind == Kind::kName && callee.text == "range") {
    const Value first = arguments.Get(0, ""), second = arguments.Get(1, "");
    if (!first.is_number_integer() || arguments.positional.size() > 2) return Fault(node, "range needs whole numbers");
    const bool two = second.is_number_integer();
    const int64_t begin = two ? first.get<int64_t>() : 0, end = two ? second.get<int64_t>() : first.get<int64_t>();
    Value list = Value::array();
    for (int64_t i = begin; i < end; ++i) {
      TERSOR_RETURN_IF_ERROR(Step(node));
      list.push_back(i);
    }
    return list;
  }
  return Fault(node, absl::StrCat("the function \"", callee.text, "\" is not supported"));
}

ValueOr Evaluation::EvaluateCollection(const TemplateNode& node) {
  Value all = node.kind == Kind::kList ? Value::array() : Value::object();
  for (size_t i = 0; i < node.children.size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(Value value, Evaluate(*node.children[i]));
    if (node.kind == Kind::kList) {
      all.push_back(std::move(value));
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(all[PrintedText(value)], Evaluate(*node.children[++i]));
  }
  return all;
}

ValueOr Evaluation::Evaluate(const TemplateNode& node) {
  TERSOR_RETURN_IF_ERROR(Step(node));
  std::vector<Value> operands;
  const bool plain = node.kind == Kind::kUnary || node.kind == Kind::kAttribute || node.kind == Kind::kIndex ||
                     node.kind == Kind::kSlice || node.kind == Kind::kFilter || node.kind == Kind::kTest;
  const size_t count = node.kind == Kind::kFilter || node.kind == Kind::kTest ? 1 : node.children.size();
  for (size_t i = 0; plain && i < count; ++i) {
    TERSOR_ASSIGN_OR_RETURN(operands.emplace_back(), Evaluate(*node.children[i]));
  }
  switch (node.kind) {
    case Kind::kLiteral:
      return node.value;
    case Kind::kName: {
      const Value* found = FindVariable(node.text);
      return found == nullptr ? UndefinedValue() : *found;
    }
    case Kind::kList:
    case Kind::kDict:
      return EvaluateCollection(node);
    case Kind::kUnary:
      if (node.text == "not") return Value(!IsTrue(operands[0]));
      return At(node, ApplyOperator(node.text, 0, operands[0]));
    case Kind::kBinary:
      return EvaluateBinary(node);
    case Kind::kTernary: {
      TERSOR_ASSIGN_OR_RETURN(const Value condition, Evaluate(*node.children[0]));
      if (IsTrue(condition)) return Evaluate(*node.children[1]);
      return node.children.size() > 2 ? Evaluate(*node.children[2]) : ValueOr(UndefinedValue());
    }
    case Kind::kAttribute:
      return ElementOf(operands[0], node.text);
    case Kind::kIndex:
      return ElementOf(operands[0], operands[1]);
    case Kind::kSlice:
      return At(node, SliceOf(operands[0], operands[1], operands[2], operands[3]));
    case Kind::kCall:
      return EvaluateCall(node);
    case Kind::kFilter: {
      TERSOR_ASSIGN_OR_RETURN(const TemplateArguments arguments, Arguments(node));
      return At(node, ApplyFilter(node.text, operands[0], arguments));
    }
    case Kind::kTest: {
      TERSOR_ASSIGN_OR_RETURN(const TemplateArguments arguments, Arguments(node));
      TERSOR_ASSIGN_OR_RETURN(const bool holds, At(node, ApplyTest(node.text, operands[0], arguments)));
      return Value(holds);
    }
    default:
      return Fault(node, "a statement where an expression is wanted");
  }
}

}  // namespace

absl::StatusOr<ChatTemplate> ChatTemplate::Parse(absl::string_view text) {
  TERSOR_ASSIGN_OR_RETURN(TemplateNodePtr root, ParseTemplate(text));
  ChatTemplate result;
  result.root_ = std::move(root);
  return result;
}

absl::StatusOr<std::string> ChatTemplate::Render(const std::vector<ChatMessage>& messages,
                                                 const ChatVariables& variables) const {
  Value list = Value::array();
  for (const ChatMessage& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  Evaluation evaluation({{"messages", std::move(list)},
                         {"bos_token", variables.bos_token},
                         {"eos_token", variables.eos_token},
                         {"add_generation_prompt", variables.add_generation_prompt}});
  TERSOR_RETURN_IF_ERROR(evaluation.Run(*root_));
  return evaluation.TakeOutput();
}

}  // namespace tersor
