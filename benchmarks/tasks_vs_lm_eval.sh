#!/usr/bin/env bash
# The same task items scored by lm-eval (hf backend, float32, batch 8) and by Tersor, one after the other on the same
# machine, loading of the model included in both. Prints whether the answers agree, and the ratios of time and memory.
#   benchmarks/tasks_vs_lm_eval.sh TASK [ITEMS=200]
# TASK: a multiple-choice or cloze file of data/tasks (arc_easy, hellaswag, piqa, lambada_openai, ...), or mmlu_5shot
# (ITEMS then counts whole subjects of 25 items).
# LM_EVAL: a virtual environment with lm-eval and torch. MODEL: a Hugging Face folder (float32 or float16).
# DATA: the folder of task files (default ../shared/data/tasks). TERSOR_BIN: build/release/bin. THREADS: 2.
# REUSE: a folder of an earlier run (see OUT); lm-eval's answers and figures are taken from there. OUT: kept results.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
task=${1:?usage: tasks_vs_lm_eval.sh TASK [ITEMS]} items=${2:-200}
: "${LM_EVAL:?set LM_EVAL to a virtual environment with lm-eval}" "${MODEL:?set MODEL to a Hugging Face folder}"
data=${DATA:-$root/../shared/data/tasks}
ours=${TERSOR_BIN:-$root/build/release/bin}/score_tasks
[ -x "$ours" ] || { echo "$ours is missing: cmake --build --preset release --target score_tasks" >&2; exit 1; }
[ -x "$LM_EVAL/bin/lm_eval" ] || { echo "$LM_EVAL/bin/lm_eval is missing" >&2; exit 1; }
out=${OUT:-}
if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 CUDA_VISIBLE_DEVICES= TOKENIZERS_PARALLELISM=false
# The settings with which torch is fastest here: one malloc arena that keeps its pages.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864
exec python3 "$root/benchmarks/lm_eval_comparison.py" --task "$task" --items "$items" --data "$data" --model "$MODEL" \
  --lm-eval "$LM_EVAL/bin/lm_eval" --score-tasks "$ours" --threads "${THREADS:-2}" --out "$out" --reuse "${REUSE:-}"
