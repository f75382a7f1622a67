#include "server/metrics/server_metrics.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/engine/submission.h"
#include "server/metrics/job_methods.h"
#include "server/metrics/served_rpcs.h"

namespace tersor {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const ServerMetrics& metrics) {
  return absl::StrSplit(metrics.Text(), '\n', absl::SkipEmpty());
}

// "a,b" of `name{a="1",b="2"} 3`; the buckets' own label is no choice of ours.
std::string LabelNames(absl::string_view sample) {
  std::set<std::string> names;
  const size_t open = sample.find('{');
  if (open == absl::string_view::npos) return "";
  for (const absl::string_view pair : absl::StrSplit(sample.substr(open + 1, sample.find('}') - open - 1), ',')) {
    names.insert(std::string(pair.substr(0, pair.find('='))));
  }
  names.erase("le");
  return absl::StrJoin(names, ",");
}

// A line a family: its name, type and labels.
std::string Families(const ServerMetrics& metrics) {
  std::string families;
  std::string head;
  for (const absl::string_view line : Lines(metrics)) {
    if (absl::StartsWith(line, "# TYPE ")) head = std::string(absl::StripPrefix(line, "# TYPE "));
    if (head.empty() || absl::StartsWith(line, "#")) continue;
    const std::string labels = LabelNames(line);
    absl::StrAppend(&families, head, labels.empty() ? "" : " ", labels, "\n");
    head.clear();
  }
  std::vector<std::string> sorted = absl::StrSplit(families, '\n', absl::SkipEmpty());
  std::sort(sorted.begin(), sorted.end());
  return absl::StrJoin(sorted, "\n") + "\n";
}

// The names, types and labels are an interface: dashboards and alerts break in silence when they change. Who means to
// change one changes the file, and says so to those who read it.
TEST(ServerMetricsTest, NamesTypesAndLabelsAreAsPromised) {
  const absl::StatusOr<std::string> golden = ReadFile(TERSOR_METRICS_GOLDEN);
  ASSERT_TRUE(golden.ok()) << golden.status();
  EXPECT_EQ(Families(ServerMetrics()), *golden);
}

TEST(ServerMetricsTest, EverythingIsThereFromTheStart) {
  const ServerMetrics metrics;
  const std::string text = metrics.Text();
  for (const char* state : {"queued", "running", "succeeded", "failed", "cancelled"}) {
    for (const std::string& method : JobMethods()) {
      EXPECT_THAT(text, HasSubstr(absl::StrCat("tersor_jobs{method=\"", method, "\",state=\"", state, "\"} 0\n")));
    }
  }
  for (const ServedRpc& rpc : ServedRpcs()) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("tersor_rpc_total{code=\"OK\",rpc=\"", rpc.label, "\"} 0\n")));
    const std::string latency = absl::StrCat("tersor_rpc_latency_seconds_count{rpc=\"", rpc.label, "\"} 0\n");
    EXPECT_EQ(absl::StrContains(text, latency), !rpc.is_stream) << rpc.label;
  }
  // A family without a sample would be a comment alone.
  std::set<std::string> typed;
  for (const absl::string_view line : Lines(metrics)) {
    if (absl::StartsWith(line, "# TYPE ")) typed.insert(std::string(line));
  }
  const std::string families = Families(metrics);
  EXPECT_EQ(typed.size(), static_cast<size_t>(std::count(families.begin(), families.end(), '\n')));
}

TEST(ServerMetricsTest, RpcsAreThoseOfTheDescriptors) {
  std::vector<std::string> labels;
  for (const ServedRpc& rpc : ServedRpcs()) labels.push_back(rpc.label);
  for (const char* label :
       {"JobService/SubmitJob", "JobService/WatchJob", "ModelService/UploadFile", "ArtifactService/DownloadArtifact",
        "ReportService/GetReport", "WorkerService/Heartbeat", "grpc.health.v1.Health/Check"}) {
    EXPECT_THAT(labels, Contains(label));
  }
}

TEST(ServerMetricsTest, EveryJobsMethodIsKnown) {
  const std::vector<std::string> methods = JobMethods();
  v1::Recipe recipe;
  EXPECT_THAT(methods, Contains(MethodOf(recipe)));
  recipe.mutable_kv();
  EXPECT_THAT(methods, Contains(MethodOf(recipe)));
  v1::Recipe pruned;
  pruned.add_stages()->mutable_prune()->mutable_wanda();
  EXPECT_THAT(methods, Contains(MethodOf(pruned)));
  EXPECT_EQ(MethodOf(pruned), "wanda");
  recipe.add_stages()->mutable_quantize()->mutable_gptq();
  EXPECT_THAT(methods, Contains(MethodOf(recipe)));
  recipe.add_stages()->mutable_quantize()->mutable_rtn();
  EXPECT_THAT(methods, Contains(MethodOf(recipe)));
  recipe.mutable_sweep();
  EXPECT_THAT(methods, Contains(MethodOf(recipe)));
}

TEST(ServerMetricsTest, UnknownRpcsShareALabel) {
  ServerMetrics metrics;
  metrics.OnRpc("/tersor.v1.JobService/GetJob", 0, absl::Milliseconds(1), false);
  for (int i = 0; i < 100; ++i) metrics.OnRpc(absl::StrCat("/tersor.v1.Guess/", i), 12, absl::Milliseconds(1), false);
  EXPECT_THAT(metrics.Text(), HasSubstr("tersor_rpc_total{code=\"OK\",rpc=\"JobService/GetJob\"} 1\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("tersor_rpc_total{code=\"UNIMPLEMENTED\",rpc=\"other\"} 100\n"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("Guess")));
}

TEST(ServerMetricsTest, JobsThatAreGoneCountZero) {
  ServerMetrics metrics;
  metrics.SetJobs({{.state = v1::JOB_STATE_QUEUED, .method = "gptq", .count = 3}});
  EXPECT_THAT(metrics.Text(), HasSubstr("tersor_jobs{method=\"gptq\",state=\"queued\"} 3\n"));
  metrics.SetJobs({});
  EXPECT_THAT(metrics.Text(), HasSubstr("tersor_jobs{method=\"gptq\",state=\"queued\"} 0\n"));
}

}  // namespace
}  // namespace tersor
