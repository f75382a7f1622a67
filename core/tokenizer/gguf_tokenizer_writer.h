// The tokenizer metadata of a GGUF file, from a tokenizer.json: the other way of gguf_tokenizer.h.
#ifndef TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_WRITER_H_
#define TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_WRITER_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/tokenizer/gguf_tokenizer.h"

namespace tersor {

// Fills model, pre, tokens, token types, merges or scores, unknown_id and add_space_prefix; BOS, EOS and padding are
// the caller's. `vocabulary`: rows of the embedding; ids without a token become unused ones. `pre_hint`: the name to
// prefer among pre-tokenizers that split alike (smollm and starcoder do); empty where unknown. INVALID_ARGUMENT where
// the text is no tokenizer.json, UNIMPLEMENTED where GGUF has no name for what it does.
absl::StatusOr<GgufTokenizerMetadata> GgufTokenizerFromJson(absl::string_view tokenizer_json, int64_t vocabulary,
                                                            absl::string_view pre_hint);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_GGUF_TOKENIZER_WRITER_H_
