#include "core/compare/task_forms.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

using Results = std::vector<const v1::TaskResult*>;

constexpr size_t kHashCharacters = 8;

struct Group {
  // The first of it, which names it.
  const v1::TaskResult* first = nullptr;
  std::set<std::string> hashes = {};
};

// Results with equal keys together, in the order of the first of each.
std::vector<Group> GroupBy(const Results& results, const std::function<std::string(const v1::TaskResult&)>& key) {
  std::vector<Group> groups;
  std::map<std::string, size_t> known;
  for (const v1::TaskResult* result : results) {
    const auto [it, added] = known.try_emplace(absl::StrCat(result->task(), "\n", key(*result)), groups.size());
    if (added) groups.push_back({.first = result});
    groups[it->second].hashes.insert(result->hash());
  }
  return groups;
}

// What may tell forms of one task apart, the usual first.
using Suffix = std::string (*)(const v1::TaskResult& result);
constexpr Suffix kSuffixes[] = {
    [](const v1::TaskResult& result) { return absl::StrCat(":", result.few_shot(), "shot"); },
    [](const v1::TaskResult& result) { return std::string(InChatTemplate(result) ? ":chat" : ""); },
    [](const v1::TaskResult& result) { return absl::StrCat(":", result.items_size(), "items"); },
    [](const v1::TaskResult& result) { return absl::StrCat(":v", result.version()); },
    [](const v1::TaskResult& result) { return absl::StrCat(":", result.hash().substr(0, kHashCharacters)); },
};

bool Differ(const std::vector<std::string>& texts) {
  return std::set<std::string>(texts.begin(), texts.end()).size() == texts.size();
}

// How the task was asked: said wherever forms differ in it. The other suffixes only tell apart what these do not.
constexpr size_t kAskedSuffixes = 2;

// Of one task. Suffixes that say the same of all are left out. Protocols themselves differ, so that the last suffix
// does.
std::vector<std::string> Labels(const std::vector<const Group*>& groups) {
  std::vector<std::string> labels(groups.size(), groups[0]->first->task());
  for (size_t s = 0; s < std::size(kSuffixes); ++s) {
    if (s >= kAskedSuffixes && Differ(labels)) break;
    std::vector<std::string> texts;
    for (const Group* group : groups) texts.push_back(kSuffixes[s](*group->first));
    if (std::set<std::string>(texts.begin(), texts.end()).size() < 2) continue;
    for (size_t i = 0; i < labels.size(); ++i) labels[i] += texts[i];
  }
  return labels;
}

std::vector<TaskForm> FormsOf(const std::vector<Group>& groups) {
  std::vector<TaskForm> forms;
  for (const Group& group : groups) forms.push_back({.task = group.first->task(), .hashes = group.hashes});
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!forms[i].label.empty()) continue;
    std::vector<const Group*> same;
    std::vector<size_t> places;
    for (size_t j = i; j < groups.size(); ++j) {
      if (forms[j].task != forms[i].task) continue;
      same.push_back(&groups[j]);
      places.push_back(j);
    }
    const std::vector<std::string> labels = Labels(same);
    for (size_t k = 0; k < places.size(); ++k) forms[places[k]].label = labels[k];
  }
  return forms;
}

}  // namespace

bool InChatTemplate(const v1::TaskResult& result) {
  return absl::StrContains(result.protocol(), "in the chat template");
}

std::vector<TaskForm> TaskForms(const Results& results) {
  return FormsOf(GroupBy(results, [](const v1::TaskResult& result) { return result.hash(); }));
}

std::vector<TaskForm> MergedTaskForms(const std::vector<Results>& models) {
  std::set<std::string> several;
  Results all;
  for (const Results& results : models) {
    std::map<std::string, std::set<std::string>> hashes;
    for (const v1::TaskResult* result : results) {
      all.push_back(result);
      if (hashes[result->task()].insert(result->hash()).second && hashes[result->task()].size() > 1) {
        several.insert(result->task());
      }
    }
  }
  return FormsOf(GroupBy(all, [&](const v1::TaskResult& result) {
    return several.count(result.task()) == 0 ? std::string()
                                             : absl::StrCat(result.few_shot(), InChatTemplate(result) ? " chat" : "");
  }));
}

}  // namespace tersor
