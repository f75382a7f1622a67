"""Decodes layers of compressed-tensors folders by the PyPI package's own code (compressed-tensors 0.19.0), in float32.

The package decodes into the type of the scales, or of bfloat16 for 4-bit floats; both are widened first, so that no
product is rounded to 16 bits. Everything else is its own: unpacking, scales, dequantization.
"""
import json
import re

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
from compressed_tensors.quantization import QuantizationConfig
from compressed_tensors.quantization.lifecycle.forward import dequantize
from safetensors.torch import load_file


def decode_layer(parts, scheme, default_format):
    """float32 weight of a layer's tensors by local name (weight_packed, weight_scale, ...)."""
    form = getattr(scheme.format or default_format, "value", scheme.format or default_format)
    compressor = BaseCompressor.get_value_from_registry(form)
    if "fp4" in form:
        rows, half = parts["weight_packed"].shape
        scale = compressor._decompress_scale(parts["weight_scale"], torch.float32)
        return dequantize(x_q=unpack_fp4_from_uint8(parts["weight_packed"], rows, 2 * half, dtype=torch.float32),
                          scale=scale, args=scheme.weights, global_scale=parts.get("weight_global_scale"),
                          dtype=torch.float32)
    wide = dict(parts)
    if parts["weight_scale"].dtype != torch.uint8:
        wide["weight_scale"] = parts["weight_scale"].to(torch.float32)
    return compressor.decompress(wide, scheme)["weight"].to(torch.float32)


def scheme_of(config, layer):
    """The scheme whose targets name the layer; a class name such as "Linear" is any layer that has quantized weights."""
    for scheme in config.config_groups.values():
        for target in scheme.targets:
            if target == layer or target in ("Linear", "Embedding") or (
                    target.startswith("re:") and re.match(target.removeprefix("re:"), layer)):
                return scheme
    raise SystemExit(f"{layer}: no config group of config.json targets it")


def decode_folder(folder):
    """Yields (module, float32 weight) for every quantized layer of a folder, by name."""
    config = QuantizationConfig.model_validate(
        json.loads((folder / "config.json").read_text())["quantization_config"])
    tensors = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(shard))
    for key in sorted(tensors):
        if not key.endswith(".weight_scale"):
            continue
        module = key.removesuffix(".weight_scale")
        parts = {name.removeprefix(module + "."): tensor for name, tensor in tensors.items()
                 if name.startswith(module + ".")}
        yield module, decode_layer(parts, scheme_of(config, module), config.format)
