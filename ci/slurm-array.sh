#!/usr/bin/env bash
# One campaign as a Slurm array, one shard per task, whole nodes so that shards do not measure each
# other. From a clone on a shared file system, after npm ci:
#
#   id=$(sbatch --parsable ci/slurm-array.sh results --time 30m)
#   sbatch --dependency=afterany:$id --wrap 'npm run -s merge -- results/shard-*.json --out results'
#
# merge exits with 3 while a shard is missing. Submitted again, or requeued, a task goes on with what
# it left, and one that is complete runs nothing. One shard alone is resumed by hand, because an array
# of one task is one shard of one: npm run stress -- --resume results/shard-2.json. Figures of unlike
# machines are not pooled: name a kind of node with --constraint where there are several.
#SBATCH --job-name=stage2-stress
#SBATCH --array=1-4
#SBATCH --nodes=1
#SBATCH --exclusive
#SBATCH --time=01:00:00
#SBATCH --requeue
# Asks the campaign to stop and write what it has, two minutes before the limit.
#SBATCH --signal=B:TERM@120
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: sbatch ci/slurm-array.sh DIR [flags of stress]" >&2
  exit 2
fi
cd "${SLURM_SUBMIT_DIR:-.}"
mkdir -p "$1"
out="$1/shard-$SLURM_ARRAY_TASK_ID.json"
shift
if [ -e "$out" ]; then set -- --resume "$out" "$@"; else set -- --json "$out" "$@"; fi

# Slurm signals this shell; exec makes the program the one that gets it.
exec node_modules/.bin/node --import ./src/cli/node-guard.js src/cli/main.ts \
  stress "$@" --shard auto --quiet
