// The C interface of core/tokenizer/rust/src/chat/mod.rs.
#ifndef TERSOR_CORE_CHAT_TERSOR_CHAT_TEMPLATES_H_
#define TERSOR_CORE_CHAT_TERSOR_CHAT_TEMPLATES_H_

#include <cstddef>
#include <cstdint>

#include "core/tokenizer/tersor_tokenizers.h"

extern "C" {

struct TersorChatTemplate;

// Null with `error` filled on a failure.
TersorChatTemplate* tersor_chat_template_new(const uint8_t* text, size_t length, TersorBytes* error);
void tersor_chat_template_free(TersorChatTemplate* chat_template);

// `variables`: a JSON object. `now`: seconds of a civil time, as if it were UTC's. False with `error` filled on a
// failure, and then nothing else is written. Of any number of threads at once.
bool tersor_chat_template_render(const TersorChatTemplate* chat_template, const uint8_t* variables, size_t length,
                                 int64_t now, TersorBytes* text, TersorBytes* error);

}  // extern "C"

#endif  // TERSOR_CORE_CHAT_TERSOR_CHAT_TEMPLATES_H_
