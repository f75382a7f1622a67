#include "core/evaluate/protocol.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/model/special_tokens.h"

namespace tersor {
namespace {

constexpr std::array<std::pair<absl::string_view, PerplexityConvention>, 3> kConventions = {{
    {"windows", PerplexityConvention::kWindows},
    {"llama.cpp", PerplexityConvention::kLlamaCpp},
    {"words", PerplexityConvention::kWords},
}};

const PerplexityConvention* FindConvention(absl::string_view name) {
  if (name.empty()) return &kConventions[0].second;
  for (const auto& [known, convention] : kConventions) {
    if (known == name) return &convention;
  }
  return nullptr;
}

int64_t Window(const v1::PerplexityEvaluation& evaluation, PerplexityConvention convention) {
  if (evaluation.has_window()) return evaluation.window();
  return convention == PerplexityConvention::kLlamaCpp ? 512 : 2048;
}

// Collects faults under one field of the recipe.
class Faults {
 public:
  explicit Faults(absl::string_view field) : field_(field) {}
  void Add(absl::string_view key, std::string description) {
    violations_.push_back({absl::StrCat(field_, ".", key), std::move(description)});
  }
  std::vector<FieldViolation> Take() { return std::move(violations_); }

 private:
  std::string field_;
  std::vector<FieldViolation> violations_;
};

void CheckWindow(const v1::PerplexityEvaluation& evaluation, PerplexityConvention convention, int64_t context_length,
                 Faults& faults) {
  const int64_t window = Window(evaluation, convention);
  // Half of a llama.cpp chunk less one token is scored: below 4 that is nothing.
  const int64_t least = convention == PerplexityConvention::kLlamaCpp ? 4 : 2;
  if (window < least) {
    faults.Add("window", absl::StrCat("is ", window, "; ", ConventionName(convention), " needs at least ", least));
  } else if (context_length > 0 && window > context_length) {
    faults.Add("window",
               absl::StrCat("is ", window, ", longer than the model's context of ", context_length, " tokens"));
  }
}

void CheckStride(const v1::PerplexityEvaluation& evaluation, PerplexityConvention convention, Faults& faults) {
  if (!evaluation.has_stride()) return;
  const int64_t window = Window(evaluation, convention);
  if (evaluation.stride() < 1 || evaluation.stride() > window) {
    faults.Add("stride", absl::StrCat("is ", evaluation.stride(), "; it lies between 1 and the window, ", window));
  } else if (convention != PerplexityConvention::kWindows && evaluation.stride() != window) {
    faults.Add("stride", absl::StrCat("convention ", ConventionName(convention),
                                      " has windows that do not overlap; leave stride out or take `windows`"));
  }
}

void CheckBos(const v1::PerplexityEvaluation& evaluation, PerplexityConvention convention, const ProtocolModel& model,
              Faults& faults) {
  if (convention == PerplexityConvention::kWords) {
    if (evaluation.has_bos()) faults.Add("bos", "convention words starts the text with BOS always; leave bos out");
    if (model.bos_id < 0 && model.eos_id < 0) {
      faults.Add("convention", "words puts BOS (or EOS) before the text, and the model has neither; take `windows`");
    }
  } else if (evaluation.bos() && model.bos_id < 0) {
    faults.Add("bos", "the model has no BOS token");
  }
}

int64_t BosId(const v1::PerplexityEvaluation& evaluation, PerplexityConvention convention, const ProtocolModel& model) {
  if (convention == PerplexityConvention::kWords) return model.bos_id >= 0 ? model.bos_id : model.eos_id;
  const bool by_default = convention == PerplexityConvention::kLlamaCpp && model.add_bos;
  return (evaluation.has_bos() ? evaluation.bos() : by_default) ? model.bos_id : -1;
}

}  // namespace

absl::string_view ConventionName(PerplexityConvention convention) {
  for (const auto& [name, known] : kConventions) {
    if (known == convention) return name;
  }
  return "unknown";
}

std::vector<FieldViolation> CheckProtocol(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model,
                                          absl::string_view field) {
  Faults faults(field);
  if (evaluation.dataset().empty()) faults.Add("dataset", "is missing: a data set's name or a text file's path");
  const PerplexityConvention* convention = FindConvention(evaluation.convention());
  if (convention == nullptr) {
    faults.Add("convention", absl::StrCat("\"", evaluation.convention(), "\" is not known; there are ",
                                          absl::StrJoin(kConventions, ", ", [](std::string* out, const auto& entry) {
                                            absl::StrAppend(out, entry.first);
                                          })));
    return faults.Take();
  }
  CheckWindow(evaluation, *convention, model.context_length, faults);
  CheckStride(evaluation, *convention, faults);
  CheckBos(evaluation, *convention, model, faults);
  if (evaluation.max_windows() < 0) {
    faults.Add("max_windows", absl::StrCat("is ", evaluation.max_windows(), "; 0 is all, else a positive number"));
  } else if (evaluation.max_windows() > 0 && *convention == PerplexityConvention::kWords) {
    faults.Add("max_windows", "convention words counts the words of the whole text; leave max_windows out");
  }
  return faults.Take();
}

absl::StatusOr<ProtocolModel> DescribeForProtocol(const Model& model, const Tokenizer* tokenizer) {
  TERSOR_ASSIGN_OR_RETURN(const SpecialTokens special, SpecialTokensOf(model.spec, model.assets, tokenizer));
  return ProtocolModel{.bos_id = special.bos.id,
                       .eos_id = special.eos.id,
                       .add_bos = special.adds_bos(),
                       .context_length = model.spec.context_length};
}

absl::StatusOr<Protocol> ResolveProtocol(const v1::PerplexityEvaluation& evaluation, const ProtocolModel& model,
                                         absl::string_view tokenizer_sha256, absl::string_view text) {
  const std::vector<FieldViolation> violations = CheckProtocol(evaluation, model, "perplexity");
  if (!violations.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(violations[0].field, ": ", violations[0].description));
  }
  Protocol protocol;
  protocol.convention = *FindConvention(evaluation.convention());
  protocol.dataset = evaluation.dataset();
  protocol.window = Window(evaluation, protocol.convention);
  protocol.stride = evaluation.has_stride() ? evaluation.stride() : protocol.window;
  protocol.max_windows = evaluation.max_windows();
  protocol.bos_id = BosId(evaluation, protocol.convention, model);
  protocol.tokenizer_sha256 = std::string(tokenizer_sha256);
  protocol.text_sha256 = Sha256Hex(text);
  return protocol;
}

std::string Protocol::Words() const {
  std::string words;
  switch (convention) {
    case PerplexityConvention::kWindows:
      words = absl::StrCat("windows of ", window, " tokens");
      if (stride != window) absl::StrAppend(&words, ", stride ", stride);
      break;
    case PerplexityConvention::kLlamaCpp:
      words = absl::StrCat("llama.cpp: second half of chunks of ", window, " tokens");
      break;
    case PerplexityConvention::kWords:
      words = absl::StrCat("words: rolling windows of ", window, " tokens, per word");
      break;
  }
  if (max_windows > 0) absl::StrAppend(&words, ", the first ", max_windows);
  return absl::StrCat(words, bos_id < 0 ? ", no BOS" : absl::StrCat(", BOS ", bos_id));
}

std::string Protocol::Hash() const {
  Sha256 hash;
  hash.UpdateField("tersor perplexity protocol 1");
  hash.UpdateField(ConventionName(convention));
  for (int64_t number : {window, stride, max_windows, bos_id}) hash.UpdateField(absl::StrCat(number));
  hash.UpdateField(tokenizer_sha256);
  hash.UpdateField(text_sha256);
  return hash.HexDigest();
}

}  // namespace tersor
