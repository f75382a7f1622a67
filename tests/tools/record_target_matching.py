#!/usr/bin/env python3
"""Records which modules compressed-tensors takes a target for.

  python3 -m venv /tmp/venv
  /tmp/venv/bin/pip install compressed-tensors==0.20.1 torch
  /tmp/venv/bin/python tests/tools/record_target_matching.py tests/fixtures/compressed_tensors/target_matching.json

For every target, the modules for which `is_match` answers true. Modules are torch.nn.Linear, but for the embedding.
"""
import importlib.metadata
import json
import pathlib
import sys

import torch
from compressed_tensors.utils.match import is_match

MODULES = [f"model.layers.{layer}.{name}" for layer in (0, 1, 10)
           for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                        "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")]
MODULES += ["model.embed_tokens", "lm_head", "model.layers.0.mlp.shared_experts.up_proj", "model.ünïcode.q_proj"]

TARGETS = [
    "Linear", "linear", "Embedding", "Module", "LinearBase", "LlamaAttention", "Conv1D", "q_proj", "lm_head",
    "model.layers.0.mlp.up_proj", "layers.0.mlp.up_proj", "model.layers.0", "re:", "re:.*", "re:.*q_proj", "re:q_proj",
    "re:.*\\.q_proj$", "re:.*(q|k|v)_proj", "re:^(?!.*down_proj).*_proj$", "re:.*(?<!up)_proj$",
    "re:(?!model).*", "re:model\\.layers\\.(?:0|1)\\..*", "re:model\\.layers\\.1\\D.*", "re:.*layers\\.\\d+\\.mlp",
    "re:model.layers.1", "re:.*[qk]_proj\\Z", "re:(?i).*Q_PROJ", "re:(?P<layer>model\\.layers\\.0)\\..*",
    "re:.*(\\w)\\1.*", "re:.*gate_proj|.*up_proj", "re:model\\.layers\\.0\\.mlp\\.(gate|up)_proj",
    "re:.*\\.mlp\\.(?!gate_proj|up_proj).*", "re:.*shared_expert.*", "re:model\\.\\w+code\\.q_proj",
    "re:.{18}\\.self_attn", "re:.*proj\\b(?=$)", "re: .*", "RE:.*",
]


def main():
    linear, embedding = torch.nn.Linear(1, 1), torch.nn.Embedding(1, 1)
    cases = []
    for target in TARGETS:
        matched = [name for name in MODULES
                   if is_match(name, embedding if name.endswith("embed_tokens") else linear, target)]
        cases.append({"target": target, "modules": matched})
    recorded = {"tool": "compressed-tensors " + importlib.metadata.version("compressed-tensors"), "modules": MODULES,
                "cases": cases}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
