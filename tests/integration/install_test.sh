#!/usr/bin/env bash
# install_test.sh CMAKE BUILD: installs what BUILD holds into a folder of its own; the programs run from there, and find
# their libraries without the build's folder.
set -euo pipefail
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "install_test: $*" >&2; exit 1; }

"$cmake" --install "$build" --prefix "$work/first" >/dev/null
# Wherever it is moved to.
mv "$work/first" "$work/moved"
for program in tersor tersord tersor-worker; do
  path=$work/moved/bin/$program
  said=$(cd / && env -u LD_LIBRARY_PATH "$path" --version) || fail "$program does not run"
  grep -q '[0-9]\.[0-9]' <<<"$said" || fail "$program --version says: $said"
  libraries=$(env -u LD_LIBRARY_PATH ldd "$path")
  if grep -F -e 'not found' -e "$build" <<<"$libraries"; then fail "$program lacks libraries, or uses the build's"; fi
done
# The library that Debian lacks goes with the programs.
if compgen -G "$work/moved/lib/tersor/libdnnl*" >/dev/null; then
  ldd "$work/moved/bin/tersor" | grep -q "$work/moved/.*libdnnl" || fail "tersor does not use the oneDNN beside it"
fi
echo "install_test: ok"
