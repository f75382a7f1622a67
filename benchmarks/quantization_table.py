#!/usr/bin/env python3
"""Prints the table of quantization methods of docs/results.md as Markdown.

Every row is one run of quantize_quality: 16 x 512 tokens of wikitext2_tokens_valid, 8 windows of 2048 of
wikitext2_tokens_test. Rows that were printed before are taken from the file of --results.
"""
import argparse
import json
import pathlib
import subprocess
import sys

# Name of the row, its QuantizeStage in protobuf's text format, and what else quantize_quality is told.
ROWS = [
    ("dense", ""),
    ("KV 8 bits a token", "", ["--kv-bits", "8"]),
    ("KV 4 bits, keys a channel", "", ["--kv-bits", "4", "--kv-keys", "channel"]),
    ("KV 4 bits a token", "", ["--kv-bits", "4"]),
    ("KV 2 bits, keys a channel", "", ["--kv-bits", "2", "--kv-keys", "channel"]),
    ("KV 2 bits a token", "", ["--kv-bits", "2"]),
    ("RTN W8A8 (naive)", "rtn { bits: 8 group_size: -1 } activations {}"),
    ("SmoothQuant W8A8, alpha 0.5", "smoothquant {}"),
    ("SmoothQuant W8A8, alpha 0.8", "smoothquant { alpha: 0.8 }"),
    ("SmoothQuant W8A8, all folds", "smoothquant { fold: 'all' }"),
    ("OS+ W8A8", "outlier_suppression_plus {}"),
    ("LLM.int8(), threshold 6", "llm_int8 {}"),
    ("LLM.int8(), threshold 4", "llm_int8 { threshold: 4 }"),
    ("LLM.int8(), threshold 3", "llm_int8 { threshold: 3 }"),
    ("FP8 E4M3 W8A8", "fp8 {}"),
    ("FP8 E5M2 W8A8", "fp8 { format: 'e5m2' }"),
    ("FP8 E4M3 W8A8, power-of-two scales", "fp8 { power_of_two_scales: true }"),
    ("ZeroQuant W8A8, groups of 64", "zeroquant {}"),
    ("ZeroQuant W4A8, groups of 64", "zeroquant { bits: 4 }"),
    ("RTN W6A6 (naive)", "rtn { bits: 6 group_size: -1 } activations { bits: 6 }"),
    ("SmoothQuant W6A6", "smoothquant { bits: 6 } activations { bits: 6 }"),
    ("OS+ W6A6", "outlier_suppression_plus { bits: 6 } activations { bits: 6 }"),
    ("RTN, 4 bits", "rtn {}"),
    ("AWQ, 4 bits", "awq {}"),
    ("GPTQ, 4 bits", "gptq {}"),
    ("GPTQ, 4 bits, dense correction", "gptq { dense_correction: 0.5 }"),
    ("OWQ, 4 bits, 1% float columns", "owq { bits: 4 }"),
    ("SpQR, 4 bits, groups of 64, 1% outliers", "spqr { bits: 4 group_size: 64 }"),
    ("NF4, double quantization", "nf4 {}"),
    ("NF4", "nf4 { double_quantization: false }"),
    ("FP4 (W4A16), groups of 64", "zeroquant_fp {} activations { format: 'none' }"),
    ("MXFP4", "mxfp4 {}"),
    ("NVFP4", "nvfp4 {}"),
    ("BCQ, 4 planes, alternating", "bcq {}"),
    ("BCQ, 3 planes, alternating", "bcq { planes: 3 }"),
    ("BCQ, 4 planes, the paper's fit", "bcq { input_weighting: false }"),
    ("BCQ, 4 planes, greedy", "bcq { rounds: 0 }"),
    ("ZeroQuant-FP W4A8", "zeroquant_fp {}"),
    ("ZeroQuant-FP W4A8, M1", "zeroquant_fp { scale_constraint: 'm1' }"),
    ("ZeroQuant-FP W4A8, M2", "zeroquant_fp { scale_constraint: 'm2' }"),
    ("ZeroQuant-FP W4A8, LoRC of rank 8", "zeroquant_fp { lorc_rank: 8 }"),
    ("RTN, 3 bits", "rtn { bits: 3 }"),
    ("AWQ, 3 bits", "awq { bits: 3 }"),
    ("GPTQ, 3 bits", "gptq { bits: 3 }"),
    ("GPTQ, 3 bits, groups of 16", "gptq { bits: 3 group_size: 16 }"),
    ("OWQ, 3 bits, 1% float columns", "owq {}"),
    ("SpQR, 3 bits, groups of 16, 1% outliers", "spqr {}"),
    ("SpQR, 3 bits, groups of 64, 1% outliers", "spqr { group_size: 64 }"),
    ("static W4A4, one grid", "rptq { clusters: 1 }"),
    ("RPTQ W4A4, 32 clusters", "rptq {}"),
    ("static W4A8, one grid", "rptq { clusters: 1 activation_bits: 8 }"),
    ("RPTQ W4A8, 32 clusters", "rptq { activation_bits: 8 }"),
    ("RTN W4 per row, MSE scales", "rtn { group_size: -1 scale_search: SCALE_SEARCH_MSE }"),
    ("OliVe W4 per row", "olive { quantize_activations: false }"),
    ("static W8A8, one grid", "rtn { bits: 8 group_size: -1 } activations { scale: 'tensor' }"),
    ("OliVe W8A8", "olive { bits: 8 }"),
    ("OliVe W4A4", "olive {}"),
]


def run(arguments, name, stage, options):
    command = [arguments.program, arguments.model, "--stage", stage, "--threads", str(arguments.threads),
               "--decode", "64", "--baselines", arguments.baselines, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"{name}: {' '.join(command)} failed", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def read_results(path):
    if not path.exists():
        return {}
    return {row["name"]: row for row in map(json.loads, path.read_text().splitlines())}


def cell(row, key, digits):
    return f"{row[key]:.{digits}f}" if key in row else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--program", default="build/release/bin/quantize_quality")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--baselines", default="/tmp/tersor-baselines", help="folder for the dense model's answers")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("quantization_table.jsonl"))
    parser.add_argument("--only", nargs="*", default=[], help="rows whose names hold one of these")
    arguments = parser.parse_args()
    results = read_results(arguments.results)
    for name, stage, *options in ROWS:
        if name in results or (arguments.only and not any(part in name for part in arguments.only)):
            continue
        row = run(arguments, name, stage, options[0] if options else [])
        if row is None:
            continue
        row["name"] = name
        results[name] = row
        with arguments.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
    print("| method | `--stage` | perplexity | KL | top-1 | true bits | MB | seconds | peak MB | decode tokens/s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, stage, *_ in ROWS:
        if name not in results:
            continue
        row = results[name]
        megabytes = row["parameter_bytes"] / 1e6
        print(f"| {name} | `{stage}` | {cell(row, 'perplexity', 2)} | {cell(row, 'kl_mean', 4)} | "
              f"{cell(row, 'top1_agreement', 3)} | {cell(row, 'true_bits', 3)} | {megabytes:.1f} | "
              f"{cell(row, 'compress_seconds', 1)} | {cell(row, 'peak_rss_mb', 0)} | "
              f"{cell(row, 'decode_tokens_per_second', 0)} |")


if __name__ == "__main__":
    main()
