// The C interface of rust/src/tokenizer.rs. Buffers that it fills are the caller's until given back by the free
// functions.
#ifndef TERSOR_CORE_TOKENIZER_TERSOR_TOKENIZERS_H_
#define TERSOR_CORE_TOKENIZER_TERSOR_TOKENIZERS_H_

#include <cstddef>
#include <cstdint>

extern "C" {

struct TersorBytes {
  uint8_t* data;
  size_t length;
};

struct TersorIds {
  uint32_t* data;
  size_t length;
};

struct TersorTokenizer;

// Null with `error` filled on a failure.
TersorTokenizer* tersor_tokenizer_new(const uint8_t* json, size_t length, TersorBytes* error);
void tersor_tokenizer_free(TersorTokenizer* tokenizer);

// Both: false with `error` filled on a failure, and then nothing else is written.
// `add_special`: with the tokens that the file's post-processor adds to a text.
bool tersor_tokenizer_encode(const TersorTokenizer* tokenizer, const uint8_t* text, size_t length, bool add_special,
                             TersorIds* ids, TersorBytes* error);
bool tersor_tokenizer_decode(const TersorTokenizer* tokenizer, const uint32_t* ids, size_t length, bool skip_special,
                             TersorBytes* text, TersorBytes* error);

size_t tersor_tokenizer_vocabulary(const TersorTokenizer* tokenizer);
// -1 where there is no such token.
int64_t tersor_tokenizer_token_to_id(const TersorTokenizer* tokenizer, const uint8_t* token, size_t length);

// Unicode's full lower-casing.
TersorBytes tersor_lowercase(const uint8_t* text, size_t length);

void tersor_bytes_free(TersorBytes bytes);
void tersor_ids_free(TersorIds ids);

}  // extern "C"

#endif  // TERSOR_CORE_TOKENIZER_TERSOR_TOKENIZERS_H_
