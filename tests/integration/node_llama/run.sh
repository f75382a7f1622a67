#!/usr/bin/env bash
# run.sh GGUF PROMPTS.json OUT.json: load_gguf.mjs with the llama.cpp that scripts/fetch_node_llama.sh installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${TERSOR_NODE_LLAMA:-$HOME/.cache/tersor/node_llama}
[ $# = 3 ] || { echo "usage: run.sh GGUF PROMPTS.json OUT.json" >&2; exit 2; }
[ -d "$home/node_modules" ] || { echo "run.sh: $home is missing: run scripts/fetch_node_llama.sh" >&2; exit 1; }
node=node
[ ! -x "$home/node_modules/.bin/node" ] || node=$home/node_modules/.bin/node
exec "$node" "$here/load_gguf.mjs" "$home/node_modules/node-llama-cpp" "$@"
