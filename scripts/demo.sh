#!/usr/bin/env bash
# Installs, builds, starts a server on loopback, and compresses a real model with it: SmolLM2-135M by 4-bit GPTQ.
# TERSOR_DEMO_OUT (default: a folder under $TMPDIR) receives the report and the files. Can be run again at once.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
say() { printf '\n== %s\n' "$*"; }

say "dependencies"
"$root/scripts/bootstrap.sh"
say "build"
cd "$root"
cmake --preset release -DTERSOR_TESTS=OFF -DTERSOR_BENCHMARKS=OFF -B build/demo >/dev/null
cmake --build build/demo
say "model"
model=${TERSOR_DEMO_MODEL:-$("$root/scripts/fetch_model.sh")}
echo "$model"

calibration=wikitext2_tokens_valid evaluation=wikitext2_tokens_test
data_path=${TERSOR_DATA_PATH:-$root/../shared/data}
has_text() { # in one of the folders
  local folder folders
  IFS=: read -ra folders <<<"$data_path"
  for folder in "${folders[@]}"; do [ ! -f "$folder/text/$1.txt" ] || return 0; done
  return 1
}
if ! has_text "$calibration" || ! has_text "$evaluation"; then
  say "text (no WikiText-2 in $data_path: Debian's reference manual serves instead)"
  text=$("$root/scripts/fetch_text.sh")
  data_path=$(dirname "$(dirname "$text")")
  calibration=debian_reference_calibration evaluation=debian_reference_evaluation
fi
export TERSOR_DATA_PATH=$data_path

work=$(mktemp -d)
out=${TERSOR_DEMO_OUT:-$work/out}
mkdir -p "$out"
server=
# The report stays; the server's data folder does not.
finish() {
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then kill -TERM "$server"; wait "$server" || true; fi
  rm -rf "$work/data"
}
trap finish EXIT

say "server"
"$root/build/demo/bin/tersord" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --data "$work/data" \
  --model-root "$(dirname "$model")" 2>"$work/tersord.log" &
server=$!
for _ in $(seq 100); do
  [ -s "$work/data/endpoint" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/tersord.log"; exit 1; }
  read -rt 0.1 <> <(:) || true
done
TERSOR_SERVER=$(head -n 1 "$work/data/endpoint")
export TERSOR_SERVER
echo "tersord listens on $TERSOR_SERVER, its log is $work/tersord.log"

say "job"
sed -e "s#MODEL#$model#" -e "s#CALIBRATION#$calibration#" -e "s#EVALUATION#$evaluation#" \
  "$root/examples/demo.yaml" > "$out/recipe.yaml"
tersor=$root/build/demo/bin/tersor
code=0
"$tersor" submit "$out/recipe.yaml" --wait --label demo=yes || code=$?
job=$("$tersor" list --output json | python3 -c 'import json,sys; print(json.load(sys.stdin)["jobs"][0]["id"])')
"$tersor" download "$job" --into "$out" >/dev/null
"$tersor" report "$job" --format html > "$out/report.html"
say "done"
echo "report: $out/report.html"
echo "files:  $(find "$out" -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')"
exit "$code"
