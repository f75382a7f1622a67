#!/usr/bin/env python3
"""Records small model folders as other quantizers write them, and what those tools decode them to.

  python3 -m venv /tmp/venv
  /tmp/venv/bin/pip install llmcompressor==0.14.0.1 compressed-tensors==0.19.0 transformers==5.17.0
  pip download --no-deps auto-gptq==0.7.1 autoawq==0.2.9     # unpacked beside each other into SOURCES
  /tmp/venv/bin/python tests/tools/record_quantized_folders.py --sources SOURCES tests/fixtures/quantized

One folder a format, each with config.json, model.safetensors and decoded.json: for every quantized weight its shape, the
SHA-256 of its little-endian float32 values and a few of them. compressed-tensors folders are written by
llm-compressor and decoded by compressed-tensors. GPTQ modules are packed by AutoGPTQ's QuantLinear (v1), or written by
the numpy packer below (v2, act-order); all are decoded by AutoGPTQ's own unpacking code or, for v2 and act-order, by
the definition scales[g] * (code - zero[g]) over codes unpacked by AutoGPTQ. AWQ modules are packed and decoded by
AutoAWQ. Scales are widened to float32 before decoding, so that no product is rounded to 16 bits.
"""
import argparse
import hashlib
import importlib.util
import json
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

warnings.filterwarnings("ignore")
LAYER = "model.layers.0."
MODULES = [LAYER + name for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                                     "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")]


def micro_model(dtype):
    torch.manual_seed(5)
    config = LlamaConfig(vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=128,
                         tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, dtype=dtype)
    model = LlamaForCausalLM(config).to(dtype).eval()
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def micro_tokenizer():
    """llm-compressor wants one though it reads no text."""
    vocabulary = {f"w{i}": i for i in range(64)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(vocabulary, unk_token="w0")))


def record(folder, tool, weights):
    layers = []
    for name, weight in weights.items():
        values = weight.contiguous().numpy().astype("<f4")
        layers.append({"name": name, "shape": list(values.shape),
                       "sha256_f32": hashlib.sha256(values.tobytes()).hexdigest(),
                       "first": values[0, :4].tolist(), "last": values[-1, -4:].tolist()})
    (folder / "decoded.json").write_text(json.dumps({"tool": tool, "layers": layers}, indent=1) + "\n")
    for extra in ("generation_config.json", "recipe.yaml", "chat_template.jinja"):
        (folder / extra).unlink(missing_ok=True)


def compressed_tensors_folder(folder, scheme, dtype):
    import compressed_tensors
    from compressed_tensors_decoding import decode_folder
    from llmcompressor import oneshot
    from llmcompressor.modifiers.quantization import QuantizationModifier

    modifier = {"targets": ["Linear"], "ignore": ["lm_head"]}
    modifier.update(scheme)
    with tempfile.TemporaryDirectory() as source:
        micro_model(dtype).save_pretrained(source)
        model = LlamaForCausalLM.from_pretrained(source, dtype=dtype)
        oneshot(model=model, processor=micro_tokenizer(), recipe=QuantizationModifier(**modifier))
        model.save_pretrained(folder, save_compressed=True)
    decoded = dict(decode_folder(folder))
    weights = {module + ".weight": decoded[module] for module in MODULES}
    record(folder, f"compressed-tensors {compressed_tensors.__version__}", weights)


def grid(weight, bits, group, symmetric, order=None):
    """Min-max scales (float16), unsigned zero points and codes; group of each input in `order`."""
    rows, columns = weight.shape
    index = torch.arange(columns) // group
    if order is not None:
        index = torch.empty(columns, dtype=torch.int64).index_copy_(0, order, index)
    groups = columns // group
    top = 2 ** bits - 1
    scales, zeros = torch.empty(rows, groups), torch.empty(rows, groups)
    for g in range(groups):
        part = weight[:, index == g]
        low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
        if symmetric:
            high = torch.maximum(-low, high)
            low = -high
        scales[:, g] = ((high - low) / top).half().float()
        zeros[:, g] = 2 ** (bits - 1) if symmetric else torch.round(-low / scales[:, g]).clamp(1, top)
    codes = torch.clamp(torch.round(weight / scales[:, index] + zeros[:, index]), 0, top)
    return scales, zeros, codes.int(), index.int()


def load_module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pack_stream(values, bits):
    """[runs, count] -> [runs, count * bits / 32]: element i at bit i * bits of the run."""
    runs, count = values.shape
    stream = ((values[:, :, None].astype(np.uint32) >> np.arange(bits)) & 1).reshape(runs, count * bits)
    return (stream.reshape(runs, -1, 32).astype(np.uint64) << np.arange(32, dtype=np.uint64)).sum(-1).astype(np.uint32)


def unpack_stream(words, bits, count):
    stream = ((words[:, :, None] >> np.arange(32, dtype=np.uint32)) & 1).reshape(words.shape[0], -1)
    return (stream[:, :count * bits].reshape(words.shape[0], count, bits) << np.arange(bits)).sum(-1)


