"""Runs lm-eval and Tersor on the same items and compares answers, time and memory; see tasks_vs_lm_eval.sh."""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import time

CHOICE_TASK = """\
output_type: multiple_choice
doc_to_text: "{{context}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{gold}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true},
              {metric: acc_norm, aggregation: mean, higher_is_better: true}]
"""
CLOZE_TASK = """\
output_type: loglikelihood
doc_to_text: "{{context}}"
doc_to_target: "{{target}}"
target_delimiter: ""
metric_list: [{metric: perplexity, aggregation: perplexity, higher_is_better: false},
              {metric: acc, aggregation: mean, higher_is_better: true}]
"""


def read_lines(path, count=None):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for _, line in zip(range(count or 1 << 40), file)]


def mmlu_items(data, subjects):
    """Whole subjects with five worked examples: description, shots, question, the description once."""
    items = read_lines(f"{data}/mmlu_sample.jsonl")
    shots = read_lines(f"{data}/mmlu_dev_fewshot.jsonl")
    chosen = list(dict.fromkeys(item["subject"] for item in items))[:subjects]
    result = []
    for item in items:
        if item["subject"] not in chosen:
            continue
        description, question = item["context"].split("\n\n", 1)
        worked = [f'{s["context"]} {s["choices"][s["gold"]]}' for s in shots if s["subject"] == item["subject"]][:5]
        result.append({**item, "context": "\n\n".join([description, *worked, question])})
    return result


def measured(command, log, environment=None):
    """Wall seconds and the largest resident bytes of `command`."""
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command[0]} failed:\n" + open(log, encoding="utf-8").read()[-3000:])
    return seconds, usage.ru_maxrss * 1024


def run_lm_eval(arguments, items_path, cloze):
    folder = f"{arguments.out}/lm_eval"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(f"{folder}/task.yaml", "w", encoding="utf-8") as file:
        file.write("task: compared\ndataset_path: json\ntest_split: test\n"
                   f"dataset_kwargs: {{data_files: {{test: {items_path}}}}}\n" + (CLOZE_TASK if cloze else CHOICE_TASK))
    environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    figures = measured([arguments.lm_eval, "--model", "hf", "--model_args",
                        f"pretrained={arguments.model},dtype=float32", "--device", "cpu", "--include_path", folder,
                        "--tasks", "compared", "--batch_size", "8", "--log_samples", "--output_path", f"{folder}/out"],
                       f"{folder}/log", environment)
    with open(f"{folder}/figures.json", "w", encoding="utf-8") as file:
        json.dump(figures, file)


def their_answers(folder):
    paths = glob.glob(f"{folder}/lm_eval/out/**/samples_*.jsonl", recursive=True)
    answers = {}
    for sample in read_lines(paths[0]):
        pairs = sample["filtered_resps"] if "choices" in sample["doc"] else [sample["filtered_resps"][0]]
        answers[sample["doc"]["id"]] = [(float(pair[0]), str(pair[1]) == "True") for pair in pairs]
    with open(f"{folder}/lm_eval/figures.json", encoding="utf-8") as file:
        return answers, json.load(file)


def scores(items, answers):
    """acc and acc_norm of choices, acc of cloze items."""
    right = [0, 0]
    for item in items:
        answer = answers[item["id"]]
        if "choices" not in item:
            right[0] += answer[0][1]
            continue
        values = [pair[0] for pair in answer]
        normed = [value / len(choice) for value, choice in zip(values, item["choices"])]
        right[0] += values.index(max(values)) == item["gold"]
        right[1] += normed.index(max(normed)) == item["gold"]
    return [count / len(items) for count in right]


def main():
    parser = argparse.ArgumentParser()
    for name in ("task", "data", "model", "lm-eval", "score-tasks", "out", "reuse"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.task == "mmlu_5shot":
        items = mmlu_items(arguments.data, arguments.items)
    else:
        items = read_lines(f"{arguments.data}/{arguments.task}.jsonl", arguments.items)
    cloze = "choices" not in items[0]
    os.makedirs(arguments.out, exist_ok=True)
    items_path = os.path.abspath(f"{arguments.out}/items.jsonl")
    with open(items_path, "w", encoding="utf-8") as file:
        for item in items:
            kept = ("id", "context", "target") if cloze else ("id", "context", "choices", "gold")
            file.write(json.dumps({key: item[key] for key in kept}) + "\n")

    ours_seconds, ours_bytes = measured(
        [arguments.score_tasks, arguments.model, items_path, "--threads", str(arguments.threads), "--out",
         f"{arguments.out}/ours.jsonl"], f"{arguments.out}/ours.log")
    if not arguments.reuse:
        run_lm_eval(arguments, items_path, cloze)
    theirs, (their_seconds, their_bytes) = their_answers(arguments.reuse or arguments.out)
    ours = {line["id"]: list(zip(line["loglikelihoods"], line["greedy"]))
            for line in read_lines(f"{arguments.out}/ours.jsonl")}

    pairs = [(a, b) for item in items for a, b in zip(theirs[item["id"]], ours[item["id"]], strict=True)]
    difference = max(abs(a[0] - b[0]) for a, b in pairs)
    relative = max(abs(a[0] - b[0]) / abs(a[0]) for a, b in pairs)
    greedy = sum(a[1] != b[1] for a, b in pairs)
    their_scores, our_scores = scores(items, theirs), scores(items, ours)
    print(open(f"{arguments.out}/ours.log", encoding="utf-8").read().strip())
    print(f"{arguments.task}: {len(items)} items, {len(pairs)} requests, {arguments.threads} threads\n"
          f"  log-likelihoods differ by at most {difference:.2e} (relative {relative:.1e}), {greedy} greedy flags differ\n"
          f"  acc, acc_norm: lm-eval {their_scores}, tersor {our_scores}\n"
          f"  lm-eval {their_seconds:7.1f} s  {their_bytes / 1e6:7.0f} MB\n"
          f"  tersor  {ours_seconds:7.1f} s  {ours_bytes / 1e6:7.0f} MB\n"
          f"  ratio   {their_seconds / ours_seconds:7.2f}    {ours_bytes / their_bytes:7.2f} of the memory")
    if their_scores != our_scores or greedy or any(abs(a[0] - b[0]) > max(1e-3, 1e-5 * abs(a[0])) for a, b in pairs):
        sys.exit("the answers differ")


main()
