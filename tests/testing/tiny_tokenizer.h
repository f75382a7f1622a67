// The tokenizer of the tiny model.
#ifndef TERSOR_TESTS_TESTING_TINY_TOKENIZER_H_
#define TERSOR_TESTS_TESTING_TINY_TOKENIZER_H_

#include <string>

namespace tersor::testing {

// The text of a tokenizer.json: byte-level BPE with kTinyVocabulary entries.
std::string TinyTokenizerJson();

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_TINY_TOKENIZER_H_
