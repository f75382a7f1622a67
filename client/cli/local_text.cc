#include "client/cli/local_text.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/report/escape.h"

namespace tersor::client {

absl::StatusOr<std::string> ReadAll(std::istream& input) {
  constexpr size_t kLimit = size_t{256} << 20;
  std::string text;
  std::string buffer(1 << 16, '\0');
  while (input.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || input.gcount() > 0) {
    text.append(buffer, 0, static_cast<size_t>(input.gcount()));
    if (text.size() > kLimit) return absl::ResourceExhaustedError("more than 256 MiB on standard input");
  }
  return text;
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> TokenizerOf(const Model& model) {
  if (model.assets.tokenizer_json.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(WhyNoTokenizer(model), "; only token ids can be used with it"));
  }
  return Tokenizer::FromJson(model.assets.tokenizer_json);
}

void NoteSourceWarnings(const Model& model, Console& console) {
  for (const SourceWarning& warning : model.source.warnings) {
    console.Note(absl::StrCat("warning: ", EscapeTerminal(warning.text)));
  }
}

absl::StatusOr<std::vector<int32_t>> ParseIds(absl::string_view text, int64_t vocabulary) {
  std::vector<int32_t> ids;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" ,\t\r\n[]"), absl::SkipEmpty())) {
    int32_t id = 0;
    if (!absl::SimpleAtoi(word, &id)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", word.substr(0, 40), "\" is no token id; ids are numbers separated by blanks or commas"));
    }
    if (id < 0 || id >= vocabulary) {
      return absl::InvalidArgumentError(
          absl::StrCat("token id ", id, " is outside the vocabulary, 0 to ", vocabulary - 1));
    }
    ids.push_back(id);
  }
  return ids;
}

std::string IdsText(std::span<const int32_t> ids) { return absl::StrJoin(ids, " "); }

}  // namespace tersor::client
