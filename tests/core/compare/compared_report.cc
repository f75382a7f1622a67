#include "tests/core/compare/compared_report.h"

#include <cmath>

namespace tersor::testing {
namespace {

constexpr int kItems = 100, kRight = 60;
constexpr double kDensePerplexity = 17;

v1::TaskResult* AddTask(const std::string& name, const ReportShape& shape, bool dense, v1::Report& report) {
  v1::TaskResult* task = report.add_tasks();
  task->set_task(name);
  task->set_subject(dense ? "dense" : "compressed");
  task->set_hash(name + shape.hash);
  task->set_version("1");
  double right = 0;
  for (int i = 0; i < kItems; ++i) {
    const bool score = i < kRight && (dense || i >= shape.lost);
    v1::TaskResult::Item* item = task->add_items();
    item->set_id(std::to_string(i));
    (*item->mutable_scores())["acc"] = score;
    right += score;
  }
  v1::TaskResult::Metric* metric = task->add_metrics();
  metric->set_name("acc");
  metric->set_value(right / kItems);
  metric->set_standard_error(0.049);
  metric->set_higher_is_better(true);
  metric->set_count(kItems);
  return task;
}

v1::PerplexityResult* AddPerplexity(const ReportShape& shape, bool dense, v1::Report& report) {
  v1::PerplexityResult* perplexity = report.add_perplexity();
  perplexity->set_subject(dense ? "dense" : "compressed");
  perplexity->set_dataset("wiki");
  perplexity->set_protocol("windows of 100 tokens");
  perplexity->set_hash(shape.hash);
  perplexity->set_count(400);
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    // Blocks differ in how hard they are, and a little in what compression costs them.
    const double nll = 100 * (std::log(kDensePerplexity) + 0.1 * (i - 1.5)) +
                       (dense ? 0 : 100 * std::log(shape.perplexity_ratio) + (i % 2 == 0 ? 0.5 : -0.5));
    v1::PerplexityResult::Window* window = perplexity->add_windows();
    window->set_n(100);
    window->set_nll_sum(nll);
    sum += nll;
  }
  perplexity->set_nll_sum(sum);
  perplexity->set_value(std::exp(sum / 400));
  return perplexity;
}

void AddSpeed(double rate, const std::string& subject, v1::Report& report) {
  v1::PerformanceResult* decode = report.add_performance();
  decode->set_subject(subject);
  decode->set_kind("decode");
  decode->set_tokens_per_second(rate);
}

}  // namespace

v1::Report ComparedReport(const ReportShape& shape) {
  v1::Report report;
  report.set_job_id(shape.job_id);
  report.set_tersor_version("0.1.0");
  report.set_verdict(v1::VERDICT_PASS);
  report.mutable_model()->set_name("Smol");
  report.mutable_model()->set_sha256("abc");
  report.mutable_recipe()->add_stages()->mutable_quantize()->mutable_gptq()->set_bits(4);
  report.mutable_recipe()->mutable_evaluate()->add_perplexity()->set_dataset("wiki");
  for (const bool dense : {true, false}) {
    AddTask("piqa", shape, dense, report);
    AddTask("copa", shape, dense, report);
    AddPerplexity(shape, dense, report);
    AddSpeed(dense ? 20 : shape.decode_rate, dense ? "dense" : "compressed", report);
  }
  report.mutable_divergence()->set_kl_mean(0.1);
  report.mutable_size()->set_dense_bytes(269'000'000);
  report.mutable_size()->set_artifact_bytes(shape.bytes);
  report.mutable_size()->set_ratio(269e6 / static_cast<double>(shape.bytes));
  return report;
}

void AddRival(bool own_tokenizer, v1::Report& report) {
  const ReportShape shape = {.lost = 20, .perplexity_ratio = 21 / kDensePerplexity, .hash = own_tokenizer ? "r" : "p"};
  report.mutable_baseline_model()->set_name("Tiny");
  report.mutable_baseline_model()->set_path("/models/tiny");
  report.mutable_baseline_model()->set_sha256("def");
  report.mutable_baseline_model()->set_parameters(60'000'000);
  for (const char* task : {"piqa", "copa"}) AddTask(task, shape, false, report)->set_subject("baseline_model");
  AddPerplexity(shape, false, report)->set_subject("baseline_model");
  AddSpeed(50, "baseline_model", report);
}

void AddFiveShots(int lost, v1::Report& report) {
  const ReportShape shape = {.lost = lost, .hash = "p5"};
  for (const bool dense : {true, false}) AddTask("piqa", shape, dense, report)->set_few_shot(5);
}

}  // namespace tersor::testing
