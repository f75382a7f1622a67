// `tersor run` from recipe to files, broken off and taken up again.
#include <signal.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/integration/cli/tersor_process.h"
#include "tests/testing/tiny_model.h"

namespace tersor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

class CliRunTest : public CliTest {
 protected:
  std::string Recipe(const std::string& gate) {
    return Write("r.yaml",
                 "model: model\n"
                 "calibration: {dataset: foxes, samples: 8, tokens: 64}\n"
                 "stages:\n"
                 "  - quantize: {method: gptq, bits: 4, group_size: 32}\n"
                 "evaluate: {perplexity: {dataset: foxes, window: 64, max_windows: 4}}\n"
                 "gates: [" +
                     gate +
                     "]\n"
                     "export: [gguf:q4_0]\n");
  }
  // A job of some blocks, long enough to break it off between two of them.
  void MakeLongJob() {
    TinyModelOptions options;
    options.layers = 6;
    options.inner = 256;
    ASSERT_TRUE(WriteTinyModel(folder_ / "model", options).ok());
    Write("r.yaml",
          "model: model\n"
          "calibration: {dataset: foxes, samples: 16, tokens: 128}\n"
          "stages:\n"
          "  - quantize: {method: gptq, bits: 4, group_size: 32}\n"
          "evaluate: {perplexity: {dataset: foxes, window: 128, max_windows: 4}}\n");
  }
  // Each stage's memory and each artifact's bytes; `stages` are among those of the plan.
  void ExpectWithinPlan(const std::string& recipe, const std::vector<std::string>& stages) {
    const std::vector<std::string> run = {"run", recipe, "--output", "json", "--threads", "2", "--data-path", "data"};
    std::vector<std::string> estimate = run;
    estimate.push_back("--dry-run");
    const ProcessResult dry = Tersor(estimate);
    ASSERT_EQ(dry.code, 0) << dry.err;
    const Json plan = Json::parse(dry.out);
    const ProcessResult result = Tersor(run);
    ASSERT_EQ(result.code, 0) << result.err;
    const Json report = Json::parse(result.out);
    std::map<std::string, int64_t> planned;
    for (const Json& stage : plan["stages"]) planned[stage["name"]] = stage["peak_memory_bytes"];
    for (const std::string& name : stages) EXPECT_TRUE(planned.contains(name)) << name;
    ASSERT_EQ(report["stages"].size(), planned.size());
    for (const Json& stage : report["stages"]) {
      ASSERT_TRUE(planned.contains(stage["name"])) << stage["name"];
      EXPECT_LE(stage["peak_rss_bytes"].get<int64_t>(), planned[stage["name"]]) << stage["name"];
    }
    ASSERT_EQ(report["artifacts"].size(), plan["artifacts"].size());
    for (size_t i = 0; i < report["artifacts"].size(); ++i) {
      EXPECT_LE(report["artifacts"][i]["bytes"], plan["artifacts"][i]["bytes"]) << plan["artifacts"][i]["name"];
    }
  }
  // Blocks in a workspace's checkpoint.
  int BlocksDone(const fs::path& workspace) const {
    int blocks = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder_ / workspace / "checkpoint", error), end; !error && it != end;
         it.increment(error)) {
      std::string name = it->path().filename().string();
      blocks += name.rfind("block-", 0) == 0 && it->path().extension() == ".safetensors";
    }
    return blocks;
  }
  // Content of every file of the container in a workspace.
  std::string Container(const fs::path& workspace) const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / workspace / "artifacts/tersor")) {
      if (entry.path().extension() == ".safetensors") all += Read(fs::relative(entry.path(), folder_).string());
    }
    return all;
  }
};

