// Text in and token ids out, for commands that read standard input.
#ifndef TERSOR_CLIENT_CLI_LOCAL_TEXT_H_
#define TERSOR_CLIENT_CLI_LOCAL_TEXT_H_

#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/console.h"
#include "core/base/status.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"

namespace tersor::client {

// All of it, byte for byte; RESOURCE_EXHAUSTED past 256 MiB.
absl::StatusOr<std::string> ReadAll(std::istream& input);

// INVALID_ARGUMENT where the model has no tokenizer.
absl::StatusOr<std::unique_ptr<const Tokenizer>> TokenizerOf(const Model& model);

// What was ignored or guessed when the model was read, a line each on standard error.
void NoteSourceWarnings(const Model& model, Console& console);

// Numbers separated by blanks or commas, brackets allowed: "[1, 2, 3]". INVALID_ARGUMENT for anything else and for ids
// outside 0 .. vocabulary - 1.
absl::StatusOr<std::vector<int32_t>> ParseIds(absl::string_view text, int64_t vocabulary);

// "1 2 3".
std::string IdsText(std::span<const int32_t> ids);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_LOCAL_TEXT_H_
