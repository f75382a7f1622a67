#!/usr/bin/env python3
"""Loads exported folders with transformers and says which of them go on as they should.

  tersor run recipe.yaml --workspace W      # export: ["safetensors:f32", safetensors, compressed-tensors, ...]
  VENV/bin/python benchmarks/interop/load_exports.py W/artifacts

VENV has torch, safetensors, transformers of the version in question, and compressed-tensors where such folders are to be
loaded. Every folder with a config.json is loaded by AutoModelForCausalLM in the type that it states, so that the file alone
says types and shapes, and scores the same token ids (dense folders in float32). Its logits are compared with those of safetensors-f32
beside it, which decodes to the same weights, and with --original with those of the folder that a job without stages was
made from, which shows that config.json says the same. A line a folder: the largest difference, the type of the weights, and
the rotary embedding that the program took from config.json. Exit code 1 where one does not load, has another type than it
says, or differs by more than --tolerance.
"""
import argparse
import json
import pathlib
import sys
import warnings

import torch
import transformers

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def rope_of(config):
    """What the loaded configuration computes with, whichever way it spells it."""
    parameters = getattr(config, "rope_parameters", None)
    if parameters:
        return parameters
    return {"rope_theta": getattr(config, "rope_theta", None), "rope_scaling": getattr(config, "rope_scaling", None)}


def logits_of(folder, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()
    dtype = model.dtype
    # What is rounded on the way is the program's business, but for packed weights, which it computes as it loaded them.
    model = model if hasattr(model.config, "quantization_config") else model.float()
    with torch.no_grad():
        return model.config, dtype, model(ids).logits.float()


def stated_dtype(folder):
    config = json.loads((folder / "config.json").read_text())
    return config.get("dtype", config.get("torch_dtype"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("artifacts", type=pathlib.Path)
    parser.add_argument("--original", type=pathlib.Path, help="the model's own folder; the job had no stages")
    parser.add_argument("--tolerance", type=float, default=0.02, help="of the largest logit's magnitude (default 0.02)")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in arguments.artifacts.glob("*/config.json"))
    truth = arguments.artifacts / "safetensors-f32"
    if truth not in folders:
        parser.error(f"{truth} is missing: export safetensors:f32 too")
    vocabulary = json.loads((truth / "config.json").read_text())["vocab_size"]
    ids = (torch.arange(48) * 7 + 3).remainder(vocabulary).reshape(1, -1)
    _, _, wanted = logits_of(arguments.original or truth, ids)
    failed = 0
    for folder in folders:
        try:
            config, dtype, logits = logits_of(folder, ids)
        except Exception as fault:  # pylint: disable=broad-except
            print(f"{folder.name}: not loaded: {type(fault).__name__}: {str(fault).splitlines()[0][:160]}")
            failed += 1
            continue
        difference = ((logits - wanted).abs().max() / wanted.abs().max()).item()
        dtype = str(dtype).removeprefix("torch.")
        bad = difference > arguments.tolerance or dtype != stated_dtype(folder)
        failed += bad
        print(f"{folder.name}: {'DIFFERS' if bad else 'loads'}, largest difference {difference:.2g} of the largest logit, "
              f"{dtype}, rope {json.dumps(rope_of(config))[:200]}")
    print(f"transformers {transformers.__version__}: {len(folders) - failed} of {len(folders)} folders")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