TEST_F(CliRunTest, FromRecipeToFilesAndReport) {
  ProcessResult result = Tersor({"run", Recipe("perplexity_ratio <= 100"), "--workspace", "w", "--junit", "gates.xml"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Plan: model"), HasSubstr("quantize:gptq"), HasSubstr("perplexity")));
  EXPECT_THAT(result.err, HasSubstr("w/artifacts/report.html"));
  EXPECT_TRUE(fs::exists(folder_ / "w/artifacts/report.json"));
  EXPECT_TRUE(fs::exists(folder_ / "w/artifacts/tersor"));
  EXPECT_THAT(Read("gates.xml"), HasSubstr("perplexity_ratio"));
}

TEST_F(CliRunTest, JsonIsTheReportAlone) {
  ProcessResult result =
      Tersor({"run", Recipe("perplexity_ratio <= 100"), "--output", "json", "--label", "name=release"});
  ASSERT_EQ(result.code, 0) << result.err;
  Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("verdict"), "PASS");
  EXPECT_EQ(report.at("labels").at("name"), "release");
  EXPECT_EQ(Tersor({"run", "r.yaml", "--label", "release"}).code, 2);
  ASSERT_EQ(report.at("perplexity").size(), 2u);
  EXPECT_EQ(report.at("perplexity")[0].at("subject"), "dense");
  EXPECT_EQ(report.at("perplexity")[1].at("windows").size(), 4u);
  EXPECT_TRUE(report.at("stages")[0].contains("peak_rss_bytes"));
}

TEST_F(CliRunTest, AGateThatFailsIsOne) { EXPECT_EQ(Tersor({"run", Recipe("size_ratio >= 1000"), "--quiet"}).code, 1); }

// A gate that sits on what the first windows say is undecided there.
TEST_F(CliRunTest, AnUndecidedGateGoesOnWithItsText) {
  const Json first = Json::parse(Tersor({"run", Recipe("size_ratio >= 1"), "--output", "json"}).out);
  const std::string gate = "kl_mean <= " + first.at("divergence").at("kl_mean").dump();
  ProcessResult result =
      Tersor({"run", Recipe(gate), "--on-inconclusive", "extend", "--junit", "gates.xml", "--output", "json"});
  const Json report = Json::parse(result.out);
  const Json& looked = report.at("gates")[0];
  ASSERT_GE(looked.at("looks").size(), 2u);
  EXPECT_EQ(looked.at("looks")[0].at("windows"), 4);
  EXPECT_EQ(looked.at("looks")[0].at("outcome"), "INCONCLUSIVE");
  for (const Json& result : report.at("perplexity")) {
    EXPECT_EQ(result.at("looks"), looked.at("looks").size());
    EXPECT_EQ(result.at("windows").size(), looked.at("looks").back().at("windows"));
    EXPECT_GT(result.at("available_windows"), 8);
    EXPECT_GT(result.at("standard_error"), 0);
  }
  EXPECT_THAT(Read("gates.xml"), HasSubstr("look 2 of "));
}

TEST_F(CliRunTest, WithoutACacheItGoesOnWithAWarning) {
  // No folder can be made under a file.
  Write("cache", "a file");
  const ProcessResult result = Tersor({"run", Recipe("size_ratio >= 0.1")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: goes on without a cache: cannot write to"));
  EXPECT_THAT(result.err, HasSubstr("cache/tersor/runs; set XDG_CACHE_HOME"));
}

TEST_F(CliRunTest, DryRunStopsAtThePlan) {
  ProcessResult result = Tersor({"run", Recipe("perplexity_ratio <= 100"), "--dry-run"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Plan: "), HasSubstr("gguf:q4_0"), HasSubstr("At most")));
  EXPECT_FALSE(fs::exists(folder_ / "tersor-out"));
  Json plan = Json::parse(Tersor({"run", "r.yaml", "--dry-run", "--output", "json"}).out);
  EXPECT_EQ(plan.at("fingerprint").get<std::string>().size(), 64u);
}

TEST_F(CliRunTest, ThePlanIsAnUpperBound) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
  std::string questions;
  for (int i = 0; i < 40; ++i) {
    questions += R"({"id": ")" + std::to_string(i) + R"(", "context": "What does fox )" + std::to_string(i) +
                 R"( do?", "target": " jump"})" + "\n";
  }
  fs::create_directories(folder_ / "data/tasks");
  Write("data/tasks/foxes.jsonl", questions);
  Write(
      "data/tasks/foxes.yaml",
      "name: foxes\nversion: 1\nscorer: generate\nmetrics: [exact_match]\ngenerate: {max_tokens: 8, stop: [\".\"]}\n");
  const std::string recipe = Write("r.yaml",
                                   "model: model\n"
                                   "calibration: {dataset: foxes, samples: 8, tokens: 64}\n"
                                   "stages:\n"
                                   "  - quantize: {method: gptq, bits: 4, group_size: 32}\n"
                                   "evaluate: {perplexity: {dataset: foxes, window: 64, max_windows: 4}, tasks: "
                                   "[foxes], performance: {prefill: 16, decode: 4, repeats: 2}}\n"
                                   "export: [gguf:q4_0, statistics]\n");
  ExpectWithinPlan(recipe, {"evaluate:dense:task:foxes", "evaluate:compressed:task:foxes", "export:statistics"});
}

TEST_F(CliRunTest, EveryKindOfMethodStaysWithinItsPlan) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
  for (const char* stage : {"awq: {}, skip: [v_proj]", "smoothquant: {fold: all}", "outlier_suppression_plus: {}",
                            "bcq: {}", "olive: {}", "owq: {}, activations: {}", "spqr: {}",
                            "zeroquant_fp: {lorc_rank: 4}", "rptq: {clusters: 8}, head: {bits: 8}"}) {
    SCOPED_TRACE(stage);
    const std::string recipe =
        Write("r.yaml", std::string("model: model\ncalibration: {dataset: foxes, samples: 8, tokens: 64}\nstages:\n"
                                    "  - quantize: {") +
                            stage + "}\n");
    ExpectWithinPlan(recipe, {"write"});
  }
}

