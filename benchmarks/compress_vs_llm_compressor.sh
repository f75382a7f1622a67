#!/usr/bin/env bash
# Tersor against llm-compressor on SmolLM2-135M, in one run: seconds of compression, peak memory, perplexity, and their
# ratios. Calibrated on the first 16 x 512 tokens of wikitext2_tokens_valid, evaluated on the first 8 windows of 2048 of
# wikitext2_tokens_test. llm-compressor leaves packing, and the rounding of what GPTQ has not rounded, to the saving of
# the model: "packed" counts them too, but not the writing of files. Tersor's seconds hold both always. A few minutes a
# method and number of threads, and ten to install the peer the first time.
#   benchmarks/compress_vs_llm_compressor.sh METHOD [THREADS...=1 2]
# METHOD: gptq, gptq3, rtn (4 or 3 bits, groups of 64, symmetric), awq (4 bits, groups of 64, zero points), w8a8 (naive),
# smoothquant (W8A8, strength 0.8): all that both have.
# LLMC_VENV: a virtual environment with llmcompressor (else made under TERSOR_PEERS, default ~/.cache/tersor/peers).
# MODEL_F16: the demo model as a float16 Hugging Face folder (else made, with a second environment). TERSOR_BIN (default
# build/release/bin): quantize_quality. PEER_TOOLS (default ../shared/tools/peers): make_model.py, llm_compressor.py.
# PRECISION: f32 or bf16 (needs a CPU that has it) as a recipe's `precision`; the peer computes in float32.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
method=${1:-gptq}
case $method in
  gptq) stage='gptq { bits: 4 group_size: 64 symmetric: true }' theirs=gptq4_g64 ;;
  gptq3) stage='gptq { bits: 3 group_size: 64 symmetric: true }' theirs=gptq3_g64 ;;
  rtn) stage='rtn { bits: 4 group_size: 64 symmetric: true }' theirs=rtn4_g64 ;;
  w8a8) stage='rtn { bits: 8 group_size: -1 } activations {}' theirs=w8a8 ;;
  awq) stage='awq { bits: 4 group_size: 64 symmetric: false }' theirs=awq4_g64 ;;
  smoothquant) stage='smoothquant { alpha: 0.8 }' theirs=sq_w8a8 ;;
  *) printf 'METHOD is gptq, gptq3, rtn, awq, w8a8 or smoothquant, not %s\n' "$method" >&2; exit 2 ;;
esac
case ${PRECISION:-} in
  '') precision= ;;
  f32 | bf16) precision=--$PRECISION ;;
  *) printf 'PRECISION is f32 or bf16, not %s\n' "$PRECISION" >&2; exit 2 ;;
esac
# What the peer's script would else start itself anew with, losing the launcher below, or set when its libraries have
# read it.
export HF_HUB_OFFLINE=1 CUDA_VISIBLE_DEVICES= TOKENIZERS_PARALLELISM=false
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864
# llm-compressor 0.14 pins AWQ's caches for a GPU, which fails where there is none.
# Its rounding and packing is timed and put into the file PACK_SECONDS.
launcher='import os, runpy, sys, time, torch
torch.Tensor.pin_memory = lambda tensor, *_: tensor
from llmcompressor.transformers.compression.compressed_tensors_utils import ModelCompressor
pack = ModelCompressor.compress_model
def timed(*arguments, **options):
    start = time.time()
    pack(*arguments, **options)
    with open(os.environ["PACK_SECONDS"], "w") as file:
        file.write(str(time.time() - start))
ModelCompressor.compress_model = timed
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")'
threads_list=("${@:2}")
[ ${#threads_list[@]} -gt 0 ] || threads_list=(1 2)
peers=${TERSOR_PEERS:-$HOME/.cache/tersor/peers}
tools=${PEER_TOOLS:-$root/../shared/tools/peers}
ours=${TERSOR_BIN:-$root/build/release/bin}/quantize_quality
say() { printf '== %s\n' "$*" >&2; }
[ -x "$ours" ] || { say "$ours is missing: cmake --build --preset release --target quantize_quality"; exit 1; }
[ -f "$tools/llm_compressor.py" ] || { say "$tools/llm_compressor.py is missing: set PEER_TOOLS"; exit 1; }

# make_venv FOLDER PACKAGES...: complete or not at all.
make_venv() {
  local folder=$1; shift
  [ -f "$folder/.complete" ] && return
  say "installing $* into $folder"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
  touch "$folder/.complete"
}

venv=${LLMC_VENV:-}
if [ -z "$venv" ]; then
  venv=$peers/llmc
  make_venv "$venv" "llmcompressor>=0.14,<0.15"
fi
model=${MODEL_F16:-$peers/smollm2-f16}
if [ ! -f "$model/config.json" ]; then
  source_model=${TERSOR_DEMO_MODEL:-$("$root/scripts/fetch_model.sh")}
  make_venv "$peers/hf" torch transformers gguf accelerate safetensors tokenizers
  say "making $model"
  mkdir -p "$peers"
  rm -rf "$model.partial"
  "$peers/hf/bin/python" "$tools/make_model.py" "$source_model" "$model.partial" >&2
  mv "$model.partial" "$model"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results.jsonl
export PACK_SECONDS=$work/pack_seconds
# The last line of each is its result as JSON; who made it is put beside, and what packing took apart.
record() {
  python3 -c 'import json, os, sys
line = {"who": sys.argv[1], "pack_seconds": 0.0, **json.loads(sys.stdin.read().splitlines()[-1])}
if line["who"] != "tersor":
    line["pack_seconds"] = float(open(os.environ["PACK_SECONDS"]).read())
print(json.dumps(line))' "$1" >>"$results"
}
for threads in "${threads_list[@]}"; do
  say "tersor, $threads thread(s)"
  env -u MALLOC_MMAP_THRESHOLD_ -u MALLOC_TRIM_THRESHOLD_ -u MALLOC_TOP_PAD_ "$ours" "$model" --stage "$stage" --threads "$threads" $precision | record tersor
  say "llm-compressor, $threads thread(s)"
  "$venv/bin/python" -c "$launcher" "$tools/llm_compressor.py" "$theirs" "$model" --threads "$threads" --save "$work/saved" | record llm-compressor
  rm -rf "$work/saved" "$PACK_SECONDS"
done

python3 - "$results" "$stage" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print(f"\nSmolLM2-135M, {sys.argv[2]}, 16 x 512 calibration tokens")
packed = lambda row: row["compress_seconds"] + row["pack_seconds"]
print(f"{'':16}{'threads':>8}{'seconds':>10}{'packed':>10}{'peak MB':>10}{'perplexity':>12}")
for row in rows:
    print(f"{row['who']:16}{row['threads']:8}{row['compress_seconds']:10.2f}{packed(row):10.2f}{row['peak_rss_mb']:10.0f}{row['perplexity']:12.3f}")
for threads in dict.fromkeys(row["threads"] for row in rows):
    ours, theirs = ({row["who"]: row for row in rows if row["threads"] == threads}[who] for who in ("tersor", "llm-compressor"))
    print(f"{threads} thread(s): {theirs['compress_seconds'] / ours['compress_seconds']:.2f} times faster, "
          f"{packed(theirs) / packed(ours):.2f} with packing, "
          f"{ours['peak_rss_mb'] / theirs['peak_rss_mb']:.2f} of the memory, "
          f"perplexity {ours['perplexity'] - theirs['perplexity']:+.3f}")
PY
