#include "core/chat/chat_template.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ChatVariables kVariables = {.bos_token = "<s>",
                                  .eos_token = "</s>",
                                  .pad_token = "<pad>",
                                  .unk_token = "<unk>",
                                  .add_generation_prompt = true,
                                  .tools_json = "",
                                  .documents_json = "",
                                  .date = absl::CivilDay(2025, 3, 4)};

std::string Render(absl::string_view text) {
  const auto parsed = ChatTemplate::Parse(text);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const auto rendered = parsed->Render({{"user", "hi"}}, kVariables);
  return rendered.ok() ? *rendered : std::string(rendered.status().message());
}

// tests/tools/record_chat_templates.py. An empty fault: that there is one, in whatever words.
void ExpectAsRecorded(const nlohmann::ordered_json& all, const nlohmann::ordered_json& one) {
  SCOPED_TRACE(one["template"].dump());
  std::vector<ChatMessage> messages;
  for (const auto& message : all["conversations"][one["conversation"].get<size_t>()])
    messages.push_back({message[0], message[1]});
  ChatVariables variables = kVariables;
  variables.add_generation_prompt = one["generation"];
  if (one["tools"]) variables.tools_json = all["tools"].dump();
  if (one["documents"]) variables.documents_json = all["documents"].dump();
  const auto parsed = ChatTemplate::Parse(one["template"].get<std::string>());
  const absl::StatusOr<std::string> rendered =
      parsed.ok() ? parsed->Render(messages, variables) : absl::StatusOr<std::string>(parsed.status());
  if (one.contains("fault")) {
    EXPECT_EQ(rendered.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(rendered.status().message()), HasSubstr(one["fault"].get<std::string>()));
  } else {
    ASSERT_TRUE(rendered.ok()) << rendered.status();
    EXPECT_EQ(*rendered, one["text"].get<std::string>());
  }
}

TEST(ChatTemplateTest, RendersAsJinja) {
  const auto text = ReadFile(testing::FixturesPath() / "chat_templates.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const auto all = nlohmann::ordered_json::parse(*text);
  ASSERT_GE(all["cases"].size(), 400);
  for (const auto& one : all["cases"]) ExpectAsRecorded(all, one);
}

TEST(ChatTemplateTest, WhatIsNotHonouredIsRefusedByName) {
  const std::pair<const char*, const char*> kCases[] = {
      {"{% block a %}x{% endblock %}", "block"},
      {"{% include 'x' %}", "include"},
      {"{% import 'x' as y %}", "import"},
      {"{% nosuch %}", "nosuch"},
      {"{{ 'a b' | wordcount }}", "wordcount"},
      {"{{ 'x' is nosuch }}", "nosuch"},
      {"{{ cycler('a', 'b') }}", "cycler"},
      {"{{ '%s' % 'a' }}", "% operator"},
      {"{{ +1 }}", "`+`"},
      {"{{ messages.append(1) }}", "append"},
      {"{{ 'x'.casefold() }}", "casefold"},
      {"{{ messages[0].pop('role') }}", "pop"},
  };
  for (const auto& [text, name] : kCases) EXPECT_THAT(Render(text), HasSubstr(name)) << text;
}

TEST(ChatTemplateTest, TellsTheDateThatItIsGiven) {
  EXPECT_EQ(Render("{{ strftime_now('%d %b %Y %H:%M') }}"), "04 Mar 2025 00:00");
  EXPECT_TRUE(ChatTemplate::Parse("{{ strftime_now('%Y') }}")->asks_for_date());
  EXPECT_FALSE(ChatTemplate::Parse("{{ 'x' }}")->asks_for_date());
}

TEST(ChatTemplateTest, TokensThatAreNotThereAreUndefined) {
  const auto parsed = ChatTemplate::Parse("{{ pad_token is defined }}|{{ pad_token }}|{{ bos_token }}");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed->Render({{"user", "hi"}}, {.bos_token = "<s>"}), "False||<s>");
}

TEST(ChatTemplateTest, FaultsNameTheLine) {
  for (const char* text : {"a\n{% if x %}", "a\n{{ 1 + }}", "a\n{{ 'x }}", "a\n{# x", "a\n{% endif %}", "a\n{{ x ? }}",
                           "a\n{% for x %}{% endfor %}", "a\n{{ (1 }}", "a\n{{ strftime_now(1) }}",
                           "a\n{{ 'x' | nosuch }}", "a\n{{ 1 is nosuch }}", "a\n{{ 1 / 0 }}", "a\n{{ messages < 1 }}",
                           "a\n{% for x in 3 %}{% endfor %}", "a\n{{ 'x'.nosuch() }}"}) {
    EXPECT_THAT(Render(text), HasSubstr("chat template, line 2: ")) << text;
  }
}

constexpr char kBudget[] = "does not come to an end within its budget";