TEST_F(CliRunTest, FaultsAreTwoAndLeaveNothing) {
  Write("bad.yaml", "model: model\nstages:\n  - quantize: {method: rtn, bits: 9}\n");
  ProcessResult result = Tersor({"run", "bad.yaml"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("bad.yaml:3:35: stages[0].quantize.bits: must be 2 to 8, got 9"));
  EXPECT_FALSE(fs::exists(folder_ / "tersor-out"));
}

TEST_F(CliRunTest, PresetsNeedNoRecipe) {
  Write("data/text/foxes.txt", Read("data/text/foxes.txt") + Read("data/text/foxes.txt"));
  ProcessResult result = Tersor({"run", "--preset", "safe", "model", "--workspace", "w"});
  EXPECT_THAT(result.code, ::testing::AnyOf(0, 1, 5)) << result.err;
  EXPECT_TRUE(fs::exists(folder_ / "w/artifacts/report.json")) << result.err;
}

TEST_F(CliRunTest, InterruptedAndTakenUpAgain) {
  MakeLongJob();
  ASSERT_EQ(Tersor({"run", "r.yaml", "--threads", "1", "--workspace", "whole"}).code, 0);
  ProcessResult stopped;
  {
    TersorProcess process({"run", "r.yaml", "--threads", "1", "--workspace", "w"}, folder_);
    ASSERT_TRUE(process.WaitFor([&] { return BlocksDone("w") >= 2; })) << process.Wait().err;
    // As `timeout -s INT` does it: to the process, then to its group.
    process.Signal(SIGINT);
    process.Signal(SIGINT);
    stopped = process.Wait();
  }
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("interrupted; the same command goes on where it was"));
  EXPECT_FALSE(fs::exists(folder_ / "w/artifacts/tersor"));
  EXPECT_FALSE(fs::exists(folder_ / "w/artifacts/report.json"));
  EXPECT_GE(BlocksDone("w"), 2);
  ProcessResult resumed = Tersor({"run", "r.yaml", "--threads", "1", "--workspace", "w"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_FALSE(Container("whole").empty());
  EXPECT_EQ(Container("w"), Container("whole"));
}

TEST_F(CliRunTest, TerminatedIs143) {
  MakeLongJob();
  TersorProcess process({"run", "r.yaml", "--threads", "1", "--workspace", "w"}, folder_);
  ASSERT_TRUE(process.WaitForError("quantize:gptq"));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().code, 143);
}

TEST_F(CliRunTest, AFullDiskLeavesNothingUnderAFinalName) {
  ProcessResult result =
      TersorProcess({"run", Recipe("perplexity_ratio <= 100"), "--workspace", "w"}, folder_, "", 30000).Wait();
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "w/artifacts/tersor")) << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "w/artifacts/report.json"));
}

// A real file system without room, where this process may mount one.
TEST_F(CliRunTest, ADiskThatIsFullIsToldAndTheRunGoesOnOnceThereIsRoom) {
  const fs::path disk = folder_ / "disk";
  fs::create_directories(disk);
  // Bytes enough for the plan, files too few for the run: as if others had filled the disk meanwhile.
  if (mount("none", disk.c_str(), "tmpfs", 0, "size=64m,nr_inodes=6") != 0) {
    GTEST_SKIP() << "no tmpfs may be mounted here: " << std::strerror(errno);
  }
  const std::string recipe = Recipe("perplexity_ratio <= 100");
  const ProcessResult full = Tersor({"run", recipe, "--workspace", "disk/w"});
  const bool nothing = !fs::exists(disk / "w/artifacts/tersor") && !fs::exists(disk / "w/artifacts/report.json");
  const int small = mount("none", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64k,nr_inodes=1000");
  const ProcessResult refused = Tersor({"run", recipe, "--workspace", "disk/w"});
  const int remounted = mount("none", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m");
  const ProcessResult again = Tersor({"run", recipe, "--workspace", "disk/w"});
  const bool all = fs::exists(disk / "w/artifacts/tersor") && fs::exists(disk / "w/artifacts/report.json");
  umount2(disk.c_str(), MNT_DETACH);
  EXPECT_EQ(full.code, 3) << full.err;
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  EXPECT_TRUE(nothing) << full.err;
  ASSERT_EQ(small, 0);
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("MB are free: free space there"));
  ASSERT_EQ(remounted, 0);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(all);
}

}  // namespace
}  // namespace tersor::testing
