#include "tests/core/report/sample_report.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

namespace tersor::testing {
namespace {

constexpr char kReport[] = R"pb(
  job_id: "job-7"
  tersor_version: "0.1.0"
  verdict: VERDICT_PASS
  model {
    path: "/models/SmolLM2-135M-Instruct.Q4_1.gguf"
    name: "SmolLM2-135M-Instruct"
    architecture: "llama"
    parameters: 134515008
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    source_bytes: 91728960
    format: "gguf"
  }
  recipe { model: "smollm2-135m" description: "nightly" }
  stages { name: "calibrate" seconds: 1.25 peak_rss_bytes: 412000000 }
  stages { name: "quantize:gptq" seconds: 31.5 peak_rss_bytes: 523000000 }
  stages { name: "evaluate:dense" seconds: 40.5 peak_rss_bytes: 600000000 reused: true }
  stages { name: "export:gguf:q4_0" seconds: 2 }
  perplexity {
    subject: "dense"
    dataset: "wikitext2_tokens_test"
    protocol: "windows of 2048 tokens, the first 8, no BOS"
    hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    value: 17.0512
    nll_sum: 46432.5
    count: 16376
    windows { start: 0 n: 2047 nll_sum: 5804.0625 }
    windows { start: 2048 n: 2047 nll_sum: 5804.5 }
    seconds: 40.5
    tokens_per_second: 404.5
  }
  perplexity {
    subject: "compressed"
    dataset: "wikitext2_tokens_test"
    protocol: "windows of 2048 tokens, the first 8, no BOS"
    hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    value: 21.17
    nll_sum: 49980.5
    count: 16376
    windows { start: 0 n: 2047 nll_sum: 6000.0625 }
    windows { start: 2048 n: 2047 nll_sum: 6001.5 }
    seconds: 41
    tokens_per_second: 399
  }
  divergence {
    protocol: "windows of 2048 tokens, the first 8, no BOS"
    hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    tokens: 16376
    kl_mean: 0.2134
    kl_p50: 0.0871
    kl_p99: 1.872
    kl_max: 9.41
    top1_agreement: 0.8123
  }
  size {
    dense_bytes: 269030016
    artifact_bytes: 84612345
    ratio: 3.1796
    blocks_ratio: 3.7586
    source_bytes: 91728960
    true_bits: 4.2503
  }
  performance {
    subject: "dense"
    kind: "prefill"
    tokens: 512
    tokens_per_second: 480
    tokens_per_second_min: 471
    tokens_per_second_max: 489
    repeats: 3
    threads: 2
  }
  performance {
    subject: "compressed"
    kind: "prefill"
    tokens: 512
    tokens_per_second: 478
    tokens_per_second_min: 470
    tokens_per_second_max: 481
    repeats: 3
    threads: 2
  }
  gates {
    expression: "perplexity_ratio <= 1.3"
    metric: "perplexity_ratio"
    value: 1.24155
    limit: 1.3
    outcome: GATE_OUTCOME_PASS
    reason: "perplexity_ratio is 1.24155"
  }
  gates {
    expression: "kl_mean <= 0.3"
    metric: "kl_mean"
    value: 0.2134
    limit: 0.3
    outcome: GATE_OUTCOME_PASS
    reason: "kl_mean is 0.2134"
  }
  artifacts {
    name: "tersor"
    path: "tersor"
    bytes: 84612345
    sha256: "ffff"
    verification: "reopened; every tensor has the bytes that were evaluated"
  }
  artifacts {
    name: "gguf:q4_0"
    path: "SmolLM2-135M-Instruct.Q4_0.gguf"
    bytes: 91700000
    sha256: "eeee"
    verification: "reopened; largest difference 0"
  }
  warnings {
    code: "FACTORIZATION_DAMPED"
    message: "damping was raised to 0.1, because the second moment could not be factored with 0.01"
    where: "model.layers.29.mlp.down_proj"
  }
  load_commands { program: "llama.cpp" command: "llama-cli -m artifacts/SmolLM2-135M-Instruct.Q4_0.gguf -p \"Hello\"" }
  load_commands {
    program: "transformers"
    command: "from transformers import AutoModelForCausalLM\nmodel = AutoModelForCausalLM.from_pretrained(\"artifacts/compressed-tensors\")"
  }
  environment { isa: "avx512_core_amx" onednn: "3.11.0" threads: 2 cpu: "Intel(R) Xeon(R) Processor" }
)pb";

constexpr const char* kLinears[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                                    "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};

}  // namespace

v1::Report SampleReport() {
  v1::Report report;
  google::protobuf::TextFormat::ParseFromString(kReport, &report);
  for (int block = 0; block < 30; ++block) {
    for (int i = 0; i < 7; ++i) {
      v1::LayerResult* layer = report.add_layers();
      layer->set_name(absl::StrCat("model.layers.", block, ".", kLinears[i]));
      layer->set_encoding("group-int");
      layer->set_true_bits(4.25);
      layer->set_relative_error(0.004 + 0.0007 * ((block * 7 + i * 5) % 13) + 0.0001 * block);
    }
  }
  v1::LayerResult* repaired = report.mutable_layers(209);
  repaired->set_note("damping raised to 0.1");
  repaired->set_damping(0.1);
  repaired->set_dead_columns(3);
  repaired->set_outlier_share(0.0125);
  return report;
}

}  // namespace tersor::testing
