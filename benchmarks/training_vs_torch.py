#!/usr/bin/env python3
"""Tokens per second, peak memory and losses of training, beside torch and PEFT, turn by turn in one run: full fine-tuning
and LoRA (rank 16, all linear layers of the blocks), float32, batches of one sequence of 512 tokens, AdamW, cosine.

Usage: training_vs_torch.py MODEL.gguf [--program build/release/bin/training_speed] [--steps 8] [--threads 2]
Needs torch, transformers, peft and gguf. Prints one JSON line a method, with ratios.
"""
import argparse
import json
import pathlib
import subprocess
import sys

TORCH = r"""
import json, math, resource, statistics, sys, time
import torch
from transformers import AutoModelForCausalLM
model_path, method, steps, tokens, threads, ids_path, rate = sys.argv[1:]
steps, tokens = int(steps), int(tokens)
torch.set_num_threads(int(threads))
folder, _, file = model_path.rpartition('/')
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
if method == 'lora':
    from peft import LoraConfig, get_peft_model
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules='all-linear'))
model.train()
parameters = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(parameters, lr=float(rate), weight_decay=0.0)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: (1 + math.cos(math.pi * s / steps)) / 2)
ids = json.load(open(ids_path))
seconds, losses = [], []
for step in range(steps):
    x = torch.tensor([ids[step * tokens:(step + 1) * tokens]])
    start = time.perf_counter()
    loss = model(input_ids=x, labels=x, use_cache=False).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
    seconds.append(time.perf_counter() - start)
print(json.dumps({'tokens_per_second': tokens / statistics.median(seconds), 'first_loss': losses[0],
                  'last_loss': losses[-1],
                  'peak_rss_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def last_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--program", default="build/release/bin/training_speed")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ids", help="file that the token ids are handed over in", default="/tmp/training_ids.json")
    arguments = parser.parse_args()
    for method, rate in (("full", "1e-4"), ("lora", "1e-3")):
        ours = last_json([arguments.program, arguments.model, "--method", method, "--rate", rate, "--steps",
                          str(arguments.steps), "--tokens", str(arguments.tokens), "--threads",
                          str(arguments.threads), "--windows", "0", "--ids", arguments.ids])
        torch = last_json([sys.executable, "-c", TORCH, str(pathlib.Path(arguments.model).resolve()), method,
                           str(arguments.steps), str(arguments.tokens), str(arguments.threads), arguments.ids, rate])
        print(json.dumps({"method": method, "tersor": ours, "torch": torch,
                          "speed_ratio": ours["tokens_per_second"] / torch["tokens_per_second"],
                          "memory_ratio": ours["peak_rss_mb"] / torch["peak_rss_mb"]}), flush=True)


if __name__ == "__main__":
    main()
