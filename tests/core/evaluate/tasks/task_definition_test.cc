#include "core/evaluate/tasks/task_definition.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::string Faults(absl::string_view yaml, absl::string_view name = "t") {
  return std::string(FaultsToStatus("t.yaml", ParseTask(yaml, name).faults).message());
}

constexpr absl::string_view kFiltered =
    "name: t\nversion: 1\nscorer: generate\nmetrics: [strict-match]\ngenerate: {filters: [";
constexpr absl::string_view kGood = "name: t\nversion: 1\nscorer: choices\nmetrics: [acc, acc_norm]\n";

TEST(TaskDefinitionTest, ReadsAndFillsDefaults) {
  const TaskFile file =
      ParseTask("name: t\nversion: '2'\nscorer: generate\nmetrics: f1\nfew_shot: {data: p, count: 3}\n", "t");
  EXPECT_TRUE(file.faults.empty()) << FormatFault("t", file.faults.at(0));
  EXPECT_EQ(file.definition.data(), "t");
  EXPECT_EQ(file.definition.few_shot().separator(), "\n\n");
  EXPECT_EQ(file.definition.generate().max_tokens(), 64);
}

TEST(TaskDefinitionTest, FaultsHaveLineAndField) {
  EXPECT_EQ(Faults(std::string(kGood)), "");
  const std::pair<std::string, const char*> cases[] = {
      {"", "the file is empty"},
      {"version: 1\nscorer: choices\nmetrics: acc\n", "name: must be the file's name, \"t\""},
      {"name: u\nversion: 1\nscorer: choices\nmetrics: acc\n", "t.yaml:1:7: name"},
      {"name: t\nscorer: choices\nmetrics: acc\n", "version: is missing"},
      {"name: t\nversion: 1\nmetrics: acc\n", "scorer: is missing"},
      {"name: t\nversion: 1\nscorer: choice\nmetrics: acc\n", "t.yaml:3:9: scorer"},
      {"name: t\nversion: 1\nscorer: choices\n", "metrics: is missing"},
      {"name: t\nversion: 1\nscorer: choices\nmetrics: [acc, acc_nrm]\n", "did you mean \"acc_norm\""},
      {"name: t\nversion: 1\nscorer: cloze\nmetrics: [acc_norm]\n", "cannot be computed by the scorer cloze"},
      {"name: t\nversion: 1\nscorer: choices\nmetrics: [acc, acc]\n", "metrics[1]: named twice"},
      {absl::StrCat(kGood, "template: {prompt: 'x {y'}\n"), "t.yaml:5:20: template.prompt: byte 2"},
      {absl::StrCat(kGood, "data: ../secret\n"), "data: must be a data set's name"},
      {absl::StrCat(kGood, "few_shot: {data: p, count: -1}\n"), "few_shot.count: must be 0"},
      {absl::StrCat(kGood, "generate: {max_tokens: 5}\n"), "generate: is for the scorer generate alone"},
      {absl::StrCat(kGood, "colour: red\n"), "t.yaml:5:1: colour: unknown key"},
      {"name: t\nversion: 1\nscorer: generate\nmetrics: f1\ngenerate: {max_tokens: 0, extract: most}\n", "extract"},
      {"name: t\nversion: 1\nscorer: generate\nmetrics: f1\ngenerate: {max_tokens: 99999}\n", "must be 1 .. 4096"},
      {"name: t\nversion: 1\nscorer: generate\nmetrics: f1\ngenerate: {stop: ['']}\n", "stop[0]: is empty"},
      {"name: t\nversion: 1\nscorer: generate\nmetrics: [strict-match]\n", "metrics[0]: strict-match needs a filter"},
      {absl::StrCat(kFiltered, "{name: strict, regex_pattern: a}]}\n"), "filters[0].name: filter \"strict\""},
      {absl::StrCat(kFiltered, "{name: strict-match, regex_pattern: '(a'}]}\n"), "is wrong at character 2"},
      {absl::StrCat(kFiltered, "{name: strict-match}]}\n"), "filters[0].regex_pattern: is missing"},
      {absl::StrCat(kFiltered, "{name: strict-match, regex_pattern: a}, {name: strict-match, regex_pattern: a}]}\n"),
       "filters[1].name: named twice"},
      {"name: t\nversion: 1\nscorer: generate\nmetrics: f1\ngenerate: {compare: {regexes_to_ignore: ['[']}}\n",
       "compare.regexes_to_ignore[0]: the regular expression"},
      {"name: t\nversion: 1\nscorer: cloze\nmetrics: [acc]\ntemplate: {answer: ' {answer}'}\n",
       "metrics: must be [exact_match]"},
      {absl::StrCat(kGood, "template: {answer: ' {answer}'}\n"), "template.answer: is for the scorer cloze alone"},
  };
  for (const auto& [yaml, fault] : cases) EXPECT_THAT(Faults(yaml), HasSubstr(fault)) << yaml;
}

TEST(TaskDefinitionTest, Suites) {
  EXPECT_TRUE(ParseSuite("name: s\ntasks: [piqa, {name: mmlu, limit: 5, ability: knowledge}]\n", "s").faults.empty());
  const auto fault = [](absl::string_view yaml) {
    return std::string(FaultsToStatus("s.suite.yaml", ParseSuite(yaml, "s").faults).message());
  };
  EXPECT_THAT(fault("name: s\n"), HasSubstr("tasks: is missing"));
  EXPECT_THAT(fault("name: s\ntasks: [{name: a, ability: skill}]\n"), HasSubstr("tasks[0].ability: ability \"skill\""));
  EXPECT_THAT(fault("name: s\ntasks: [{name: ../a}]\n"), HasSubstr("is no task's name"));
  EXPECT_THAT(fault("name: s\ntasks: [{name: a, limit: -1}]\n"), HasSubstr("limit"));
}

}  // namespace
}  // namespace tersor
