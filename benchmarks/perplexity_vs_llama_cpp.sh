#!/usr/bin/env bash
# Perplexity of SmolLM2-135M in float32: Tersor against llama-perplexity on the same text and chunks, turn by turn in one
# run. Prints both speeds and values, their ratio, and Tersor's speed where every token of a window is scored.
#   benchmarks/perplexity_vs_llama_cpp.sh [CHUNKS=16] [REPEATS=3]
# LLAMA_CPP_BIN: llama.cpp's binaries (else built once). TERSOR_BIN (default build/release/bin): perplexity_speed.
# TEXT: a data set's name or file. THREADS: 2.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
chunks=${1:-16} repeats=${2:-3}
threads=${THREADS:-2}
text=${TEXT:-$root/../shared/data/text/wikitext2_tokens_test.txt}
ours=${TERSOR_BIN:-$root/build/release/bin}/perplexity_speed
[ -x "$ours" ] || { echo "$ours is missing: cmake --build --preset release --target perplexity_speed" >&2; exit 1; }
[ -f "$text" ] || { echo "$text is missing: set TEXT" >&2; exit 1; }
llama=$("$root/benchmarks/build_llama_cpp.sh")
source_model=${TERSOR_DEMO_MODEL:-$("$root/scripts/fetch_model.sh")}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=$work/model.F32.gguf
"$llama/llama-quantize" --allow-requantize "$source_model" "$model" F32 >"$work/quantize.log" 2>&1 ||
  { cat "$work/quantize.log" >&2; exit 1; }

# Its log's clock from the start of the chunks to the result: what our clock runs over too, tokenizing left out.
run_llama() {
  "$llama/llama-perplexity" -m "$model" -f "$text" -c 512 -b 512 -t "$threads" --chunks "$chunks" --log-timestamps \
    --log-prefix >"$work/llama.log" 2>&1 || { cat "$work/llama.log" >&2; exit 1; }
  python3 - "$work/llama.log" "$chunks" <<'PY'
import re, sys
log, chunks = open(sys.argv[1], errors="replace").read(), int(sys.argv[2])
def seconds(text):
    found = re.search(r"(\d+)\.(\d\d)\.(\d{3})\.(\d{3}) I .*" + text, log)
    if not found:
        sys.exit(f"llama-perplexity's log has no line \"{text}\":\n" + log[-2000:])
    minutes, whole, milli, micro = map(int, found.groups())
    return 60 * minutes + whole + milli / 1e3 + micro / 1e6
if f"calculating perplexity over {chunks} chunks, n_ctx=512" not in log:
    sys.exit(f"llama-perplexity did not take {chunks} chunks of 512:\n" + log[-2000:])
print(512 * chunks / (seconds("Final estimate") - seconds("calculating perplexity")),
      re.search(r"Final estimate: PPL = ([0-9.]+)", log).group(1))
PY
}

run_ours() { "$ours" "$model" "$text" --threads "$threads" "$@"; }
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

for repeat in $(seq "$repeats"); do
  run_llama >>"$work/theirs"
  run_ours --convention llama.cpp --window 512 --windows "$chunks" >>"$work/ours"
  run_ours --convention windows --window 512 --windows "$chunks" >>"$work/full"
  echo "repeat $repeat: llama.cpp $(tail -n 1 "$work/theirs" | cut -d' ' -f1) tokens/s," \
    "tersor $(tail -n 1 "$work/ours" | field tokens_per_second) tokens/s"
done
python3 - "$work" "$chunks" "$threads" <<'PY'
import json, statistics, sys
work, chunks, threads = sys.argv[1:]
rows = [line.split() for line in open(f"{work}/theirs")]
theirs = statistics.median(float(row[0]) for row in rows)
load = lambda name: [json.loads(line) for line in open(f"{work}/{name}")]
median = lambda name: statistics.median(row["tokens_per_second"] for row in load(name))
ours, full = median("ours"), median("full")
print(f"""
SmolLM2-135M, float32, {chunks} chunks of 512, second half scored, {threads} threads, medians of {len(rows)} turns
  llama-perplexity        {theirs:8.1f} tokens/s   perplexity {float(rows[0][1]):.4f}
  tersor                  {ours:8.1f} tokens/s   perplexity {load("ours")[0]["perplexity"]:.4f}
  ratio                   {ours / theirs:8.2f}
  tersor, all tokens      {full:8.1f} tokens/s   perplexity {load("full")[0]["perplexity"]:.4f}  (windows of 512, fully scored)""")
PY
