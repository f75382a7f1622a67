#!/usr/bin/env bash
# Puts a text to calibrate and evaluate on where no data set is to be had: the plain-text edition of Debian's reference
# manual, from the package debian-reference-en, as ~/.cache/tersor/data/text/debian_reference.txt. Prints its path. Beside
# it lie debian_reference_calibration.txt, its first four fifths, and debian_reference_evaluation.txt, the rest, so that a
# model is not judged by the text that it was fitted to.
set -euo pipefail
package=debian-reference-en
target=$HOME/.cache/tersor/data/text/debian_reference.txt
installed=/usr/share/debian-reference/debian-reference.en.txt.gz

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
download() { (cd "$work" && apt-get download -qq "$package" 2>"$work/log"); }

if [ ! -s "$target" ]; then
  mkdir -p "$(dirname "$target")"
  work=$(mktemp -d "$(dirname "$target")/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  packed=$installed
  if [ ! -f "$packed" ]; then
    echo "fetch_text: fetching $package" >&2
    # The lists of a fresh machine are empty or old.
    download || { as_root apt-get update -qq >&2 && download; } || { cat "$work/log" >&2; exit 1; }
    dpkg-deb -x "$work/$package"_*.deb "$work/unpacked"
    packed=$work/unpacked$installed
  fi
  gzip -dc "$packed" > "$work/text"
  iconv -f UTF-8 -t UTF-8 "$work/text" > /dev/null || { echo "fetch_text: the text is not UTF-8" >&2; exit 1; }
  mv "$work/text" "$target"
fi
calibration=${target%.txt}_calibration.txt evaluation=${target%.txt}_evaluation.txt
if [ ! -s "$calibration" ] || [ ! -s "$evaluation" ]; then
  # At the first empty line after the mark.
  lines=$(wc -l <"$target")
  cut=$(awk -v mark=$((lines * 4 / 5)) 'NR > mark && /^[[:space:]]*$/ { print NR; exit }' "$target")
  head -n "$cut" "$target" >"$calibration.part" && mv "$calibration.part" "$calibration"
  tail -n "+$((cut + 1))" "$target" >"$evaluation.part" && mv "$evaluation.part" "$evaluation"
fi
echo "$target"
