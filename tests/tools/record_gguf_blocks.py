#!/usr/bin/env python3
"""Records how the PyPI package `gguf` decodes blocks of the types that Tersor reads.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install gguf==0.19.0
  /tmp/venv/bin/python tests/tools/record_gguf_blocks.py > tests/fixtures/gguf_blocks.json

Ordinary blocks have sensible scales, and their floats are kept. Hostile ones are random bytes, all zeros and all ones;
of their floats the SHA-256 is kept, every NaN as the bits 7fc00000.
"""
import hashlib
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Byte offsets of the 16-bit floats of a block; all other bytes are random.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ3_XXS": [0], "IQ1_S": [0],
          "IQ4_NL": [0], "IQ3_S": [0], "IQ2_S": [0], "IQ4_XS": [0], "IQ1_M": [], "TQ1_0": [52], "TQ2_0": [64],
          "MXFP4": [], "NVFP4": []}


def ordinary(name, size, values, random):
    count = max(2, 128 // values)
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    halves = random.normal(0, 0.05, (count, 2)).astype(np.float16)
    halves[-1] = np.float16(3e-6)  # a subnormal one
    for place, offset in enumerate(HALVES[name]):
        blocks[:, offset:offset + 2] = halves[:, place:place + 1].view(np.uint8)
    if name == "MXFP4":  # an exponent of 2
        blocks[:, 0] = random.integers(110, 135, count, dtype=np.uint8)
    if name == "IQ1_M":  # the nibbles of a float lie in four words
        for word in range(4):
            nibble = (halves[:, 0].view(np.uint16) >> (4 * word)) & 15
            blocks[:, 49 + 2 * word] = (blocks[:, 49 + 2 * word] & 15) | (nibble << 4)
    return blocks


def hostile(size, random):
    blocks = random.integers(0, 256, (24, size), dtype=np.uint8)
    blocks[0], blocks[1] = 0, 255
    return blocks


def floats(blocks, kind):
    with np.errstate(all="ignore"):
        return dequantize(blocks.reshape(-1), kind).astype("<f4")


def main():
    random = np.random.default_rng(7)
    cases = []
    for name in HALVES:
        kind = GGMLQuantizationType[name]
        values, size = GGML_QUANT_SIZES[kind]
        blocks, wild = ordinary(name, size, values, random), hostile(size, random)
        decoded = floats(wild, kind)
        decoded[np.isnan(decoded)] = np.array([0x7fc00000], np.uint32).view(np.float32)[0]
        cases.append({"type": name, "id": int(kind), "values": values, "bytes": size,
                      "blocks_hex": blocks.tobytes().hex(), "floats_hex": floats(blocks, kind).tobytes().hex(),
                      "hostile_hex": wild.tobytes().hex(),
                      "hostile_sha256": hashlib.sha256(decoded.tobytes()).hexdigest()})
    json.dump({"tool": "gguf 0.19.0", "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
