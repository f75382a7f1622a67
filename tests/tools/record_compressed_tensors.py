#!/usr/bin/env python3
"""Records what the PyPI package `compressed-tensors` makes of pack-quantized weights, in both directions.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install compressed-tensors==0.19.0
  /tmp/venv/bin/python tests/tools/record_compressed_tensors.py pack tests/fixtures/compressed_tensors
  /tmp/venv/bin/python tests/tools/record_compressed_tensors.py decode FOLDER > decoded.json

pack: the package packs known codes. FOLDER/model.safetensors and config.json are what it writes; packed.json has, for
each layer, the codes, zero points, scales and the weight that the package decodes again.
decode: the package decodes every quantized layer of a folder that Tersor wrote; answers shape, SHA-256 of the
little-endian float32 weight and the first values of its first and last row. The export's tests compare with it.
Scales are widened to float32 before decoding, so that no product is rounded to 16 bits.
"""
import argparse
import hashlib
import json
import pathlib

import compressed_tensors
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationConfig, QuantizationScheme
from compressed_tensors_decoding import decode_folder, decode_layer
from safetensors.torch import save_file

FORMAT = "pack-quantized"
TOOL = f"compressed-tensors {compressed_tensors.__version__}"

# name, rows, columns, bits, group size (0: one a row), symmetric, dtype of the scales. Rows that aren't a multiple of 8
# pad the packed zero points; columns that aren't pad the packed codes.
CASES = [
    ("w4_g64_symmetric", 24, 128, 4, 64, True, torch.float16),
    ("w4_g32_asymmetric", 20, 64, 4, 32, False, torch.float16),
    ("w4_channel_symmetric", 5, 44, 4, 0, True, torch.bfloat16),
    ("w4_channel_asymmetric", 3, 12, 4, 0, False, torch.float16),
    ("w8_channel_symmetric", 6, 40, 8, 0, True, torch.float16),
    ("w8_g16_asymmetric", 9, 48, 8, 16, False, torch.bfloat16),
]


def hex_of(tensor):
    return tensor.contiguous().view(torch.uint8).numpy().tobytes().hex()


def weight_args(bits, group, symmetric):
    strategy = {"strategy": "group", "group_size": group} if group else {"strategy": "channel"}
    return QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, **strategy)


def pack_case(compressor, random, name, rows, columns, bits, group, symmetric, dtype):
    groups = columns // group if group else 1
    low, high = -(1 << (bits - 1)), 1 << (bits - 1)
    codes = torch.randint(low, high, (rows, columns), generator=random, dtype=torch.int8)
    codes[0, 0], codes[-1, -1] = low, high - 1
    zeros = torch.randint(low, high, (rows, groups), generator=random, dtype=torch.int8)
    if symmetric:
        zeros.zero_()
    scales = (torch.rand((rows, groups), generator=random) * 0.02 + 0.001).to(dtype)
    wide = scales.float().repeat_interleave(columns // groups, 1)
    weight = (codes.float() - zeros.float().repeat_interleave(columns // groups, 1)) * wide
    scheme = QuantizationScheme(targets=[name], weights=weight_args(bits, group, symmetric), format=FORMAT)
    parts = compressor.compress({"weight": weight, "weight_scale": scales, "weight_zero_point": zeros}, scheme)
    again = decode_layer(parts, scheme, FORMAT)
    assert torch.equal(again, weight), name
    expected = {"name": name, "rows": rows, "columns": columns, "bits": bits, "group_size": group,
                "symmetric": symmetric, "scale_dtype": str(dtype).removeprefix("torch."), "codes_i8_hex": hex_of(codes),
                "scales_hex": hex_of(scales), "zero_points_i8_hex": "" if symmetric else hex_of(zeros),
                "decoded_f32_hex": hex_of(again)}
    return parts, scheme, expected


def pack(folder):
    folder.mkdir(parents=True, exist_ok=True)
    compressor = BaseCompressor.get_value_from_registry(FORMAT)
    random = torch.Generator().manual_seed(11)
    tensors, groups, layers = {}, {}, []
    for case in CASES:
        parts, scheme, expected = pack_case(compressor, random, *case)
        tensors.update({f"{case[0]}.{part}": tensor.contiguous() for part, tensor in parts.items()})
        groups[f"group_{len(groups)}"] = scheme
        layers.append(expected)
    config = QuantizationConfig(config_groups=groups, format=FORMAT, quantization_status="compressed", ignore=[])
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"quantization_config": config.to_dict()}, indent=1) + "\n")
    (folder / "packed.json").write_text(json.dumps({"tool": TOOL, "layers": layers}, indent=1) + "\n")


def decode(folder):
    layers = []
    for layer, weight in decode_folder(folder):
        layers.append({"name": layer, "shape": list(weight.shape),
                       "sha256_f32": hashlib.sha256(weight.contiguous().numpy().astype("<f4").tobytes()).hexdigest(),
                       "first": weight[0, :8].tolist(), "last": weight[-1, :8].tolist()})
    print(json.dumps({"tool": TOOL, "model_safetensors_sha256": hashlib.sha256(
        (folder / "model.safetensors").read_bytes()).hexdigest(), "layers": layers}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pack", "decode"))
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    {"pack": pack, "decode": decode}[arguments.what](arguments.folder)


if __name__ == "__main__":
    main()
