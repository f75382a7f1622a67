// A parsed template.
#ifndef TERSOR_CORE_CHAT_TEMPLATE_NODE_H_
#define TERSOR_CORE_CHAT_TEMPLATE_NODE_H_

#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace tersor {

// Order of keys is kept; a discarded value stands for an undefined one.
using TemplateValue = nlohmann::ordered_json;

inline TemplateValue UndefinedValue() { return TemplateValue(TemplateValue::value_t::discarded); }

struct TemplateNode {
  enum class Kind {
    // Statements. kText: `text`; kPrint: [expression]; kBlock: its statements.
    kText,
    kPrint,
    kBlock,
    kIf,   // [condition, body, else body]
    kFor,  // `names` from [list, body, condition or nothing]
    kSet,  // `text` (and `names[0]`, a field of it) = [expression]
    // Expressions.
    kLiteral,    // `value`
    kName,       // `text`
    kList,       // [elements]
    kDict,       // [key, value, key, value, ...]
    kUnary,      // `text` [operand]
    kBinary,     // `text` [left, right]
    kTernary,    // [condition, then, otherwise or nothing]
    kAttribute,  // [object] . `text`
    kIndex,      // [object, index]
    kSlice,      // [object, start, stop, step]; a literal null where left out
    kCall,       // [callee, arguments]; `names`: "" or the argument's name
    kFilter,     // [operand, arguments] | `text`; `names` as kCall
    kTest,       // [operand, arguments] is `text`
  };

  Kind kind;
  int line = 1;
  std::string text = {};
  std::vector<std::string> names = {};
  TemplateValue value = {};
  std::vector<std::unique_ptr<TemplateNode>> children = {};
};

using TemplateNodePtr = std::unique_ptr<TemplateNode>;

}  // namespace tersor

#endif  // TERSOR_CORE_CHAT_TEMPLATE_NODE_H_
