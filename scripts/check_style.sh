#!/usr/bin/env bash
# Checks what the compiler doesn't: format, no throw, libraries and edges included only from their rooms. Prints every
# fault; fails when there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
faults=0

# refuse WHAT PATTERN PATHSPEC...: no line of these tracked files may match.
refuse() {
  local what=$1 pattern=$2; shift 2
  if git --no-pager grep -nE "$pattern" -- "$@"; then
    echo "check_style: $what" >&2
    faults=$((faults + 1))
  fi
}

# Versions of clang-format differ in their opinions, so that only one of them can be asked.
find_clang_format() {
  local name
  for name in clang-format-14 clang-format; do
    if command -v $name >/dev/null && $name --version | grep -q 'version 14\.'; then echo $name; return; fi
  done
}

check_format() {
  local tool; tool=$(find_clang_format)
  if [ -z "$tool" ]; then echo "check_style: no clang-format 14 here: the format is not checked"; return; fi
  if ! git ls-files -z '*.cc' '*.h' | xargs -0 "$tool" --dry-run -Werror; then
    echo "check_style: run $tool -i on these files" >&2
    faults=$((faults + 1))
  fi
}

check_format
# Code before any comment or string of the line.
refuse "errors are absl::Status: nothing throws" '^[^"/]*\bthrow\b' 'core/*.cc' 'core/*.h' 'server/*.cc' 'server/*.h'
refuse "core knows no network, no store and no edge" \
  '#include +[<"](grpcpp|grpc/|server/|client/|sqlite3|prometheus/|.*\.grpc\.pb\.h)' core
refuse "the client doesn't include the server" '#include +[<"]server/' client
refuse "the server doesn't include the client" '#include +[<"]client/' server
refuse "oneDNN belongs to core/kernels" '#include +[<"](oneapi/)?dnnl' core server client ':!core/kernels'
refuse "Highway belongs to core/kernels" '#include +[<"]hwy/' core server client ':!core/kernels'
refuse "cpp-httplib belongs to server/http" '#include +[<"]httplib' core server client ':!server/http'
refuse "LAPACK and BLAS belong to core/linalg" '#include +[<"](lapacke?|cblas)' core server client ':!core/linalg'

[ $faults -eq 0 ] && echo "check_style: ok"
exit $((faults > 0))