TEST(ChatTemplateTest, HostileTemplatesComeToAnEnd) {
  EXPECT_THAT(Render("{% for a in range(99999999) %}{% endfor %}"), HasSubstr("too many elements"));
  EXPECT_THAT(Render("{% for a in range(5000) %}{% for b in range(5000) %}x{% endfor %}{% endfor %}"),
              HasSubstr(kBudget));
  EXPECT_THAT(Render("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), HasSubstr("recursion"));
  EXPECT_THAT(Render(absl::StrCat("{{ ", std::string(5000, '('), "1", std::string(5000, ')'), " }}")),
              HasSubstr("recursion"));
  EXPECT_THAT(Render(absl::StrCat("{{ 1", std::string(20000, ' '), " }}")), HasSubstr("a tag of"));
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "{% if 1 %}";
  EXPECT_THAT(Render(blocks), HasSubstr("recursion"));
}

TEST(ChatTemplateTest, ComparisonsPayForTheirBytes) {
  const std::string texts = "{% set s = 'x' * 1048575 ~ 'x' %}{% set t = 'x' * 1048575 ~ 'y' %}";
  EXPECT_THAT(Render(absl::StrCat(texts, "{% set l = [s] * 131071 %}{{ l.count(t) }}")), HasSubstr("too many values"));
  for (const char* use :
       {"l.count(t)", "l == m", "l != m", "l < m", "l >= m", "t in l", "t not in l", "l in 'x'", "l is eq m",
        "l is lt m", "l is ge m", "t is in l", "s is lower", "l == m == m", "l <= m < m", "t in l in l"}) {
    const std::string few = absl::StrCat(texts, "{% set l = [s] * 4 %}{% set m = [s] * 3 + [t] %}");
    EXPECT_THAT(Render(absl::StrCat(few, "{{ ", use, " }}")), Not(HasSubstr("chat template"))) << use;
    EXPECT_THAT(Render(absl::StrCat(few, "{% for i in range(2000) %}{{ ", use, " }}{% endfor %}")), HasSubstr(kBudget))
        << use;
  }
}

TEST(ChatTemplateTest, ChainsAndTestsOfOrderCompare) {
  EXPECT_EQ(Render("{{ 1 < 2 <= 2 }}{{ 1 < 3 < 2 }}{{ 1 in [1] == [1] }}{{ 'a' not in 'b' != 'c' }}"),
            "TrueFalseTrueTrue");
  EXPECT_EQ(Render("{{ [1, 2, 3] | select('gt', 1) | list }}{{ 2 is le 2 }}{{ 'b' is in ['b'] }}"), "[2, 3]TrueTrue");
  EXPECT_THAT(Render("{{ 1 is lt 'a' }}"), HasSubstr("not supported between"));
}

// `twice` doubles ns.x.
std::string Doubled(absl::string_view start, absl::string_view twice, absl::string_view use) {
  std::string text = absl::StrCat("{% set ns = namespace(x=", start, ") %}");
  for (int i = 0; i < 34; ++i) absl::StrAppend(&text, "{% set ns.x = ", twice, " %}");
  return absl::StrCat(text, use);
}

TEST(ChatTemplateTest, ValuesHaveABudget) {
  for (const char* twice :
       {"ns.x + ns.x", "ns.x ~ ns.x", "ns.x * 2", "ns.x | replace('x', 'xx')", "'x'.join([ns.x, ns.x])"}) {
    EXPECT_THAT(Render(Doubled("'x'", twice, "{{ ns.x | length }}")), HasSubstr("a text of more than 1048576 bytes"));
  }
  for (const char* twice : {"[ns.x, ns.x]", "ns.x + ns.x", "ns.x * 2", "{'a': ns.x, 'b': ns.x}", "(ns.x, ns.x)"}) {
    const char* const start = absl::StrContains(twice, '{') ? "{}" : absl::StrContains(twice, '(') ? "(1,)" : "[1]";
    EXPECT_THAT(Render(Doubled(start, twice, "{{ ns.x | tojson }}")), HasSubstr("too many values")) << twice;
  }
  EXPECT_THAT(Render("{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x] %}{% endfor %}"),
              HasSubstr("nested too deep"));
  EXPECT_THAT(Render("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}"), HasSubstr("a namespace within"));
  EXPECT_THAT(Render("{{ 'x'.center(99999999999) }}"), HasSubstr(kBudget));
  EXPECT_THAT(Render("{{ '{:>99999999}'.format('x') }}"), HasSubstr("a width of more than"));
}

TEST(ChatTemplateTest, OddTextIsText) {
  EXPECT_EQ(Render(""), "");
  EXPECT_EQ(Render("{ } {"), "{ } {");
  EXPECT_EQ(Render("{{ messages[0].content }}"), "hi");
  EXPECT_EQ(Render("{{ messages[7] }}"), "");
  EXPECT_EQ(Render("{{ messages[0].nosuch }}"), "");
}

}  // namespace
}  // namespace tersor
