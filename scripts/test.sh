#!/usr/bin/env bash
# Installs what is missing, builds a release and runs all tests: what CI runs. Works from any folder.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap.sh
scripts/check_style.sh
TERSOR_DEMO_MODEL=$(scripts/fetch_model.sh)
export TERSOR_DEMO_MODEL
scripts/fetch_node_llama.sh

cmake --preset release
cmake --build --preset release
scripts/check_client.sh
result=0
ctest --preset release --parallel "$(nproc)" || result=$?

# ctest names the tests that were skipped; this says why.
log=build/release/Testing/Temporary/LastTest.log
reasons=$(sed -n '/: Skipped$/{n;p}' "$log" | sort | uniq -c)
if [ -n "$reasons" ]; then printf 'Skipped tests, by reason:\n%s\n' "$reasons"; fi
if [ $result -eq 0 ]; then echo "test: passed"; else echo "test: FAILED (log: $log)"; fi
exit $result
