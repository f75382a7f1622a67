#include "client/cli/job_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/progress_text.h"
#include "core/recipe/stage_method.h"
#include "core/report/escape.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

// "quantize:gptq, quantize:rtn".
std::string StageNames(const v1::Recipe& recipe) {
  std::vector<std::string> names;
  for (const v1::Stage& stage : recipe.stages()) {
    names.push_back(StageName(stage));
  }
  if (recipe.has_kv()) names.push_back(absl::StrCat("kv:int", recipe.kv().bits()));
  return names.empty() ? "evaluate" : absl::StrJoin(names, ", ");
}

// "running 43%", "succeeded PASS (cached)", "failed OUT_OF_MEMORY".
std::string StateText(const v1::Job& job) {
  std::string text = StateWord(job.state());
  if (job.state() == v1::JOB_STATE_RUNNING) {
    absl::StrAppend(&text, " ", static_cast<int>(100 * std::clamp(job.progress().fraction(), 0.0, 1.0)), "%");
  } else if (job.state() == v1::JOB_STATE_SUCCEEDED && job.verdict() != v1::VERDICT_UNSPECIFIED) {
    absl::StrAppend(&text, " ", VerdictWord(job.verdict()));
  } else if (job.state() != v1::JOB_STATE_CANCELLED && !job.status_reason().empty()) {
    absl::StrAppend(&text, " ", job.status_reason());
  }
  if (!job.cached_from().empty()) absl::StrAppend(&text, " (cached)");
  return text;
}

std::string LabelsText(const v1::Job& job) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : job.labels()) labels.push_back(absl::StrCat(key, "=", value));
  std::sort(labels.begin(), labels.end());
  return absl::StrJoin(labels, " ");
}

// How long it ran, as far as it has.
std::string RunTime(const v1::Job& job, absl::Time now) {
  if (!job.has_start_time()) return "";
  absl::Time end = job.has_end_time() ? ToTime(job.end_time()) : now;
  return SecondsText(absl::ToDoubleSeconds(end - ToTime(job.start_time())));
}

}  // namespace

std::string AgeText(absl::Duration age) {
  if (age < absl::Minutes(1)) return "now";
  if (age < absl::Hours(1)) return absl::StrCat(absl::ToInt64Minutes(age), " min ago");
  if (age < absl::Hours(48)) return absl::StrCat(absl::ToInt64Hours(age), " h ago");
  return absl::StrCat(absl::ToInt64Hours(age) / 24, " days ago");
}

std::string CancelWord(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_RUNNING ? "being cancelled" : StateWord(job.state());
}

std::string JobTable(const std::vector<v1::Job>& jobs, absl::Time now, int width) {
  ReportSection section{.columns = {{"id"}, {"state"}, {"submitted"}, {"time", true}, {"work"}, {"model"}}};
  bool labels = std::any_of(jobs.begin(), jobs.end(), [](const v1::Job& job) { return job.labels_size() > 0; });
  if (labels) section.columns.push_back({"labels"});
  for (const v1::Job& job : jobs) {
    section.rows.push_back({job.id(), StateText(job), AgeText(now - ToTime(job.create_time())), RunTime(job, now),
                            StageNames(job.recipe()), job.recipe().model()});
    if (labels) section.rows.back().push_back(LabelsText(job));
  }
  return TextTable(section, width);
}

std::string JobDetails(const v1::Job& job, absl::Time now) {
  std::string text;
  auto add = [&](absl::string_view name, absl::string_view value) {
    if (!value.empty())
      absl::StrAppend(&text, "  ", name, std::string(12 - name.size(), ' '), EscapeTerminal(value), "\n");
  };
  add("job", job.id());
  add("state", StateText(job));
  add("reason", job.status_message());
  add("model", job.recipe().model());
  add("work", StageNames(job.recipe()));
  add("submitted", AgeText(now - ToTime(job.create_time())));
  add("time", RunTime(job, now));
  if (job.attempt() > 0) add("attempt", absl::StrCat(job.attempt(), " of ", job.max_attempts()));
  if (job.state() == v1::JOB_STATE_RUNNING) {
    add("progress", job.progress().stage().empty() ? "not begun" : ProgressLine(job.progress()));
  }
  if (job.priority() != 0) add("priority", absl::StrCat(job.priority()));
  add("labels", LabelsText(job));
  add("parent", job.parent());
  add("cached from", job.cached_from());
  return text;
}

std::string JobEnd(const v1::Job& job) {
  std::string text = absl::StrCat(job.id(), " ", StateWord(job.state()));
  std::string time = RunTime(job, absl::InfinitePast());
  if (job.has_end_time() && !time.empty()) absl::StrAppend(&text, " in ", time);
  if (job.state() != v1::JOB_STATE_SUCCEEDED && !job.status_message().empty()) {
    absl::StrAppend(&text, ": ", job.status_message());
  }
  if (!job.cached_from().empty()) absl::StrAppend(&text, " (answered from ", job.cached_from(), ")");
  return text;
}

}  // namespace tersor::client
