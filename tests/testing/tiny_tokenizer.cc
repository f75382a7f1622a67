#include "tests/testing/tiny_tokenizer.h"

#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace tersor::testing {
namespace {

// GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 and on.
std::vector<std::string> ByteAlphabet() {
  std::vector<std::string> alphabet;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    const int point = printable ? byte : next++;
    std::string text;
    if (point < 0x80) {
      text = static_cast<char>(point);
    } else {
      text = {static_cast<char>(0xc0 | (point >> 6)), static_cast<char>(0x80 | (point & 0x3f))};
    }
    alphabet.push_back(text);
  }
  return alphabet;
}

// U+0120 is the blank in GPT-2's alphabet.
const std::vector<std::pair<std::string, std::string>> kMerges = {
    {"t", "h"}, {"th", "e"}, {"i", "n"}, {"e", "r"}, {"\xc4\xa0", "the"}, {"\xc4\xa0", "a"},
    {"a", "n"}, {"an", "d"}, {"o", "n"}, {"r", "e"}, {"\xc4\xa0", "and"}, {"in", "g"},
};

}  // namespace

std::string TinyTokenizerJson() {
  nlohmann::json added = nlohmann::json::array();
  nlohmann::json vocabulary;
  int id = 0;
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"}) {
    vocabulary[special] = id;
    added.push_back({{"id", id++},
                     {"content", special},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  for (const std::string& letter : ByteAlphabet()) vocabulary[letter] = id++;
  nlohmann::json merges = nlohmann::json::array();
  for (const auto& [left, right] : kMerges) {
    vocabulary[left + right] = id++;
    merges.push_back(left + " " + right);
  }
  const nlohmann::json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const nlohmann::json tokenizer = {{"version", "1.0"},
                                    {"truncation", nullptr},
                                    {"padding", nullptr},
                                    {"added_tokens", added},
                                    {"normalizer", nullptr},
                                    {"pre_tokenizer", byte_level},
                                    {"post_processor", nullptr},
                                    {"decoder", byte_level},
                                    {"model",
                                     {{"type", "BPE"},
                                      {"dropout", nullptr},
                                      {"unk_token", nullptr},
                                      {"continuing_subword_prefix", nullptr},
                                      {"end_of_word_suffix", nullptr},
                                      {"fuse_unk", false},
                                      {"byte_fallback", false},
                                      {"ignore_merges", false},
                                      {"vocab", vocabulary},
                                      {"merges", merges}}}};
  return tokenizer.dump(1);
}

}  // namespace tersor::testing
