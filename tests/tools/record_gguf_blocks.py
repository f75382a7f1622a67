#!/usr/bin/env python3
"""Records how the PyPI package `gguf` decodes blocks of the types that Tersor reads.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install gguf==0.19.0
  /tmp/venv/bin/python tests/tools/record_gguf_blocks.py > tests/fixtures/gguf_blocks.json
"""
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Byte offsets of the 16-bit floats of a block; all other bytes are random.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q6_K": [208], "MXFP4": []}


def main():
    random = np.random.default_rng(7)
    cases = []
    for name, offsets in HALVES.items():
        kind = GGMLQuantizationType[name]
        values, size = GGML_QUANT_SIZES[kind]
        count = max(2, 128 // values)
        blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
        for offset in offsets:
            halves = random.normal(0, 0.05, count).astype(np.float16)
            halves[-1] = np.float16(3e-6)  # a subnormal one
            blocks[:, offset:offset + 2] = halves.view(np.uint8).reshape(count, 2)
        if name == "MXFP4":  # an exponent of 2
            blocks[:, 0] = random.integers(110, 135, count, dtype=np.uint8)
        decoded = dequantize(blocks.reshape(-1), kind).astype("<f4")
        cases.append({"type": name, "id": int(kind), "values": values, "bytes": size,
                      "blocks_hex": blocks.tobytes().hex(), "floats_hex": decoded.tobytes().hex()})
    json.dump({"tool": "gguf 0.19.0", "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
