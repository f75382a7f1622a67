#include "core/compress/layer_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {
namespace {

constexpr absl::string_view kBlockPrefix = "model.layers.";
constexpr absl::string_view kHeadLayer = "lm_head";

// The N of "model.layers.N.rest"; -1 where the name is another.
int BlockIndex(absl::string_view name) {
  int index = -1;
  if (!absl::ConsumePrefix(&name, kBlockPrefix) || !absl::SimpleAtoi(name.substr(0, name.find('.')), &index)) return -1;
  return index;
}

std::string LastPart(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::function<bool(const std::string&)> MakeLayerMatcher(const std::string& entry, std::string& fault) {
  absl::string_view pattern = entry;
  if (!absl::ConsumePrefix(&pattern, "re:")) {
    return [entry](const std::string& name) { return name == entry || LastPart(name) == entry; };
  }
  auto expression = std::make_shared<RE2>(std::string(pattern), RE2::Quiet);
  if (!expression->ok()) {
    fault = expression->error();
    return nullptr;
  }
  return [expression](const std::string& name) {
    return RE2::FullMatch(name, *expression) || RE2::FullMatch(LastPart(name), *expression);
  };
}

std::vector<LinearLayer> LinearLayersOf(const Model& model) {
  std::vector<LinearLayer> layers;
  for (const auto& [name, tensor] : model.parameters) {
    absl::string_view layer = name;
    if (BlockIndex(name) < 0 || tensor->shape().size() != 2 || !absl::ConsumeSuffix(&layer, ".weight")) continue;
    layers.push_back({std::string(layer), tensor->rows(), tensor->columns()});
  }
  std::stable_sort(layers.begin(), layers.end(),
                   [](const LinearLayer& a, const LinearLayer& b) { return BlockIndex(a.name) < BlockIndex(b.name); });
  return layers;
}

std::vector<LinearLayer> WithoutSkipped(const std::vector<LinearLayer>& layers,
                                        const google::protobuf::RepeatedPtrField<std::string>& skip,
                                        const std::string& field, std::vector<FieldViolation>& violations) {
  std::vector<LinearLayer> kept = layers;
  for (int i = 0; i < skip.size(); ++i) {
    std::string fault;
    const auto matches = MakeLayerMatcher(skip[i], fault);
    const std::string path = absl::StrCat(field, "[", i, "]");
    if (matches == nullptr) {
      violations.push_back({path, absl::StrCat("\"", skip[i], "\" is not a regular expression: ", fault)});
      continue;
    }
    const bool known =
        matches(std::string(kHeadLayer)) ||
        std::any_of(layers.begin(), layers.end(), [&](const auto& layer) { return matches(layer.name); });
    if (!known) {
      violations.push_back({path, absl::StrCat("\"", skip[i], "\" names no layer; layers have names such as ",
                                               layers.empty() ? "lm_head" : layers.front().name)});
    }
    std::erase_if(kept, [&](const LinearLayer& layer) { return matches(layer.name); });
  }
  return kept;
}

}  // namespace tersor
