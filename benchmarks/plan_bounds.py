#!/usr/bin/env python3
"""Prints what plans said beside what came of it, one Markdown row a method.

Every registered method at its defaults, and some with options, goes through `tersor run`: 16 x 512 tokens of
wikitext2_tokens_valid, nothing evaluated, nothing taken from a cache. The row is of the compressing stage; artifacts
count together, and the worst stage of those after it comes last. Exit code 1 where a figure exceeds what was planned.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
# QuantizeStages in protobuf's text format, beside `METHOD {}` of every method; " + " stands between two of a recipe.
WITH_OPTIONS = [
    "rtn { bits: 8 group_size: -1 } activations {}",
    "rtn {} head { bits: 8 }",
    "gptq { dense_correction: 0.5 }",
    "gptq { refine_rounds: 3 }",
    "gptq { dense_correction: 0.5 } head { bits: 8 }",
    "awq { bits: 3 }",
    "smoothquant { fold: 'all' }",
    "bcq { planes: 3 }",
    "bcq { planes: 8 }",
    "bcq { input_weighting: false }",
    "zeroquant_fp { lorc_rank: 8 }",
    "rptq { clusters: 1 }",
    "olive { bits: 8 }",
    "owq { bits: 4 }",
    "spqr { bits: 4 group_size: 64 }",
    "rtn {} skip: 're:.*mlp.*' + gptq {} skip: 're:.*self_attn.*'",
]
HEADER = ("| stage | planned s | s | planned MB | peak MB | planned / peak | artifacts planned MB | MB | "
          "scratch planned MB | MB |")


class LargestSize:
    """The largest size that a folder's files reach together while this is open."""

    def __init__(self, folder):
        self.folder, self.bytes = folder, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(0.02):
            self.bytes = max(self.bytes, sum(map(file_bytes, self.folder.rglob("*"))))


def file_bytes(path):
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def tersor(arguments, folder, *words):
    command = [str(arguments.program), *words]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def run(arguments, stage):
    """The plan, the report and the largest size of the run's scratch files."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        recipe = folder / "recipe.textproto"
        stages = "".join(f"stages {{ quantize {{ {one} }} }}\n" for one in stage.split(" + "))
        recipe.write_text(f'model: "{arguments.model.resolve()}"\n'
                          f'calibration {{ dataset: "{arguments.text.resolve()}" samples: 16 tokens: 512 }}\n' + stages)
        words = ["run", str(recipe), "--threads", str(arguments.threads), "-q", "--output", "json"]
        plan = tersor(arguments, folder, *words, "--dry-run")
        workspace = folder / "workspace"
        with LargestSize(workspace / "checkpoint") as scratch:
            report = tersor(arguments, folder, *words, "--workspace", str(workspace))
        return plan, report, scratch.bytes


class Check:
    """Collects what is above its bound."""

    def __init__(self):
        self.faults = []

    def __call__(self, what, planned, actual):
        if actual > planned:
            self.faults.append(f"{what}: {actual:.6g} where {planned:.6g} was planned")


def total_bytes(message):
    return sum(artifact["bytes"] for artifact in message["artifacts"])


def compare(name, plan, report, scratch, check):
    """The row of the compressing stage; the other stages' (planned / peak, words)."""
    planned = {stage["name"]: stage for stage in plan["stages"]}
    for stage in report["stages"]:
        bound, where = planned[stage["name"]], f"{name}: {stage['name']}"
        check(where + ": seconds", bound["seconds"], stage["seconds"])
        check(where + ": peak bytes", bound["peak_memory_bytes"], stage["peak_rss_bytes"])
    for bound, artifact in zip(plan["artifacts"], report["artifacts"]):
        check(f"{name}: {artifact['name']}: bytes", bound["bytes"], artifact["bytes"])
    first, *others = report["stages"]
    bound = planned[first["name"]]
    check(f"{name}: scratch bytes", bound["scratch_bytes"], scratch)
    row = (f"| `{name}` | {bound['seconds']:.1f} | {first['seconds']:.1f} | {bound['peak_memory_bytes'] / 1e6:.0f} | "
           f"{first['peak_rss_bytes'] / 1e6:.0f} | {bound['peak_memory_bytes'] / first['peak_rss_bytes']:.2f} | "
           f"{total_bytes(plan) / 1e6:.2f} | {total_bytes(report) / 1e6:.2f} | {bound['scratch_bytes'] / 1e6:.1f} | "
           f"{scratch / 1e6:.1f} |")
    words = []
    for stage in others:
        memory = planned[stage["name"]]["peak_memory_bytes"]
        words.append((memory / stage["peak_rss_bytes"],
                      f"{name}: {stage['name']}: {memory / 1e6:.0f} MB planned, {stage['peak_rss_bytes'] / 1e6:.0f} "
                      f"reached; {planned[stage['name']]['seconds']:.1f} s planned, {stage['seconds']:.1f} taken"))
    return row, words


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/tersor")
    parser.add_argument("--text", type=pathlib.Path, default=ROOT / "../shared/data/text/wikitext2_tokens_valid.txt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="rows that hold one of these")
    arguments = parser.parse_args()
    methods = tersor(arguments, pathlib.Path(tempfile.gettempdir()), "methods", "--output", "json")["methods"]
    stages = [method["name"] + " {}" for method in methods] + WITH_OPTIONS
    check, others = Check(), []
    print(HEADER + "\n|" + "---|" * (HEADER.count("|") - 1), flush=True)
    for stage in stages:
        if arguments.only and not any(part in stage for part in arguments.only):
            continue
        row, words = compare(stage, *run(arguments, stage), check)
        print(row, flush=True)
        others += words
    for which, (_, words) in (("tightest", min(others)), ("loosest", max(others))):
        print(f"\nOther stages, {which}: {words}")
    for fault in check.faults:
        print(f"above its bound: {fault}", file=sys.stderr)
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