def gptq_folder(folder, sources, bits, group, symmetric, version, act_order):
    auto_gptq = load_module(sources / "auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py")
    model = micro_model(torch.float16)
    tensors, weights = dict(model.state_dict()), {}
    tensors.pop("lm_head.weight", None)
    random = torch.Generator().manual_seed(3)
    for module in MODULES:
        linear = model.get_submodule(module).float()
        rows, columns = linear.weight.shape
        order = torch.randperm(columns, generator=random) if act_order else None
        scales, zeros, codes, index = grid(linear.weight.data, bits, group, symmetric, order)
        decoded = (codes - zeros[:, index.long()]) * scales[:, index.long()]
        if version == 1 and not act_order:
            linear.weight.data = decoded
            packed = auto_gptq.QuantLinear(bits, group, columns, rows, bias=False)
            packed.pack(linear, scales.clone(), zeros.clone(), None)
            qweight, qzeros, stored = packed.qweight, packed.qzeros, packed.scales.half()
            theirs = auto_gptq_weight(packed, stored, rows, columns)
            assert torch.equal(theirs, decoded), module
        else:
            qweight = torch.from_numpy(pack_stream(codes.numpy(), bits).T.astype(np.int32).copy())
            stored_zeros = (zeros - (1 if version == 1 else 0)).int().numpy()
            qzeros = torch.from_numpy(pack_stream(stored_zeros.T.copy(), bits).astype(np.int32))
            stored = scales.T.contiguous().half()
        parts = {"qweight": qweight, "qzeros": qzeros, "scales": stored, "g_idx": index}
        tensors.pop(module + ".weight")
        tensors.update({f"{module}.{name}": tensor.contiguous() for name, tensor in parts.items()})
        # AutoGPTQ gives every module a bias.
        if version == 1:
            tensors[module + ".bias"] = torch.zeros(rows, dtype=torch.float16)
        weights[module + ".weight"] = decoded
    model.config.quantization_config = {
        "quant_method": "gptq", "bits": bits, "group_size": group, "sym": symmetric, "desc_act": act_order,
        "lm_head": False, "checkpoint_format": "gptq" if version == 1 else "gptq_v2", "pack_dtype": "int32"}
    save(folder, model, tensors)
    record(folder, "auto-gptq 0.7.1" if version == 1 and not act_order else "definition", weights)


def auto_gptq_weight(packed, scales, rows, columns):
    """QuantLinear.forward multiplies with a matrix that it unpacks; the identity gives that matrix."""
    packed.autogptq_cuda_available = False
    packed.scales = scales.float()
    return packed(torch.eye(columns)).T.float().contiguous()


def awq_folder(folder, sources):
    sys.path.insert(0, str(sources))
    from awq.modules.linear.gemm import WQLinear_GEMM
    from awq.utils.packing_utils import dequantize_gemm
    group = 32
    model = micro_model(torch.float16)
    tensors, weights = dict(model.state_dict()), {}
    tensors.pop("lm_head.weight", None)
    for module in MODULES:
        linear = model.get_submodule(module).float()
        scales, zeros, codes, index = grid(linear.weight.data, 4, group, False)
        decoded = (codes - zeros[:, index.long()]) * scales[:, index.long()]
        linear.weight.data = decoded
        packed = WQLinear_GEMM.from_linear(linear, 4, group, scales=scales.T.contiguous(), zeros=zeros.T.contiguous())
        theirs = dequantize_gemm(packed.qweight, packed.qzeros, packed.scales.float(), 4, group).T
        assert torch.equal(theirs.float(), decoded), module
        tensors.pop(module + ".weight")
        for name in ("qweight", "qzeros", "scales"):
            tensors[f"{module}.{name}"] = getattr(packed, name).contiguous()
        weights[module + ".weight"] = decoded
    model.config.quantization_config = {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True,
                                        "version": "gemm", "modules_to_not_convert": None}
    save(folder, model, tensors)
    record(folder, "autoawq 0.2.9", weights)


def save(folder, model, tensors):
    folder.mkdir(parents=True, exist_ok=True)
    quantization = model.config.quantization_config
    del model.config.quantization_config
    config = json.loads(model.config.to_json_string())
    config["architectures"] = ["LlamaForCausalLM"]
    config["quantization_config"] = quantization
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors",
              {"format": "pt"})


def weights_args(bits, **more):
    return {"num_bits": bits, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32, **more}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=pathlib.Path, help="for the gptq and awq folders")
    parser.add_argument("--only", nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    root = arguments.folder

    def scheme(**weights):
        return {"config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}

    def compressed(modifier, dtype):
        return lambda folder: compressed_tensors_folder(folder, modifier, dtype)

    def gptq(*options):
        return lambda folder: gptq_folder(folder, arguments.sources, *options)

    folders = {
        "ct_w4_group32": compressed(scheme(**weights_args(4)), torch.bfloat16),
        "ct_w4_asymmetric": compressed(scheme(**weights_args(4, symmetric=False)), torch.float16),
        "ct_w3_group32": compressed(scheme(**weights_args(3)), torch.float16),
        "ct_w8a8": compressed({"scheme": "W8A8"}, torch.float32),
        "ct_fp8": compressed({"scheme": "FP8_DYNAMIC"}, torch.bfloat16),
        "ct_nvfp4": compressed({"scheme": "NVFP4A16"}, torch.bfloat16),
        "ct_mxfp4": compressed({"scheme": "MXFP4A16"}, torch.bfloat16),
        "ct_mxfp8": compressed({"scheme": "MXFP8A16"}, torch.bfloat16),
        "gptq_v1_w4": gptq(4, 32, True, 1, False),
        "gptq_v1_w3_asymmetric": gptq(3, 32, False, 1, False),
        "gptq_v1_w8": gptq(8, 32, False, 1, False),
        "gptq_v2_w4_act_order": gptq(4, 32, False, 2, True),
        "awq_w4": lambda folder: awq_folder(folder, arguments.sources),
    }
    for name, write in folders.items():
        if not arguments.only or name in arguments.only:
            write(root / name)


if __name__ == "__main__":
    main()
