#!/usr/bin/env python3
"""Prints the tables of docs/results.md anew, by the benchmark programs that they are of, and when and where it was.

  benchmarks/results.py --list                       # the sections, their commands and what each needs
  benchmarks/results.py methods kernels              # runs them one after the other
  benchmarks/results.py methods --dry-run

Figures are taken alone on the machine. What a command prints stands in the page under the section's name, with the line
that this program puts before it; what a table means is written by people. MODEL is the demo model (scripts/fetch_model.sh);
build the programs with `cmake --build --preset release`.
"""
import argparse
import datetime
import os
import pathlib
import platform
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
GPTQ = ["scale_search: SCALE_SEARCH_MINMAX activation_order: false", "scale_search: SCALE_SEARCH_MSE activation_order: false",
        "scale_search: SCALE_SEARCH_HESSIAN activation_order: false", "scale_search: SCALE_SEARCH_MINMAX", "",
        "refine_rounds: 3", "dense_correction: 0.5", "dense_correction: 1"]
PEERS = ["gptq 2", "awq 2", "smoothquant 2", "smoothquant 1", "rtn 2", "rtn 1", "w8a8 2", "w8a8 1"]

# Section of docs/results.md, what it needs beside the build, and its commands.
SECTIONS = {
    "methods": ("Every method", "", ["benchmarks/quantization_table.py MODEL"]),
    "gptq": ("What GPTQ's options gain", "",
             [f"build/release/bin/quantize_quality MODEL --stage 'gptq {{ {options} }}' --threads 2" for options in GPTQ]),
    "pruning": ("Pruning", "", ["benchmarks/pruning_table.py MODEL", "build/release/bin/kernels 2 break-even"]),
    "peers": ("Compression beside the peers", "llm-compressor (the script installs it)",
              [f"benchmarks/compress_vs_llm_compressor.sh {one}" for one in PEERS] +
              ["benchmarks/perplexity_vs_llama_cpp.sh 16 2"]),
    "plans": ("Planned and actual", "", ["benchmarks/plan_bounds.py MODEL"]),
    "kernels": ("Kernels", "", ["build/release/bin/kernels 2 'one row'", "benchmarks/decode_vs_llama_cpp.sh 1"]),
    "tasks": ("Tasks beside lm-eval", "LM_EVAL, a venv with lm_eval==0.4.13 and torch; MODEL_FOLDER, the model as a folder",
              [f"env MODEL=MODEL_FOLDER benchmarks/tasks_vs_lm_eval.sh {task}" for task in
               ("arc_easy 200", "hellaswag 200", "piqa 200", "lambada_openai 200", "mmlu_5shot 4")]),
    "exports": ("Exports read by their programs", "", ["benchmarks/interop/llama_cpp_agreement.sh 8"]),
    "siege": ("Under siege", "", ["env TERSOR_SIEGE_KILLS=100 TERSOR_SIEGE_SEED=7 build/release/bin/siege_test"]),
}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    return f"{os.cpu_count()} cores of {model}"


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "no commit"


def spelled(command, model):
    words = {"MODEL": model, "MODEL=MODEL_FOLDER": "MODEL=" + shlex.quote(os.environ.get("MODEL_FOLDER", "MODEL_FOLDER"))}
    return " ".join(words.get(word, word) for word in command.split(" "))


def run(section, model, dry):
    title, needs, commands = SECTIONS[section]
    print(f"## {title}\nPrinted on {datetime.date.today()} at {commit()} on {machine()}.\n", flush=True)
    failed = 0
    for command in commands:
        line = spelled(command, shlex.quote(model))
        print(f"`{line}`\n", flush=True)
        if not dry and subprocess.run(line, shell=True, cwd=ROOT, check=False).returncode != 0:
            print(f"results: {line} failed" + (f"; it needs {needs}" if needs else ""), file=sys.stderr)
            failed += 1
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--list", action="store_true", help="print the sections")
    parser.add_argument("--dry-run", action="store_true", help="print the commands only")
    parser.add_argument("--model", default=os.environ.get("TERSOR_DEMO_MODEL"), help="default: scripts/fetch_model.sh")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown or not (arguments.list or arguments.sections):
        parser.error(f"name sections: {', '.join(SECTIONS)}")
    if arguments.list:
        for name, (title, needs, commands) in SECTIONS.items():
            print(f"{name}: \"{title}\"" + (f", needs {needs}" if needs else ""))
            for command in commands:
                print(f"    {command}")
        return 0
    model = arguments.model or subprocess.run([ROOT / "scripts/fetch_model.sh"], check=True, capture_output=True,
                                              text=True).stdout.strip()
    return 1 if sum(run(section, model, arguments.dry_run) for section in arguments.sections) else 0


if __name__ == "__main__":
    sys.exit(main())
