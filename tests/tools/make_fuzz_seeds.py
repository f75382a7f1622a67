#!/usr/bin/env python3
"""Writes small valid files for the fuzz targets to start from (needs the PyPI package `gguf`).

  python3 tests/tools/make_fuzz_seeds.py /tmp/seeds
  build/fuzz/bin/gguf_fuzz -max_total_time=60 /tmp/seeds/gguf        # likewise safetensors, config, recipe
"""
import json
import pathlib
import struct
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 32,
          "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64,
          "vocab_size": 8, "rope_theta": 10000.0, "eos_token_id": [1, 2], "tie_word_embeddings": True,
          "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                           "original_max_position_embeddings": 64}}
SHAPES = {"token_embd": (8, 32), "output_norm": (32,), "blk.0.attn_norm": (32,), "blk.0.attn_q": (32, 32),
          "blk.0.attn_k": (16, 32), "blk.0.attn_v": (16, 32), "blk.0.attn_output": (32, 32), "blk.0.ffn_norm": (32,),
          "blk.0.ffn_gate": (32, 32), "blk.0.ffn_up": (32, 32), "blk.0.ffn_down": (32, 32)}

RECIPE = """model: m.gguf
calibration: {dataset: text, samples: 16}
stages:
  - quantize: {method: gptq, bits: 4, skip: ["re:.*down"], head: {bits: 8}, activations: {format: e4m3}}
evaluate: {perplexity: {dataset: text, window: 512}, tasks: [piqa, {name: arc_easy, limit: 9}], suite: quick}
gates: [perplexity_ratio <= 1.3, "task_accuracy_drop <= 0.02 vs job:label=release"]
kv: {bits: 4, keys: channel}
sweep: {bits: [3, 4], methods: [{method: rtn}, {method: awq, grid: 5}]}
"""


def write_gguf(path):
    writer = GGUFWriter(str(path), "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["a", "b", "ab", "<e>", "c", "d", "e", "f"])
    writer.add_token_types([1, 1, 1, 3, 1, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(3)
    for name, shape in SHAPES.items():
        if len(shape) == 2 and "ffn" in name:
            blocks = np.zeros((shape[0], shape[1] // 32 * 20), dtype=np.uint8)
            writer.add_tensor(name + ".weight", blocks, raw_dtype=GGMLQuantizationType.Q4_1)
        else:
            writer.add_tensor(name + ".weight", np.ones(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    root = pathlib.Path(sys.argv[1])
    for name in ("gguf", "safetensors", "config", "recipe"):
        (root / name).mkdir(parents=True, exist_ok=True)
    write_gguf(root / "gguf" / "tiny.gguf")
    header = json.dumps({"__metadata__": {"format": "pt"},
                         "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
                         "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}}).encode()
    (root / "safetensors" / "tiny").write_bytes(struct.pack("<Q", len(header)) + header + bytes(22))
    (root / "config" / "llama").write_text(json.dumps(CONFIG))
    qwen = dict(CONFIG, model_type="qwen2", architectures=["Qwen2ForCausalLM"], use_sliding_window=True,
                sliding_window=8, max_window_layers=0, layer_types=["sliding_attention"])
    (root / "config" / "qwen2").write_text(json.dumps(qwen))
    (root / "recipe" / "yaml").write_text(RECIPE)
    (root / "recipe" / "textproto").write_text('# recipe\nmodel: "m.gguf"\nstages { quantize { gptq { bits: 4 } } }\n')


if __name__ == "__main__":
    main()
