#include "tests/testing/llama_cpp.h"

#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/atomic_file.h"
#include "nlohmann/json.hpp"

namespace tersor::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// As run.sh finds it.
fs::path LlamaCppHome() {
  if (const char* home = std::getenv("TERSOR_NODE_LLAMA"); home != nullptr) return home;
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "" : home) / ".cache/tersor/node_llama";
}

std::string Quoted(const fs::path& path) {
  return absl::StrCat("'", absl::StrReplaceAll(path.string(), {{"'", "'\\''"}}), "'");
}

// What load_gguf.mjs answers.
absl::StatusOr<json> Ask(const fs::path& gguf, const json& request, const fs::path& work) {
  const fs::path request_path = work / "llama_cpp_request.json";
  const fs::path answer_path = work / "llama_cpp_answer.json";
  const fs::path log_path = work / "llama_cpp.log";
  TERSOR_RETURN_IF_ERROR(WriteFileAtomically(request_path, request.dump()));
  const std::string command =
      absl::StrCat(Quoted(fs::path(TERSOR_NODE_LLAMA_SCRIPTS) / "run.sh"), " ", Quoted(gguf), " ", Quoted(request_path),
                   " ", Quoted(answer_path), " >", Quoted(log_path), " 2>&1");
  if (const int result = std::system(command.c_str()); result != 0) {
    return absl::InternalError(
        absl::StrCat("llama.cpp failed (", result, "): ", command, "\n", ReadFile(log_path).value_or("")));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(answer_path));
  json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return absl::InternalError(absl::StrCat(answer_path.string(), " is not JSON"));
  return answer;
}

}  // namespace

bool HasLlamaCpp() {
  std::error_code error;
  return fs::is_directory(LlamaCppHome() / "node_modules/node-llama-cpp", error);
}

absl::StatusOr<std::vector<LlamaCppCompletion>> ContinueWithLlamaCpp(const fs::path& gguf,
                                                                     const std::vector<std::string>& prompts,
                                                                     int max_tokens, const fs::path& work,
                                                                     int context) {
  json request = {{"max_tokens", max_tokens}, {"context", context}, {"prompts", json::array()}};
  for (const std::string& prompt : prompts) request["prompts"].push_back({{"text", prompt}});
  TERSOR_ASSIGN_OR_RETURN(const json answer, Ask(gguf, request, work));
  std::vector<LlamaCppCompletion> completions;
  for (const json& item : answer["completions"]) {
    completions.push_back({.prompt_ids = item["prompt_ids"].get<std::vector<int32_t>>(),
                           .ids = item["ids"].get<std::vector<int32_t>>(),
                           .text = item["text"].get<std::string>()});
  }
  return completions;
}

absl::StatusOr<std::vector<std::vector<double>>> ScoreWithLlamaCpp(const fs::path& gguf,
                                                                   const std::vector<LlamaCppSequence>& sequences,
                                                                   const fs::path& work, int context) {
  json request = {{"max_tokens", 1}, {"context", context}, {"prompts", json::array()}, {"score", json::array()}};
  for (const LlamaCppSequence& one : sequences) request["score"].push_back({{"ids", one.ids}, {"from", one.from}});
  TERSOR_ASSIGN_OR_RETURN(const json answer, Ask(gguf, request, work));
  return answer["scores"].get<std::vector<std::vector<double>>>();
}

}  // namespace tersor::testing
