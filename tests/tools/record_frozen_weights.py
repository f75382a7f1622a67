#!/usr/bin/env python3
"""Records how compressed-tensors rounds weights that a checkpoint of status "frozen" stores as they were.

  python3 -m venv /tmp/venv
  /tmp/venv/bin/pip install compressed-tensors==0.20.1 torch
  /tmp/venv/bin/python tests/tools/record_frozen_weights.py tests/fixtures/compressed_tensors

frozen.safetensors holds for each case CASE.weight, CASE.weight_scale, CASE.weight_zero_point where there is one, and
CASE.codes, what the package's `quantize` makes of them; frozen.json the cases' "weights" of a config group. A quarter of
the weights lie half way between two codes, where the rounding of 16-bit quotients decides.
"""
import json
import pathlib
import sys

import compressed_tensors
import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import quantize
from safetensors.torch import save_file

ROWS, COLUMNS, GROUP = 6, 64, 16


def main():
    folder = pathlib.Path(sys.argv[1])
    generator = torch.Generator().manual_seed(11)
    tensors, cases = {}, {}
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for bits, symmetric, strategy in ((4, True, "group"), (4, False, "group"), (8, True, "channel"),
                                          (8, False, "tensor"), (3, True, "group")):
            name = f"{str(dtype).removeprefix('torch.')}_w{bits}_{strategy}{'' if symmetric else '_asymmetric'}"
            arguments = {"num_bits": bits, "type": "int", "symmetric": symmetric, "strategy": strategy}
            shape = {"group": (ROWS, COLUMNS // GROUP), "channel": (ROWS, 1), "tensor": (1,)}[strategy]
            if strategy == "group":
                arguments["group_size"] = GROUP
            top = 2 ** (bits - 1)
            scale = (torch.rand(shape, generator=generator) * 0.02 + 0.01).to(dtype)
            zero = torch.randint(-top, top, shape, generator=generator, dtype=torch.int8) if not symmetric else None
            weight = torch.randn((ROWS, COLUMNS), generator=generator) * top * 0.01
            wide = scale.float().repeat_interleave(COLUMNS // (scale.numel() // ROWS or 1), dim=-1) \
                if strategy != "tensor" else scale.float().expand(ROWS, COLUMNS)
            ties = (torch.randint(-top, top, (ROWS, COLUMNS), generator=generator) + 0.5) * wide
            weight = torch.where(torch.rand((ROWS, COLUMNS), generator=generator) < 0.25, ties, weight).to(dtype)
            codes = quantize(weight, scale, zero, QuantizationArgs(**arguments), dtype=torch.int8)
            tensors[f"{name}.weight"], tensors[f"{name}.weight_scale"] = weight, scale
            tensors[f"{name}.codes"] = codes
            if zero is not None:
                tensors[f"{name}.weight_zero_point"] = zero
            cases[name] = arguments
    save_file(tensors, folder / "frozen.safetensors")
    recorded = {"tool": f"compressed-tensors {compressed_tensors.__version__}", "cases": cases}
    (folder / "frozen.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
