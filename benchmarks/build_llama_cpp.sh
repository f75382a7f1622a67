#!/usr/bin/env bash
# Builds llama-perplexity, llama-bench and llama-quantize of llama.cpp from the PyPI source package llama-cpp-python, once,
# and prints the folder they are in. LLAMA_CPP_BIN: a folder that has them already. TERSOR_PEERS (default
# ~/.cache/tersor/peers) keeps the build. LLAMA_CPP_ISA=avx2: for AVX2 only, beside the other build; with
# ONEDNN_MAX_CPU_ISA=AVX2 for Tersor, any machine compares the two as an AVX2 machine does. Some minutes the first time; not
# for CI.
set -euo pipefail
package=llama-cpp-python==0.3.36
tools=(llama-perplexity llama-bench llama-quantize)
has_tools() { local tool; for tool in "${tools[@]}"; do [ -x "$1/$tool" ] || return 1; done; }

if [ -n "${LLAMA_CPP_BIN:-}" ]; then
  has_tools "$LLAMA_CPP_BIN" || { echo "build_llama_cpp: $LLAMA_CPP_BIN lacks one of ${tools[*]}" >&2; exit 1; }
  echo "$LLAMA_CPP_BIN"
  exit
fi
target=${TERSOR_PEERS:-$HOME/.cache/tersor/peers}/${package/==/-}
case ${LLAMA_CPP_ISA:-} in
  '') isa=(-DGGML_NATIVE=ON) ;;
  avx2) target+=-avx2 isa=(-DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON) ;;
  *) echo "build_llama_cpp: LLAMA_CPP_ISA is avx2 or not set, not $LLAMA_CPP_ISA" >&2; exit 2 ;;
esac
if ! has_tools "$target/bin"; then
  echo "build_llama_cpp: building ${tools[*]} from $package" >&2
  mkdir -p "$target"
  work=$(mktemp -d "$target/.build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python --dest "$work" \
    "$package" >&2
  tar -xzf "$work"/*.tar.gz -C "$work"
  source=$(find "$work" -maxdepth 3 -type d -path '*/vendor/llama.cpp')
  cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF "${isa[@]}" \
    -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=ON -DLLAMA_BUILD_TOOLS=ON \
    -DLLAMA_BUILD_SERVER=OFF >&2
  cmake --build "$work/build" --target "${tools[@]}" >&2
  mkdir -p "$target/bin"
  for tool in "${tools[@]}"; do cp "$work/build/bin/$tool" "$target/bin/"; done
fi
echo "$target/bin"
