#!/usr/bin/env bash
# Builds the command line without the engine, as CI images carry it, and tries it: no engine's library is linked, remote
# commands are there, local ones say that they are missing. Works from any folder.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset client >/dev/null
cmake --build --preset client
tersor=build/client/bin/tersor
fail() { echo "check_client: $*" >&2; exit 1; }

libraries=$(ldd "$tersor")
if grep -E 'dnnl|openblas|lapack|libhwy' <<<"$libraries"; then fail "the client links the engine's libraries"; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'model: some-model\nstages:\n  - quantize: {method: rtn}\n' >"$work/good.yaml"
"$tersor" validate "$work/good.yaml" >/dev/null 2>&1 || fail "a good recipe has faults"
printf 'modell: x\n' >"$work/bad.yaml"
code=0; "$tersor" validate "$work/bad.yaml" >/dev/null 2>&1 || code=$?
[ "$code" = 2 ] || fail "a bad recipe gave exit code $code, not 2"
code=0; said=$("$tersor" run "$work/good.yaml" 2>&1) || code=$?
[ "$code" = 2 ] || fail "tersor run gave exit code $code, not 2"
grep -q 'no engine' <<<"$said" || fail "tersor run does not say that this build has no engine: $said"
code=0; TERSOR_SERVER=127.0.0.1:1 "$tersor" list >/dev/null 2>&1 || code=$?
[ "$code" = 4 ] || fail "tersor list without a server gave exit code $code, not 4"
echo "check_client: ok"
