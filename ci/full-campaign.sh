#!/usr/bin/env bash
# Everything once: every scenario with every correct protocol that may pass it, 1 to 8 vCPUs, the
# three granules, and many seeds. About a minute for each seed and granule on two cores.
#
#   ci/full-campaign.sh DIR [SEEDS [ROUNDS]]
#   ci/full-campaign.sh results 10
#
# To resume after an interruption run the same again. The exit code is that of merge: 0 only if
# nothing was lost and nobody accused in any part.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
  echo "usage: ci/full-campaign.sh DIR [SEEDS [ROUNDS]]" >&2
  exit 2
fi
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
SEEDS=${2:-10}
ROUNDS=${3:-2}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Memory that moves needs break-before-make at any BBM level: nobody else may pass `relocate`.
MOVING=bbm-late,bbm-late-cmo,bbm-early,bbm-early-locked,bbm-early-range
OTHERS=adjust-populated,adjust-half,migration-cancel,migration-complete,two-vms,page-table-test
OTHERS=$OTHERS,parallel-faults,unmap-under-walk,permission-ping-pong

part() {
  local file=$DIR/$1.json
  local to=(--json "$file")
  shift
  if [ -e "$file" ]; then to=(--resume "$file"); fi
  local code=0
  npm run -s stress -- "$@" --vcpus 1,2,4,8 --rounds "$ROUNDS" "${to[@]}" --quiet > /dev/null || code=$?
  echo "$(basename "$file" .json): exit $code"
  # Interrupted, or not this file's campaign: there is nothing to merge yet.
  case $code in 0 | 1 | 3) ;; *) exit "$code" ;; esac
}

for seed in $(seq "$SEEDS"); do
  for granule in 4k 16k 64k; do
    part "$granule-seed-$seed" --protocol all --scenario "$OTHERS" --granule "$granule" --seed "$seed"
    part "$granule-seed-$seed-relocate" --protocol "$MOVING" --scenario relocate \
      --granule "$granule" --seed "$seed"
  done
done
npm run -s merge -- "$DIR"/*-seed-*.json --json "$DIR/merged.json"
