#include "core/chat/chat_template.h"

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

const ChatVariables kVariables = {.bos_token = "<s>", .eos_token = "</s>"};

std::string Render(absl::string_view text) {
  const auto parsed = ChatTemplate::Parse(text);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const auto rendered = parsed->Render({{"user", "hi"}}, kVariables);
  return rendered.ok() ? *rendered : std::string(rendered.status().message());
}

// tests/tools/record_chat_templates.py.
TEST(ChatTemplateTest, RendersAsJinja) {
  const auto text = ReadFile(testing::FixturesPath() / "chat_templates.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const nlohmann::json cases = nlohmann::json::parse(*text)["cases"];
  ASSERT_GE(cases.size(), 50);
  for (const nlohmann::json& one : cases) {
    std::vector<ChatMessage> messages;
    for (const nlohmann::json& message : one["messages"]) messages.push_back({message[0], message[1]});
    const auto parsed = ChatTemplate::Parse(one["template"].get<std::string>());
    ASSERT_TRUE(parsed.ok()) << one["name"] << parsed.status();
    ChatVariables variables = kVariables;
    variables.add_generation_prompt = one["generation"];
    const auto rendered = parsed->Render(messages, variables);
    if (one.contains("fault")) {
      EXPECT_THAT(std::string(rendered.status().message()), HasSubstr(one["fault"].get<std::string>())) << one["name"];
    } else {
      ASSERT_TRUE(rendered.ok()) << one["name"] << rendered.status();
      EXPECT_EQ(*rendered, one["text"].get<std::string>()) << one["name"];
    }
  }
}

TEST(ChatTemplateTest, FaultsNameTheLine) {
  for (const char* text :
       {"a\n{% if x %}", "a\n{{ 1 + }}", "a\n{% macro m() %}{% endmacro %}", "a\n{{ 'x }}", "a\n{# x", "a\n{% endif %}",
        "a\n{{ x ? }}", "a\n{% for in x %}{% endfor %}", "a\n{{ (1 }}", "a\n{{ strftime_now('%d') }}",
        "a\n{{ 'x' | nosuch }}", "a\n{{ 1 is odd }}", "a\n{{ 1 / 0 }}", "a\n{{ 'a' < 1 }}",
        "a\n{% for x in 3 %}{% endfor %}", "a\n{{ 'x'.nosuch() }}"}) {
    EXPECT_THAT(Render(text), HasSubstr("chat template, line 2: ")) << text;
  }
}

TEST(ChatTemplateTest, HostileTemplatesComeToAnEnd) {
  EXPECT_THAT(Render("{% for a in range(99999999) %}{% endfor %}"), HasSubstr("does not come to an end"));
  EXPECT_THAT(Render("{% for a in range(5000) %}{% for b in range(5000) %}x{% endfor %}{% endfor %}"),
              HasSubstr("does not come to an end"));
  EXPECT_THAT(Render(absl::StrCat("{{ ", std::string(5000, '('), "1", std::string(5000, ')'), " }}")),
              HasSubstr("nested too deep"));
  EXPECT_THAT(Render(absl::StrCat("{{ ", std::string(5000, '-'), "1 }}")), HasSubstr("nested too deep"));
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "{% if 1 %}";
  EXPECT_THAT(Render(blocks), HasSubstr("nested too deep"));
  std::string chain = "{% if 0 %}";
  for (int i = 0; i < 5000; ++i) chain += "{% elif 0 %}";
  EXPECT_THAT(Render(chain), HasSubstr("nested too deep"));
}

TEST(ChatTemplateTest, OddTextIsText) {
  EXPECT_EQ(Render(""), "");
  EXPECT_EQ(Render("{ } {"), "{ } {");
  EXPECT_EQ(Render("{{ messages[0].content }}"), "hi");
  EXPECT_EQ(Render("{{ messages[7].content }}"), "");
}

}  // namespace
}  // namespace tersor
