#!/usr/bin/env bash
# One campaign in shards on one machine, with GNU parallel, and their results as one.
#
#   ci/parallel.sh DIR SHARDS JOBS COMMAND [FLAG...]
#   ci/parallel.sh results 4 4 explore
#   ci/parallel.sh results 3 1 stress --protocol bbm-early,rfc-nt-intended --vcpus 1,2 --time 60s
#
# Shards of explore may run beside each other, as many JOBS as there are cores. Shards of stress
# measure: more than one at a time on a machine measure each other.
#
# To resume after an interruption run the same again: shards that are finished are not repeated, and
# a shard of stress goes on where it was, also after SIGKILL: it saves what it has between two groups.
# The exit code is that of merge: 3 while a shard is missing.
set -euo pipefail

if [ $# -lt 4 ]; then
  echo "usage: ci/parallel.sh DIR SHARDS JOBS COMMAND [FLAG...]" >&2
  exit 2
fi
if ! command -v parallel > /dev/null; then
  echo "ci/parallel.sh: GNU parallel is not installed" >&2
  exit 2
fi

mkdir -p "$1"
DIR=$(cd "$1" && pwd)
SHARDS=$2
JOBS=$3
COMMAND=$4
shift 4
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DIR SHARDS COMMAND ROOT

run_shard() {
  local shard=$1
  shift
  local done="$DIR/shard-$shard-of-$SHARDS.json"
  local part="$DIR/shard-$shard-of-$SHARDS.part.json"
  local to=(--json "$part")
  if [ "$COMMAND" = stress ]; then
    # Its file says itself what is missing: where nothing is, it runs nothing.
    part=$done
    if [ -e "$done" ]; then to=(--resume "$done"); else to=(--json "$done"); fi
  elif [ -e "$done" ]; then
    echo "shard $shard/$SHARDS is there already" >&2
    return 0
  fi
  local code=0
  (cd "$ROOT" && npm run -s "$COMMAND" -- "$@" --shard "$shard/$SHARDS" "${to[@]}" --quiet) || code=$?
  case $code in
    # Pass, violation, inconclusive: this shard has had its say. Others may be run again.
    0 | 1 | 3) [ "$part" = "$done" ] || mv "$part" "$done" ;;
    *) echo "shard $shard/$SHARDS ended with $code: run the same again" >&2 ;;
  esac
}
export -f run_shard

# parallel hands its words to a shell, which takes them apart again: quoted once for that. By default
# it kills within half a second of asking, and a shard that was asked has still to write its result.
flags=()
for flag in "$@"; do flags+=("$(printf '%q' "$flag")"); done
seq "$SHARDS" | SHELL=$(command -v bash) parallel --will-cite --jobs "$JOBS" --line-buffer --tag \
  --termseq TERM,10000,KILL,1000 --halt never run_shard {} "${flags[@]}" || true

shopt -s nullglob
results=("$DIR"/shard-*-of-"$SHARDS".json "$DIR"/shard-*-of-"$SHARDS".part.json)
if [ ${#results[@]} -eq 0 ]; then
  echo "ci/parallel.sh: no shard left a result in $DIR" >&2
  exit 3
fi
cd "$ROOT"
npm run -s merge -- "${results[@]}" --json "$DIR/merged.json" --out "$DIR/report"
