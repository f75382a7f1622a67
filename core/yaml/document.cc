#include "core/yaml/document.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "core/yaml/json_escapes.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace tersor {
namespace {

using Kind = DocumentNode::Kind;

SourcePosition At(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Builds the tree from the parser's events. Past a limit it goes on without storing, so that memory stays bounded.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const DocumentLimits& limits, std::vector<DocumentFault>& faults) : limits_(limits), faults_(faults) {}

  // Null where the file was too large to be kept whole.
  DocumentNodePtr TakeRoot() { return overflow_ ? nullptr : std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Leaf(mark, anchor, Kind::kNull, "", false); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Leaf(mark, anchor, Kind::kScalar, value, tag == "!");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, anchor, Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, anchor, Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A collection whose end has not been seen.
  struct Frame {
    DocumentNodePtr node;
    YAML::anchor_t anchor = 0;
    size_t nodes_before = 0;
    // In a mapping: the key whose value comes next.
    bool has_key = false;
    std::string key;
    SourcePosition key_position;
  };
  struct Anchored {
    DocumentNodePtr node;
    size_t nodes = 0;
  };

  void Fault(SourcePosition position, std::string description) {
    faults_.push_back({"", std::move(description), position});
  }
  // Counts `count` more nodes; false, with one fault, where that is too many.
  bool Count(const YAML::Mark& mark, size_t count);
  void Leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind, const std::string& text, bool quoted);
  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind);
  void Close();
  // Puts a finished or just opened node into the collection around it.
  void Attach(const DocumentNodePtr& node);
  void TakeKey(Frame& frame, const DocumentNode& node);

  const DocumentLimits& limits_;
  std::vector<DocumentFault>& faults_;
  DocumentNodePtr root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  bool overflow_ = false;
  // Levels that lie deeper than allowed and are not stored.
  int ignored_depth_ = 0;
};

bool TreeBuilder::Count(const YAML::Mark& mark, size_t count) {
  if (overflow_) return false;
  if (count <= limits_.nodes - nodes_) {
    nodes_ += count;
    return true;
  }
  overflow_ = true;
  Fault(At(mark), absl::StrCat("the file has more than ", limits_.nodes, " values (aliases counted in full)"));
  return false;
}

void TreeBuilder::TakeKey(Frame& frame, const DocumentNode& node) {
  frame.has_key = true;
  frame.key = node.text;
  frame.key_position = node.position;
  if (node.kind != Kind::kScalar) {
    Fault(node.position, absl::StrCat("a key must be text, not ", DescribeNode(node)));
    frame.key.clear();
  }
}

void TreeBuilder::Attach(const DocumentNodePtr& node) {
  if (open_.empty()) {
    root_ = node;
    return;
  }
  Frame& frame = open_.back();
  if (frame.node->kind == Kind::kSequence) {
    frame.node->items.push_back(node);
  } else if (!frame.has_key) {
    TakeKey(frame, *node);
  } else {
    frame.has_key = false;
    if (!frame.key.empty()) frame.node->entries.push_back({std::move(frame.key), frame.key_position, node});
  }
}

void TreeBuilder::Leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind, const std::string& text, bool quoted) {
  if (ignored_depth_ > 0 || !Count(mark, 1)) return;
  auto node = std::make_shared<DocumentNode>();
  node->kind = kind;
  node->position = At(mark);
  node->text = text;
  node->quoted = quoted;
  // Names and paths end there for the system, so that what was checked would not be what is opened.
  if (text.find('\0') != std::string::npos) Fault(At(mark), "a text must not contain the character NUL");
  if (anchor != 0) anchors_[anchor] = {node, 1};
  Attach(node);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (ignored_depth_ > 0 || overflow_) return;
  auto it = anchors_.find(anchor);
  if (it == anchors_.end()) {
    Fault(At(mark), "this alias refers to the value that it is a part of");
    Leaf(mark, 0, Kind::kNull, "", false);
    return;
  }
  if (Count(mark, it->second.nodes)) Attach(it->second.node);
}

