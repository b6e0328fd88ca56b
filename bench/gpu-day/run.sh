#!/bin/sh
# A day with a GPU: run.sh OUT, with options that it says if it is called without; see docs/gpu-day.md.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lent=$(mktemp -d)
trap 'rm -rf "$lent"' EXIT
# Libraries that the machine has stay the machine's: its driver may want newer ones than ours.
known=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null || true)
for library in "$here"/lib/*; do
  name=$(basename "$library")
  case "$known" in
    *"$name "*) ;;
    *) ln -s "$library" "$lent/$name" ;;
  esac
done
# Where containers have NVIDIA's, which the loader's own list may lack.
nvidia=/usr/local/nvidia
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$lent:$nvidia/lib64:$nvidia/lib"
code=0
"$here/bin/node" "$here/day.mjs" "$@" || code=$?
exit $code
