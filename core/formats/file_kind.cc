#include "core/formats/file_kind.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"

namespace tersor {
namespace {

constexpr size_t kLooked = 4096;

struct Kind {
  absl::string_view beginning;
  absl::string_view sentence;
};

constexpr std::array kKinds = {
    Kind{"version https://git-lfs.github.com/spec/v1",
         "it is a Git LFS pointer, a few lines that stand for the file; fetch the file itself (git lfs pull, or "
         "download "
         "it again)"},
    Kind{"/annex/objects/", "it is a git-annex pointer; fetch the file itself (git annex get)"},
    Kind{"<!doctype html",
         "it is a web page, saved in the file's place; download the file again, logged in where needed"},
    Kind{"<html", "it is a web page, saved in the file's place; download the file again, logged in where needed"},
    Kind{"<?xml", "it is XML, an answer of a server perhaps; download the file again"},
    Kind{absl::string_view("PK\3\4", 4),
         "it is a ZIP archive, as PyTorch writes its own checkpoints; save the model as safetensors"},
    Kind{absl::string_view("\x80\x02", 2),
         "it is a Python pickle (an old PyTorch checkpoint); save the model as safetensors"},
    Kind{"GGUF", "it is a GGUF file; give its own path, not a folder's"},
    Kind{"\x89HDF", "it is an HDF5 file; save the model as safetensors"},
    Kind{absl::string_view("\x1f\x8b", 2), "it is compressed with gzip; decompress it"},
    Kind{absl::string_view("\x28\xb5\x2f\xfd", 4), "it is compressed with zstd; decompress it"},
    Kind{absl::string_view("\xff\xfe", 2), "it is UTF-16 text; save it as UTF-8"},
    Kind{absl::string_view("\xfe\xff", 2), "it is UTF-16 text; save it as UTF-8"},
};

// A line that a person can read: what a server answered in the file's place ("Entry not found").
std::string ShortText(absl::string_view bytes) {
  constexpr size_t kLongest = 120;
  const absl::string_view text = absl::StripAsciiWhitespace(bytes);
  if (text.empty() || bytes.size() >= kLooked || ValidUtf8Prefix(text) != text.size()) return "";
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && !absl::ascii_isspace(static_cast<unsigned char>(c));
  });
  if (!printable) return "";
  const absl::string_view line = *absl::StrSplit(text, '\n').begin();
  return std::string(line.substr(0, ValidUtf8Prefix(line.substr(0, kLongest))));
}

}  // namespace

std::string WhatItIs(absl::string_view bytes) {
  if (bytes.empty()) return "it is empty; the download or the copy did not begin";
  const absl::string_view head = bytes.substr(0, kLooked);
  for (const Kind& kind : kKinds) {
    if (absl::StartsWithIgnoreCase(head, kind.beginning)) return std::string(kind.sentence);
  }
  const bool zeros = std::all_of(head.begin(), head.end(), [](char c) { return c == 0; });
  if (zeros) return "it begins with nothing but zero bytes; the download or the copy did not end";
  if (head.front() == '{' || head.front() == '[') return "";
  const std::string text = ShortText(bytes);
  return text.empty() ? "" : absl::StrCat("it holds the text \"", text, "\"");
}

std::string WhatItIsHint(absl::string_view bytes) {
  const std::string sentence = WhatItIs(bytes);
  return sentence.empty() ? "" : absl::StrCat(": ", sentence);
}

}  // namespace tersor