void TreeBuilder::Open(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind) {
  if (ignored_depth_ == 0 && !overflow_ && static_cast<int>(open_.size()) == limits_.depth) {
    Fault(At(mark), absl::StrCat("nested deeper than ", limits_.depth, " levels"));
    Leaf(mark, 0, Kind::kNull, "", false);
    ignored_depth_ = 1;
    return;
  }
  if (ignored_depth_ > 0 || !Count(mark, 1)) {
    ++ignored_depth_;
    return;
  }
  Frame frame;
  frame.node = std::make_shared<DocumentNode>();
  frame.node->kind = kind;
  frame.node->position = At(mark);
  frame.anchor = anchor;
  frame.nodes_before = nodes_ - 1;
  open_.push_back(std::move(frame));
}

void TreeBuilder::Close() {
  if (ignored_depth_ > 0) {
    --ignored_depth_;
    return;
  }
  if (open_.empty()) return;
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (frame.anchor != 0) anchors_[frame.anchor] = {frame.node, nodes_ - frame.nodes_before};
  Attach(frame.node);
}

bool IsForbiddenControl(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

// The libraries' exceptions end here.
DocumentNodePtr ParseEvents(absl::string_view text, const DocumentLimits& limits, std::vector<DocumentFault>& faults) {
  std::istringstream stream(JoinSurrogateEscapes(text));
  TreeBuilder builder(limits, faults);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return nullptr;
    DocumentNodePtr root = builder.TakeRoot();
    TreeBuilder rest(limits, faults);
    if (parser.HandleNextDocument(rest)) {
      DocumentNodePtr second = rest.TakeRoot();
      faults.push_back(
          {"", "the file is one document; remove what begins here", second ? second->position : SourcePosition{}});
    }
    return root;
  } catch (const YAML::Exception& error) {
    faults.push_back({"", absl::StrCat("not readable as YAML: ", error.msg), At(error.mark)});
  } catch (const std::exception& error) {
    faults.push_back({"", absl::StrCat("not readable as YAML: ", error.what()), {}});
  }
  return nullptr;
}

}  // namespace

std::string ShownText(absl::string_view text) {
  constexpr size_t kShown = 60;
  // Not within a character.
  size_t end = std::min(text.size(), kShown);
  while (end < text.size() && end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(absl::Utf8SafeCEscape(text.substr(0, end)), end < text.size() ? "..." : "");
}

std::string DescribeNode(const DocumentNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
    case Kind::kScalar:
      break;
  }
  return absl::StrCat("the text \"", ShownText(node.text), "\"");
}

DocumentNodePtr ParseYaml(absl::string_view text, const DocumentLimits& limits, std::vector<DocumentFault>& faults) {
  if (text.size() > limits.bytes) {
    faults.push_back({"", absl::StrCat("the file is larger than ", limits.bytes >> 10, " KiB"), {}});
    return nullptr;
  }
  if (size_t valid = ValidUtf8Prefix(text); valid != text.size()) {
    faults.push_back({"", absl::StrCat("not UTF-8 text (byte ", valid, ")"), PositionOfByte(text, valid)});
    return nullptr;
  }
  // YAML 1.2.2, section 5.1. The parser takes NULs for a sign of UTF-16 or UTF-32.
  const auto control = std::find_if(text.begin(), text.end(), IsForbiddenControl);
  if (control != text.end()) {
    faults.push_back({"", "control characters do not belong in YAML, except as escapes in double quotes",
                      PositionOfByte(text, static_cast<size_t>(control - text.begin()))});
    return nullptr;
  }
  size_t before = faults.size();
  DocumentNodePtr root = ParseEvents(text, limits, faults);
  if (root == nullptr && faults.size() == before) faults.push_back({"", "the file is empty", {}});
  return root;
}

}  // namespace tersor
