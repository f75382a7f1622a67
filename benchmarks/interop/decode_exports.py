#!/usr/bin/env python3
"""Decodes what Tersor exported with the readers that it was exported for, and compares with the values Tersor evaluated.

  tersor run recipe.yaml --workspace W     # export: [safetensors:f32, compressed-tensors, gptq, gptq_v2, awq, gguf:q4_0]
  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install compressed-tensors==0.19.0 gguf==0.19.0 safetensors
  pip download --no-deps auto-gptq==0.7.1 autoawq==0.2.9        # unpacked beside each other into SOURCES
  /tmp/venv/bin/python benchmarks/interop/decode_exports.py W/artifacts --sources SOURCES

safetensors-f32 in the folder is what the others are compared with. A recipe that quantizes inputs cannot write it: give
with --truth that of the same recipe with `activations: { format: none }` (the weights of methods that read no text are the
same there). Readers:
compressed-tensors' own decompressor,
AutoGPTQ's QuantLinear (its product with the identity), the same with zero points as they are for gptq_v2, AutoAWQ's
dequantize_gemm, and gguf's dequantize. Prints a line an export: layers, largest difference, and where it is. Exit code 1
where a packed integer layer differs at all.
"""
import argparse
import importlib.util
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from safetensors.torch import load_file

warnings.filterwarnings("ignore")


def load(folder):
    tensors = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(shard))
    return tensors


def parts_of(tensors, module):
    return {name.removeprefix(module + "."): tensor for name, tensor in tensors.items()
            if name.startswith(module + ".")}


def compressed_tensors(folder, _):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "tools"))
    from compressed_tensors_decoding import decode_folder
    return decode_folder(folder)


def quant_linear(sources):
    spec = importlib.util.spec_from_file_location(
        "auto_gptq_linear", sources / "auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.QuantLinear


def gptq(folder, sources):
    linear_class = quant_linear(sources)
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    bits, version = config["bits"], 2 if config["checkpoint_format"] == "gptq_v2" else 1
    tensors = load(folder)
    for module in [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]:
        parts = parts_of(tensors, module)
        columns, rows = parts["g_idx"].numel(), parts["scales"].shape[1]
        group = columns // parts["scales"].shape[0]
        linear = linear_class(bits, group, columns, rows, bias=False)
        linear.autogptq_cuda_available = False
        linear.qweight, linear.scales = parts["qweight"], parts["scales"].float()
        # AutoGPTQ knows version 1 only: what version 2 stores is what version 1 would, plus one in every field.
        ones = sum(1 << shift for shift in range(0, 32, bits)) if 32 % bits == 0 else None
        if version == 2 and ones is None:
            continue
        words = parts["qzeros"].numpy().view(np.uint32)
        linear.qzeros = torch.from_numpy((words - np.uint32(ones)).view(np.int32) if version == 2 else words.view(np.int32))
        yield module, linear(torch.eye(columns)).T.float()


def awq(folder, sources):
    sys.path.insert(0, str(sources))
    from awq.utils.packing_utils import dequantize_gemm
    group = json.loads((folder / "config.json").read_text())["quantization_config"]["group_size"]
    tensors = load(folder)
    for module in [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]:
        parts = parts_of(tensors, module)
        size = parts["qweight"].shape[0] if group == -1 else group
        yield module, dequantize_gemm(parts["qweight"], parts["qzeros"], parts["scales"].float(), 4, size).T.float()


GGUF_NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
              "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
              "ffn_down": "mlp.down_proj"}


def gguf(path, _):
    import gguf as package
    reader = package.GGUFReader(str(path))
    fields = reader.fields
    prefix = bytes(fields["general.architecture"].parts[-1]).decode()
    heads = int(fields[f"{prefix}.attention.head_count"].parts[-1][0])
    kv_heads = int(fields[f"{prefix}.attention.head_count_kv"].parts[-1][0])
    for tensor in reader.tensors:
        pieces = tensor.name.split(".")
        if len(pieces) != 4 or pieces[2] not in GGUF_NAMES:
            continue
        weight = torch.from_numpy(np.array(package.quants.dequantize(tensor.data, tensor.tensor_type)))
        if prefix == "llama" and pieces[2] in ("attn_q", "attn_k"):
            count = heads if pieces[2] == "attn_q" else kv_heads
            rows, columns = weight.shape
            weight = weight.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
        yield f"model.layers.{pieces[1]}.{GGUF_NAMES[pieces[2]]}", weight.float()


READERS = {"compressed-tensors": compressed_tensors, "gptq": gptq, "gptq_v2": gptq, "awq": awq}


def compare(name, decoded, truth):
    layers, largest, where = 0, 0.0, ""
    for module, weight in decoded:
        difference = (weight - truth[module + ".weight"].float()).abs().max().item()
        layers += 1
        if difference > largest:
            largest, where = difference, module
    print(f"{name:24} {layers:4} layers, largest difference {largest:.3g} {where}", flush=True)
    return layers > 0 and largest == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", type=pathlib.Path)
    parser.add_argument("--sources", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--truth", type=pathlib.Path, help="safetensors-f32 of another run, see above")
    arguments = parser.parse_args()
    truth = load(arguments.truth or arguments.artifacts / "safetensors-f32")
    exact = True
    for name, reader in READERS.items():
        folder = arguments.artifacts / name
        if folder.is_dir():
            exact &= compare(name, reader(folder, arguments.sources), truth)
    for path in sorted(arguments.artifacts.glob("*.gguf")):
        same = compare(path.name, gguf(path, None), truth)
        exact &= same or path.stem not in ("model-q4_0", "model-q8_0")
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
