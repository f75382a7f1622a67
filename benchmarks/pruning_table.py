#!/usr/bin/env python3
"""Prints the table of pruning methods of docs/pruning.md as Markdown.

Every row is one run of quantize_quality: 16 x 512 tokens of wikitext2_tokens_valid, 8 windows of 2048 of
wikitext2_tokens_test. Rows that were printed before are taken from the file of --results.
"""
import argparse
import json
import pathlib
import subprocess
import sys

GPTQ = " stages { quantize { gptq {} } }"
# Name of the row and the recipe's stages in protobuf's text format.
ROWS = [
    ("dense", ""),
    ("magnitude, 50 %", "stages { prune { magnitude {} } }"),
    ("Wanda, 50 %", "stages { prune { wanda {} } }"),
    ("Wanda, 50 %, OWL", "stages { prune { allocation: 'owl' wanda {} } }"),
    ("SparseGPT, 50 %", "stages { prune { sparsegpt {} } }"),
    ("SparseGPT, 50 %, columns as they stand", "stages { prune { sparsegpt { activation_order: false } } }"),
    ("SparseGPT, 50 %, OWL", "stages { prune { allocation: 'owl' sparsegpt {} } }"),
    ("SparseGPT, 50 %, one threshold", "stages { prune { allocation: 'global' sparsegpt {} } }"),
    ("SparseGPT, 50 %, dense correction", "stages { prune { sparsegpt { dense_correction: 0.5 } } }"),
    ("ALPS, 50 %", "stages { prune { alps {} } }"),
    ("ALPS, 50 %, dense correction", "stages { prune { alps { dense_correction: 0.5 } } }"),
    ("ALPS, 50 %, OWL", "stages { prune { allocation: 'owl' alps {} } }"),
    ("SparseGPT, 4:8", "stages { prune { pattern: '4:8' sparsegpt {} } }"),
    ("Wanda, 2:4", "stages { prune { pattern: '2:4' wanda {} } }"),
    ("SparseGPT, 2:4", "stages { prune { pattern: '2:4' sparsegpt {} } }"),
    ("ALPS, 2:4", "stages { prune { pattern: '2:4' alps {} } }"),
    ("SparseGPT, 50 %, then GPTQ, 4 bits", "stages { prune { sparsegpt {} } }" + GPTQ),
    ("SparseGPT, 50 %, and 4 bits in one pass", "stages { prune { sparsegpt { bits: 4 } } }"),
    ("ALPS, 50 %, then GPTQ, 4 bits", "stages { prune { alps {} } }" + GPTQ),
    ("ALPS, 2:4, dense correction", "stages { prune { pattern: '2:4' alps { dense_correction: 0.5 } } }"),
    ("SparseGPT, 2:4, and 4 bits in one pass", "stages { prune { pattern: '2:4' sparsegpt { bits: 4 } } }"),
]


def measure(program, model, stages, threads):
    command = [program, model, "--threads", str(threads)] + (["--stages", stages] if stages else [])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--program", default="build/release/bin/quantize_quality")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("pruning_results.jsonl"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", action="store_true", help="print seconds too: of a machine that does nothing else")
    parser.add_argument("--only", help="measure the rows whose names contain this; the others only if they are known")
    arguments = parser.parse_args()
    known = {}
    if arguments.results.exists():
        for line in arguments.results.read_text().splitlines():
            if line.startswith("{"):
                row = json.loads(line)
                known[row["stage"]] = row
    print("| stages | perplexity | bits per weight | peak MB |" + (" seconds |" if arguments.seconds else ""))
    print("|---|---|---|---|" + ("---|" if arguments.seconds else ""))
    for name, stages in ROWS:
        row = known.get(stages)
        if row is None:
            if arguments.only is not None and arguments.only not in name:
                continue
            print(f"measuring {name}", file=sys.stderr)
            row = measure(arguments.program, arguments.model, stages, arguments.threads)
            with arguments.results.open("a") as results:
                results.write(json.dumps(row) + "\n")
        bits = f"{row['true_bits']:.3g}" if stages else ""
        seconds = f" {row['compress_seconds']:.0f} |" if arguments.seconds else ""
        print(f"| {name} | {row['perplexity']:.2f} | {bits} | {row['peak_rss_mb']:.0f} |{seconds}")


if __name__ == "__main__":
    main()
