#!/usr/bin/env bash
# Do llama.cpp and Tersor agree on the GGUF files that Tersor exports? Perplexity of each file in llama-perplexity and in
# Tersor with inputs rounded to 8 bits in blocks of 32, as llama.cpp rounds them; the same text, tokens and chunks.
#   benchmarks/interop/llama_cpp_agreement.sh [CHUNKS=16] [LIMIT_PERCENT=0.5]
# LLAMA_CPP_BIN: llama.cpp's binaries (else built once). TERSOR_BIN (default build/release/bin): tersor, perplexity_speed.
# TEXT: a data set's name or file. THREADS: 2. Exit code 1 where a file's perplexities differ by more than the limit.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
chunks=${1:-16} limit=${2:-0.5}
threads=${THREADS:-2}
text=${TEXT:-$root/../shared/data/text/wikitext2_tokens_test.txt}
bin=${TERSOR_BIN:-$root/build/release/bin}
for program in tersor perplexity_speed; do
  [ -x "$bin/$program" ] || { echo "$bin/$program is missing: build the target $program" >&2; exit 1; }
done
[ -f "$text" ] || { echo "$text is missing: set TEXT" >&2; exit 1; }
llama=$("$root/benchmarks/build_llama_cpp.sh")
model=${TERSOR_DEMO_MODEL:-$("$root/scripts/fetch_model.sh")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME FORMAT METHOD: one export from one rounding.
compare() {
  printf 'model: %s\nstages:\n  - quantize: { %s }\nexport: ["%s"]\n' "$model" "$3" "$2" >"$work/$1.yaml"
  "$bin/tersor" run "$work/$1.yaml" --threads "$threads" -q --workspace "$work/$1" >"$work/$1.log" 2>&1 ||
    { cat "$work/$1.log" >&2; exit 1; }
  local file
  file=$(echo "$work/$1/artifacts/"*.gguf)
  # Without repacking: llama-cpp-python 0.3.36's copy crashes in its AMX buffers where the machine has AMX.
  "$llama/llama-perplexity" -m "$file" -f "$text" -c 512 -b 512 -t "$threads" --chunks "$chunks" --no-repack \
    >"$work/llama.log" 2>&1 ||
    { cat "$work/llama.log" >&2; exit 1; }
  theirs=$(grep -o 'Final estimate: PPL = [0-9.]*' "$work/llama.log" | grep -o '[0-9.]*$')
  ours=$("$bin/perplexity_speed" "$file" "$text" --window 512 --windows "$chunks" --threads "$threads" --int8-inputs)
  floats=$("$bin/perplexity_speed" "$file" "$text" --window 512 --windows "$chunks" --threads "$threads")
  python3 - "$1" "$theirs" "$ours" "$floats" "$limit" <<'PY'
import json, sys
name, theirs, ours, floats, limit = sys.argv[1:]
theirs, ours, floats = float(theirs), json.loads(ours)["perplexity"], json.loads(floats)["perplexity"]
difference = 100 * (ours / theirs - 1)
print(f"{name:11} llama.cpp {theirs:9.4f}   tersor, 8-bit inputs {ours:9.4f} ({difference:+.3f} %)"
      f"   tersor, float inputs {floats:9.4f}", flush=True)
sys.exit(abs(difference) > float(limit))
PY
}

echo "$(basename "$model"), chunks of 512, $chunks of them, second half scored, $threads threads"
failed=0
compare q4_0 gguf:q4_0 'rtn: { bits: 4, group_size: 32 }' || failed=1
compare q4_0_head8 gguf:q4_0 'rtn: { bits: 4, group_size: 32 }, head: { bits: 8, group_size: 32 }' || failed=1
compare q4_1 gguf:q4_1 'rtn: { bits: 4, group_size: 32, symmetric: false }' || failed=1
compare q8_0 gguf:q8_0 'rtn: { bits: 8, group_size: 32 }' || failed=1
compare mxfp4 gguf:mxfp4 'mxfp4: {}' || failed=1
exit "$failed"
