#!/usr/bin/env python3
"""NLL of the first 512-token window of a text, computed from a GGUF in float64 with numpy alone: an answer with no rounding.

    tersor tokenize --model MODEL.gguf < wikitext2_tokens_test.txt | record_float64_nll.py MODEL.gguf

Llama family, tied head, tensors F32, Q4_1 and Q8_0 only. A minute or so.
"""
import json
import struct
import sys

import numpy as np

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class Gguf:
    def __init__(self, path):
        self.data, self.at = open(path, "rb").read(), 4
        self.scalar("I")
        tensors, keys = self.scalar("Q"), self.scalar("Q")
        self.metadata = {}
        for _ in range(keys):
            name = self.text()
            self.metadata[name] = self.value(self.scalar("I"))
        self.tensors = {}
        for _ in range(tensors):
            name = self.text()
            shape = [self.scalar("Q") for _ in range(self.scalar("I"))]
            self.tensors[name] = (shape, self.scalar("I"), self.scalar("Q"))
        alignment = self.metadata.get("general.alignment", 32)
        self.base = -(-self.at // alignment) * alignment

    def scalar(self, kind):
        value = struct.unpack_from("<" + kind, self.data, self.at)[0]
        self.at += struct.calcsize("<" + kind)
        return value

    def text(self):
        length = self.scalar("Q")
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8", "replace")

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            element, count = self.scalar("I"), self.scalar("Q")
            return [self.value(element) for _ in range(count)]
        return self.scalar(SCALARS[kind])

    def tensor(self, name):
        shape, kind, offset = self.tensors[name]
        count, start = int(np.prod(shape)), self.base + offset
        if kind == 0:
            values = np.frombuffer(self.data, "<f4", count, start).astype(np.float64)
        elif kind == 3:
            rows = np.frombuffer(self.data, np.uint8, count // 32 * 20, start).reshape(-1, 20)
            scale = rows[:, :4].copy().view("<f2").astype(np.float64)
            codes = np.concatenate([rows[:, 4:] & 15, rows[:, 4:] >> 4], 1).astype(np.float64)
            values = codes * scale[:, :1] + scale[:, 1:]
        elif kind == 8:
            rows = np.frombuffer(self.data, np.uint8, count // 32 * 34, start).reshape(-1, 34)
            values = rows[:, 2:].view(np.int8) * rows[:, :2].copy().view("<f2").astype(np.float64)
        else:
            sys.exit(f"{name} has type {kind}")
        return values.reshape(shape[::-1])


def final_hidden(model, ids):
    get = lambda key: model.metadata["llama." + key]
    heads, kv_heads, width = get("attention.head_count"), get("attention.head_count_kv"), get("embedding_length")
    size, n, epsilon = width // heads, len(ids), get("attention.layer_norm_rms_epsilon")
    angle = np.arange(n)[:, None] * get("rope.freq_base") ** (-np.arange(0, size, 2) / size)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    mask = np.triu(np.full((n, n), -np.inf), 1)

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * model.tensor(name)

    def rope(x):  # GGUF's order of rows: neighbours are a pair
        even, odd, out = x[..., 0::2], x[..., 1::2], np.empty_like(x)
        out[..., 0::2], out[..., 1::2] = even * cos - odd * sin, even * sin + odd * cos
        return out

    x = model.tensor("token_embd.weight")[ids]
    for layer in range(get("block_count")):
        linear = lambda h, name: h @ model.tensor(f"blk.{layer}.{name}.weight").T
        h = norm(x, f"blk.{layer}.attn_norm.weight")
        q = rope(linear(h, "attn_q").reshape(n, heads, size))
        k = rope(linear(h, "attn_k").reshape(n, kv_heads, size))
        v = linear(h, "attn_v").reshape(n, kv_heads, size)
        out = np.empty((n, heads, size))
        for head in range(heads):
            scores = q[:, head] @ k[:, head * kv_heads // heads].T / np.sqrt(size) + mask
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            out[:, head] = scores / scores.sum(-1, keepdims=True) @ v[:, head * kv_heads // heads]
        x = x + linear(out.reshape(n, -1), "attn_output")
        h = norm(x, f"blk.{layer}.ffn_norm.weight")
        gate = linear(h, "ffn_gate")
        x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, "ffn_up"), "ffn_down")
    return norm(x, "output_norm.weight")


def main():
    ids = np.array(json.load(sys.stdin)["ids"][:512])
    model = Gguf(sys.argv[1])
    head, total = model.tensor("token_embd.weight"), 0.0
    for row, target in zip(final_hidden(model, ids)[:-1], ids[1:]):
        logits = head @ row
        largest = logits.max()
        total += largest + np.log(np.exp(logits - largest).sum()) - logits[target]
    print(json.dumps({"start": 0, "n": len(ids) - 1, "nll_sum": total}))


if __name__ == "__main__":
    main()
