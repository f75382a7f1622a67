#include "core/chat/chat_template.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "core/chat/tersor_chat_templates.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::ordered_json;

const uint8_t* Bytes(absl::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

std::string TakeText(TersorBytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.length);
  tersor_bytes_free(bytes);
  return text;
}

absl::Status Fault(TersorBytes error) {
  return absl::InvalidArgumentError(absl::StrCat("chat template, ", TakeText(error)));
}

absl::StatusOr<Json> ListOf(absl::string_view text, const char* what) {
  if (text.empty()) return Json(nullptr);
  Json list = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return absl::InvalidArgumentError(absl::StrCat("chat template: ", what, " are no JSON list"));
  return list;
}

absl::StatusOr<Json> MessageList(const std::vector<ChatMessage>& messages) {
  Json list = Json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    for (const std::string* text : {&messages[i].role, &messages[i].content}) {
      TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(*text), absl::StrCat("message ", i)));
    }
    list.push_back({{"role", messages[i].role}, {"content", messages[i].content}});
  }
  return list;
}

absl::Status PutToken(const char* name, const std::string& token, Json& variables) {
  TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(token), name));
  if (!token.empty()) variables[name] = token;
  return absl::OkStatus();
}

absl::StatusOr<std::string> VariablesJson(const std::vector<ChatMessage>& messages, const ChatVariables& variables) {
  Json all = Json::object();
  TERSOR_ASSIGN_OR_RETURN(all["messages"], MessageList(messages));
  TERSOR_ASSIGN_OR_RETURN(all["tools"], ListOf(variables.tools_json, "tools"));
  TERSOR_ASSIGN_OR_RETURN(all["documents"], ListOf(variables.documents_json, "documents"));
  all["add_generation_prompt"] = variables.add_generation_prompt;
  TERSOR_RETURN_IF_ERROR(PutToken("bos_token", variables.bos_token, all));
  TERSOR_RETURN_IF_ERROR(PutToken("eos_token", variables.eos_token, all));
  TERSOR_RETURN_IF_ERROR(PutToken("pad_token", variables.pad_token, all));
  TERSOR_RETURN_IF_ERROR(PutToken("unk_token", variables.unk_token, all));
  return all.dump();
}

}  // namespace

absl::StatusOr<ChatTemplate> ChatTemplate::Parse(absl::string_view text) {
  TersorBytes error{};
  TersorChatTemplate* const handle = tersor_chat_template_new(Bytes(text), text.size(), &error);
  if (handle == nullptr) return Fault(error);
  ChatTemplate parsed;
  parsed.handle_ = std::shared_ptr<TersorChatTemplate>(handle, tersor_chat_template_free);
  parsed.asks_for_date_ = absl::StrContains(text, "strftime_now");
  return parsed;
}

absl::StatusOr<std::string> ChatTemplate::Render(const std::vector<ChatMessage>& messages,
                                                 const ChatVariables& variables) const {
  TERSOR_ASSIGN_OR_RETURN(const std::string json, VariablesJson(messages, variables));
  const int64_t now = (variables.date - absl::CivilDay()) * int64_t{24 * 60 * 60};
  TersorBytes text{};
  TersorBytes error{};
  if (!tersor_chat_template_render(handle_.get(), Bytes(json), json.size(), now, &text, &error)) return Fault(error);
  return TakeText(text);
}

}  // namespace tersor
