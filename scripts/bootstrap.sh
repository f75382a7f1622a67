#!/usr/bin/env bash
# Installs what Tersor is built with on Debian 12 or 13; safe to run again, quick when nothing is missing.
# --fuzz: also what the preset fuzz is built with (clang and its OpenMP).
# TERSOR_DEPS (default ~/.cache/tersor/deps) receives what Debian does not have: oneDNN 3 where the system's is older.
set -euo pipefail
deps=${TERSOR_DEPS:-$HOME/.cache/tersor/deps}
onednn_version=3.11-1.5.13
onednn_sha256=ee1f53d22b36862d8cda5cc260ac6f9764a04d2f34e2c3926bc526e2b79a6ffb

packages=(build-essential cmake ninja-build ccache pkg-config git unzip ca-certificates curl
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev libhwy-dev
  libopenblas-openmp-dev liblapacke-dev libsqlite3-dev libcpp-httplib-dev prometheus-cpp-dev nlohmann-json3-dev libyaml-cpp-dev libpcre2-dev
  libcli11-dev libspdlog-dev libcurl4-openssl-dev libssl-dev libgtest-dev libgmock-dev libbenchmark-dev
  clang-format python3 python3-pip python3-venv)
[ "${1:-}" != --fuzz ] || packages+=(clang libomp-dev)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
say() { printf 'bootstrap: %s\n' "$*"; }

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$name"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# As core/tokenizer/rust/Cargo.toml asks for.
cargo_is_new() {
  local version
  version=$(cargo --version 2>/dev/null | cut -d' ' -f2) && dpkg --compare-versions "$version" ge 1.85
}

# A cargo that is there and new enough, else Debian's: cargo-web (12, updates) or cargo (13).
install_cargo() {
  cargo_is_new && return
  if apt-cache show cargo-web >/dev/null 2>&1; then install_packages cargo-web; else install_packages cargo; fi
}

# For the tests that load GGUF files with the real llama.cpp (scripts/fetch_node_llama.sh).
install_npm() { command -v npm >/dev/null || install_packages npm; }

system_onednn_is_new() {
  local version
  version=$(apt-cache policy libdnnl-dev 2>/dev/null | sed -n 's/ *Candidate: *//p')
  [ -n "$version" ] && [ "$version" != "(none)" ] && dpkg --compare-versions "$version" ge 3.5
}

install_onednn() {
  if system_onednn_is_new; then install_packages libdnnl-dev; return; fi
  local target=$deps/onednn stamp=$deps/onednn/.sha256
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$onednn_sha256" ] && return
  command -v mvn >/dev/null || install_packages maven
  say "fetching oneDNN $onednn_version"
  local work; work=$(mktemp -d)
  mvn -q -B dependency:copy -Dartifact=org.bytedeco:dnnl:$onednn_version:jar:linux-x86_64 -DoutputDirectory="$work"
  local jar=$work/dnnl-$onednn_version-linux-x86_64.jar
  echo "$onednn_sha256  $jar" | sha256sum -c --quiet -
  unzip -q "$jar" 'org/bytedeco/dnnl/linux-x86_64/*' -d "$work/jar"
  local from=$work/jar/org/bytedeco/dnnl/linux-x86_64 into=$work/onednn
  mkdir -p "$into/lib"
  cp -r "$from/include" "$into/include"
  cp -r "$from/lib/cmake" "$into/lib/cmake"
  # Where its CMake config expects the library; the artifact's own libgomp is left out in favour of the system's.
  cp "$from/libdnnl.so.3" "$into/lib/libdnnl.so.3.11"
  ln -s libdnnl.so.3.11 "$into/lib/libdnnl.so.3"
  ln -s libdnnl.so.3.11 "$into/lib/libdnnl.so"
  echo "$onednn_sha256" > "$into/.sha256"
  mkdir -p "$deps"
  rm -rf "$target"
  mv "$into" "$target"
  rm -rf "$work"
}

install_packages "${packages[@]}"
install_cargo
install_npm
install_onednn
say "ready"
