#!/usr/bin/env bash
# Single-stream decoding of SmolLM2-135M at equal bytes a token: Tersor's low-bit kernels against llama-bench, turn by
# turn in one run. 4 bits: groups of 32 with an 8-bit head, as llama.cpp's Q4_0 has; 8 bits: its Q8_0.
#   benchmarks/decode_vs_llama_cpp.sh [REPEATS=3]
# LLAMA_CPP_BIN: llama.cpp's binaries (else built once). TERSOR_BIN (default build/release/bin): decode_speed. THREADS: 2.
# llama.cpp runs with and without its repacked weights (AMX, interleaved rows), and the faster one counts. Prompts are
# timed apart: built by GCC 12 on a machine with AMX its prompts crash where weights are repacked, as that compiler drops
# most of the tile configuration that ldtilecfg loads.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
repeats=${1:-3}
threads=${THREADS:-2}
ours=${TERSOR_BIN:-$root/build/release/bin}/decode_speed
[ -x "$ours" ] || { echo "$ours is missing: cmake --build --preset release --target decode_speed" >&2; exit 1; }
llama=$("$root/benchmarks/build_llama_cpp.sh")
source_model=${TERSOR_DEMO_MODEL:-$("$root/scripts/fetch_model.sh")}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quantize() {
  "$llama/llama-quantize" --allow-requantize "$1" "$2" "$3" >"$work/quantize.log" 2>&1 || { cat "$work/quantize.log" >&2; exit 1; }
}
quantize "$source_model" "$work/F32.gguf" F32
for type in Q4_0 Q8_0; do quantize "$work/F32.gguf" "$work/$type.gguf" "$type"; done

# peer BITS FILE ARGUMENTS: one measurement for each form of its weights, where it does not crash.
peer() {
  local repack
  for repack in 1 0; do
    if "$llama/llama-bench" -m "$2" "${@:3}" -t "$threads" -r 3 --repack "$repack" -o json >"$work/one" 2>/dev/null; then
      cat "$work/one" >>"$work/theirs.$1.$repack"
    fi
  done 2>/dev/null
}

head='head { tie: "untie" bits: 8 group_size: 32 }'
for _ in $(seq "$repeats"); do
  for bits in 4 8; do
    type=$([ "$bits" = 4 ] && echo Q4_0 || echo Q8_0)
    peer "$bits" "$work/$type.gguf" -p 0 -n 64
    peer "$bits" "$work/$type.gguf" -p 512 -n 0
    "$ours" "$source_model" --stage "rtn { bits: $bits group_size: 32 } $head" --threads "$threads" --repeats 3 \
      --activations int8 float32 decoded >>"$work/ours.$bits"
  done
done
python3 - "$work" "$threads" <<'PY'
import json, os, statistics, sys
work, threads = sys.argv[1:]

def documents(path):
    text, decoder, at = open(path).read(), json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value

print(f"SmolLM2-135M, {threads} threads, medians of the turns; tokens/s of decoding 64 and of a prompt of 512")
print(f"{'':30}{'MB a token':>11}{'decode':>9}{'of peer':>9}{'of bandwidth':>14}{'prefill':>10}")
for bits, peer in ((4, "Q4_0"), (8, "Q8_0")):
    forms = [[row for document in documents(path) for row in document]
             for path in (f"{work}/theirs.{bits}.{repack}" for repack in (1, 0)) if os.path.exists(path)]
    medians = lambda key: [statistics.median(rates) for rates in ([row["avg_ts"] for row in rows if row[key] > 0] for rows in forms) if rates]
    size = forms[0][0]["model_size"]
    theirs = max(medians("n_gen"))
    print(f"{'llama.cpp ' + peer:30}{size / 1e6:>11.1f}{theirs:>9.1f}{'':>23}{max(medians('n_prompt'), default=0):>10.0f}")
    ours = list(documents(f"{work}/ours.{bits}"))
    median = lambda mode, key: statistics.median(row[mode][key] for row in ours)
    for mode, words in (("int8", "int8 activations"), ("float32", "float32 activations"), ("decoded", "decoded to float32")):
        megabytes = 4 * 134.5 if mode == "decoded" else ours[0]["bytes_a_token"] / 1e6
        share = "" if mode == "decoded" else f"{median(mode, 'of_bandwidth'):.2f}"
        decode = median(mode, "decode")
        print(f"{f'tersor {bits} bits, ' + words:30}{megabytes:>11.1f}{decode:>9.1f}{decode / theirs:>9.2f}{share:>14}"
              f"{median(mode, 'prefill'):>10.0f}")
    print(f"{'read bandwidth':30}{'':>11}{statistics.median(row['read_bandwidth'] for row in ours) / 1e9:>9.1f} GB/s")
PY
